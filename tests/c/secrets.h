/* SPDX-License-Identifier: Apache-2.0 */
/* What must not be found where it does not belong: secrets by name, and the search for them. */
#ifndef TESTS_SECRETS_H
#define TESTS_SECRETS_H

#include <stddef.h>
#include <stdint.h>

/* From so many bytes in a row on, what is found is a piece of a secret and no chance. */
#define SECRETS_PIECE_SIZE 8

/* Adds a secret in every form that it takes in memory: as it is, reversed (numbers of OpenSSL),
 * every four or eight bytes reversed (words of a hash). Pieces that repeat themselves (zeros) do
 * not count. */
void secrets_add(const char *name, const uint8_t *secret, size_t len);

/* Adds the base64 of a secret, wherever in a longer text it stands. */
void secrets_add_base64(const char *name, const uint8_t *secret, size_t len);

/* Forgets all. */
void secrets_clear(void);

/* The name of a secret of which these bytes hold a piece, and where; NULL if there is none. */
const char *secrets_find(const void *bytes, size_t len, size_t *offset);

#endif

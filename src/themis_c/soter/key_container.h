/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of every algorithm in their containers (specification, section 2). */
#ifndef SOTER_KEY_CONTAINER_H
#define SOTER_KEY_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/key.h"
#include "soter/status.h"

/* The kind of key in a container, if tag, size, checksum and length fit one another; its numbers
 * are not judged. DATA_CORRUPT: the checksum is wrong. INVALID_PARAMETER: not a key. */
SOTER_MUST_USE soter_status soter_key_inspect(const uint8_t *key,
                                              size_t key_len,
                                              const struct soter_key_kind **out);

/* Reads a key in any accepted encoding. DATA_CORRUPT: damaged, or its numbers make no sense.
 * INVALID_PARAMETER: not a key. */
SOTER_MUST_USE soter_status soter_key_read(const uint8_t *key, size_t key_len, soter_key **out);

/* The same where one half is wanted: INVALID_PARAMETER for the other one. */
SOTER_MUST_USE soter_status soter_key_read_half(const uint8_t *key,
                                                size_t key_len,
                                                bool is_private,
                                                soter_key **out);

/* The bytes of a key of this kind as it is written. */
size_t soter_key_size(const struct soter_key_kind *kind, enum soter_point_form form);

/* Writes the public half of any key; `out` has the soter_key_size of that kind. */
SOTER_MUST_USE soter_status soter_key_write_public(const soter_key *key,
                                                   enum soter_point_form form,
                                                   uint8_t *out,
                                                   size_t out_len);

/* Writes a private key; `out` has the soter_key_size of its kind. */
SOTER_MUST_USE soter_status soter_key_write_private(const soter_key *key,
                                                    uint8_t *out,
                                                    size_t out_len);

#endif

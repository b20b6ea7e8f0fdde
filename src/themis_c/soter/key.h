/* SPDX-License-Identifier: Apache-2.0 */
/* What all asymmetric keys have in common; an algorithm knows this, and this knows no algorithm. */
#ifndef SOTER_KEY_H
#define SOTER_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"

enum soter_key_algorithm { SOTER_KEY_EC, SOTER_KEY_RSA };

/* What the tag of a key's container says. */
struct soter_key_kind {
    const char *tag;
    enum soter_key_algorithm algorithm;
    bool is_private;
    uint16_t bits;        /* 256, 384, 521; 1024, 2048, 4096, 8192 */
    uint16_t number_size; /* bytes of a coordinate or of the modulus */
};

/* The kind with these properties; NULL if there is none. */
const struct soter_key_kind *
soter_key_find_kind(enum soter_key_algorithm algorithm, bool is_private, unsigned bits);

/* A key that was read, judged and prepared: all its numbers make sense.
 * Immutable; threads may share it. */
typedef struct soter_key soter_key;

/* What an algorithm does with its keys (key_internal.h). */
struct soter_key_functions;

void soter_key_free(soter_key *key);

const struct soter_key_kind *soter_key_kind(const soter_key *key);

/* Whether this is an EC key of that half: what a session asks of the keys that it is given. */
SOTER_MUST_USE bool soter_key_is_ec(const soter_key *key, bool is_private);

/* How a public EC key is written; everything else has one form only. */
enum soter_point_form { SOTER_COMPRESSED, SOTER_UNCOMPRESSED };

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Asymmetric keys of every kind: containers in and out (specification, section 2). */
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

/* The kind of key in a container, if tag, size, checksum and length fit one another; its numbers
 * are not judged. DATA_CORRUPT: the checksum is wrong. INVALID_PARAMETER: not a key. */
SOTER_MUST_USE soter_status soter_key_inspect(const uint8_t *key,
                                              size_t key_len,
                                              const struct soter_key_kind **out);

/* Reads a key in any accepted encoding. DATA_CORRUPT: damaged, or its numbers make no sense.
 * INVALID_PARAMETER: not a key. */
SOTER_MUST_USE soter_status soter_key_read(const uint8_t *key, size_t key_len, soter_key **out);
void soter_key_free(soter_key *key);

const struct soter_key_kind *soter_key_kind(const soter_key *key);

/* Whether this is an EC key of that half: what a session asks of the keys that it is given. */
SOTER_MUST_USE bool soter_key_is_ec(const soter_key *key, bool is_private);

/* How a public EC key is written; everything else has one form only. */
enum soter_point_form { SOTER_COMPRESSED, SOTER_UNCOMPRESSED };

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

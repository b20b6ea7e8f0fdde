/* SPDX-License-Identifier: Apache-2.0 */
/* AES-GCM with a 12-byte nonce and a 16-byte tag. */
#ifndef SOTER_AEAD_H
#define SOTER_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"

#define SOTER_AEAD_NONCE_SIZE 12
#define SOTER_AEAD_TAG_SIZE 16

/* A cipher; it takes one message after another, from one thread at a time. */
typedef struct soter_aead soter_aead;

/* A key of 16, 24 or 32 bytes, and which way it is used. */
struct soter_aead_key {
    const uint8_t *bytes; /* NULL: the key of this length that the cipher has */
    size_t len;
    bool encrypts;
};

SOTER_MUST_USE soter_status soter_aead_new(soter_aead **out);
void soter_aead_free(soter_aead *aead); /* wipes the key */

/* Starts a message under a key that then stays: its nonce and its associated data (may be empty).
 * INVALID_PARAMETER: not a key length, or no key was set. */
SOTER_MUST_USE soter_status soter_aead_start(soter_aead *aead,
                                             const struct soter_aead_key *key,
                                             const uint8_t nonce[SOTER_AEAD_NONCE_SIZE],
                                             const uint8_t *associated,
                                             size_t associated_len);

/* Takes a key before the first message. */
SOTER_MUST_USE soter_status soter_aead_set_key(soter_aead *aead, const struct soter_aead_key *key);

/* The first part of the started message, where it does not lie in one piece with the rest; data_len
 * is a multiple of 16. Decrypted so, it is not authentic before soter_aead_decrypt says so, and
 * the caller wipes it if it is not. */
SOTER_MUST_USE soter_status soter_aead_part(soter_aead *aead,
                                            const uint8_t *data,
                                            size_t data_len,
                                            uint8_t *out);

/* Encrypts the started message, or what is left of it; `out` takes data_len bytes. */
SOTER_MUST_USE soter_status soter_aead_encrypt(soter_aead *aead,
                                               const uint8_t *data,
                                               size_t data_len,
                                               uint8_t *out,
                                               uint8_t tag[SOTER_AEAD_TAG_SIZE]);

/* Decrypts the started message, or what is left of it; FAIL, and an `out` wiped, if the tag does
 * not fit. */
SOTER_MUST_USE soter_status soter_aead_decrypt(soter_aead *aead,
                                               const uint8_t *data,
                                               size_t data_len,
                                               const uint8_t tag[SOTER_AEAD_TAG_SIZE],
                                               uint8_t *out);

#endif

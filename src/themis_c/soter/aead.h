/* SPDX-License-Identifier: Apache-2.0 */
/* AES-GCM with a 12-byte nonce and a 16-byte tag. */
#ifndef SOTER_AEAD_H
#define SOTER_AEAD_H

#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"

#define SOTER_AEAD_NONCE_SIZE 12
#define SOTER_AEAD_TAG_SIZE 16

/* A keyed cipher for one direction; reused for one message after another by one thread at a time.
 * (It is OpenSSL's context under a name that needs none of its headers.) */
typedef struct evp_cipher_ctx_st soter_aead;

/* Keys have 16, 24 or 32 bytes. */
SOTER_MUST_USE soter_status soter_aead_new_encrypt(const uint8_t *key,
                                                   size_t key_len,
                                                   soter_aead **out);
SOTER_MUST_USE soter_status soter_aead_new_decrypt(const uint8_t *key,
                                                   size_t key_len,
                                                   soter_aead **out);
void soter_aead_free(soter_aead *aead);

/* Starts a message: its nonce and its associated data (may be empty). */
SOTER_MUST_USE soter_status soter_aead_start(soter_aead *aead,
                                             const uint8_t nonce[SOTER_AEAD_NONCE_SIZE],
                                             const uint8_t *associated,
                                             size_t associated_len);

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

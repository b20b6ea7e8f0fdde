/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA256, the Soter KDF and PBKDF2 (specification, section 1). */
#ifndef SOTER_KDF_H
#define SOTER_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/status.h"

#define SOTER_HMAC_SIZE 32
#define SOTER_KDF_MAX_SIZE 32
#define SOTER_KDF_MAX_CONTEXTS 8

/* A key with its HMAC states prepared: hashed once, used for any number of messages.
 * Threads may share it, as long as none of them sets another key. */
typedef struct soter_hmac_key soter_hmac_key;

/* The key has at least one byte. */
SOTER_MUST_USE soter_status soter_hmac_key_new(const uint8_t *key,
                                               size_t key_len,
                                               soter_hmac_key **out);
void soter_hmac_key_free(soter_hmac_key *key);

/* Puts another key in the place of the one that it has. After a failure nothing but
 * soter_hmac_key_free may follow. */
SOTER_MUST_USE soter_status soter_hmac_key_set(soter_hmac_key *key,
                                               const uint8_t *bytes,
                                               size_t bytes_len);

/* Another one with the same key, for a thread that wants one to itself. */
SOTER_MUST_USE soter_status soter_hmac_key_copy(const soter_hmac_key *key, soter_hmac_key **out);

/* HMAC-SHA256 of the parts joined. */
SOTER_MUST_USE soter_status soter_hmac(soter_hmac_key *key,
                                       const struct soter_slice *parts,
                                       size_t count,
                                       uint8_t out[SOTER_HMAC_SIZE]);

/* What a key is derived for: a label, and up to SOTER_KDF_MAX_CONTEXTS contexts. */
struct soter_kdf_purpose {
    struct soter_slice label;
    const struct soter_slice *contexts;
    size_t contexts_count;
};

/* The first out_len (at most 32) bytes of HMAC(key, 00000001 || label || 00 || contexts). */
SOTER_MUST_USE soter_status soter_kdf(soter_hmac_key *key,
                                      const struct soter_kdf_purpose *purpose,
                                      uint8_t *out,
                                      size_t out_len);

/* The same where there is no key: label and contexts make one. */
SOTER_MUST_USE soter_status soter_kdf_keyless(const struct soter_kdf_purpose *purpose,
                                              uint8_t *out,
                                              size_t out_len);

/* A label as a purpose has it, from a string literal: without the terminator. */
#define SOTER_LABEL(text) {(const uint8_t *)(text), sizeof(text) - 1}

#define SOTER_PBKDF2_SIZE 32

/* PBKDF2-HMAC of up to 32 bytes in the making. It takes long, on purpose: so it is done in slices
 * between which the caller can look at other things. One thread at a time. */
typedef struct soter_pbkdf2 soter_pbkdf2;

/* With SHA-256, for 32 bytes. The passphrase has at least one byte, the salt any number; 1
 * iteration or more. Nothing is borrowed. */
SOTER_MUST_USE soter_status soter_pbkdf2_new(struct soter_slice passphrase,
                                             struct soter_slice salt,
                                             uint32_t iterations,
                                             soter_pbkdf2 **out);
/* The same with a hash that OpenSSL has by this name, of 20 bytes or more (SHA-1 is the shortest),
 * and for fewer bytes. NOT_SUPPORTED: there is no such hash. */
SOTER_MUST_USE soter_status soter_pbkdf2_new_with(const char *hash,
                                                  struct soter_slice passphrase,
                                                  struct soter_slice salt,
                                                  uint32_t iterations,
                                                  size_t size,
                                                  soter_pbkdf2 **out);
/* Does this many iterations at most; *left tells how many are to be done yet. */
SOTER_MUST_USE soter_status soter_pbkdf2_work(soter_pbkdf2 *work, uint32_t most, uint32_t *left);
/* When none are left: as many bytes as it was made for, and zeros up to 32. */
SOTER_MUST_USE soter_status soter_pbkdf2_finish(const soter_pbkdf2 *work,
                                                uint8_t out[SOTER_PBKDF2_SIZE]);
/* Wipes. NULL is fine. */
void soter_pbkdf2_free(soter_pbkdf2 *work);

#endif

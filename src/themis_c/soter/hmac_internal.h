/* SPDX-License-Identifier: Apache-2.0 */
/* What PBKDF2 needs of HMAC beyond SHA-256: other hashes, and a context of its own to work in. */
#ifndef SOTER_HMAC_INTERNAL_H
#define SOTER_HMAC_INTERNAL_H

#include <openssl/types.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/hmac.h"
#include "soter/status.h"

#define SOTER_HASH_MAX_SIZE 64

/* As soter_hmac_key_new, with another hash, which must outlive the key. */
SOTER_MUST_USE soter_status soter_hmac_key_new_with(const EVP_MD *hash,
                                                    const uint8_t *key,
                                                    size_t key_len,
                                                    soter_hmac_key **out);

/* The size of the hash, which is the size of a result. */
size_t soter_hmac_key_hash_size(const soter_hmac_key *key);

/* HMAC of the parts joined, in a context that the caller keeps for the next call. */
SOTER_MUST_USE soter_status soter_hmac_in(EVP_MD_CTX *ctx,
                                          const soter_hmac_key *key,
                                          const struct soter_slice *parts,
                                          size_t count,
                                          uint8_t *out);

#endif

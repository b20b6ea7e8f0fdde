/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_HASH_H
#define SOTER_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/status.h"

#define SOTER_SHA256_SIZE 32
#define SOTER_SHA512_SIZE 64

/* SHA-256 of the parts joined. */
SOTER_MUST_USE soter_status soter_sha256(const struct soter_slice *parts,
                                         size_t count,
                                         uint8_t out[SOTER_SHA256_SIZE]);

/* SHA-512 of the parts joined. */
SOTER_MUST_USE soter_status soter_sha512(const struct soter_slice *parts,
                                         size_t count,
                                         uint8_t out[SOTER_SHA512_SIZE]);

/* An incremental SHA-256, for data that comes in pieces. (It is OpenSSL's context under a name
 * that needs none of its headers.) */
typedef struct evp_md_ctx_st soter_sha256_state;

/* Ends a hash of OpenSSL's that has so many bytes. */
SOTER_MUST_USE soter_status soter_hash_finish(struct evp_md_ctx_st *ctx,
                                              uint8_t *out,
                                              size_t out_len);

SOTER_MUST_USE soter_status soter_sha256_new(soter_sha256_state **out);
SOTER_MUST_USE soter_status soter_sha256_add(soter_sha256_state *state,
                                             const uint8_t *data,
                                             size_t data_len);
/* Only freeing may follow. */
SOTER_MUST_USE soter_status soter_sha256_finish(soter_sha256_state *state,
                                                uint8_t out[SOTER_SHA256_SIZE]);
/* Wipes. NULL is fine. */
void soter_sha256_free(soter_sha256_state *state);

#endif

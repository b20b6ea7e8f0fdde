/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA over a digest of SHA-256, in DER (specification, section 1). */
#ifndef SOTER_ECDSA_H
#define SOTER_ECDSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/compiler.h"
#include "soter/key.h"
#include "soter/status.h"

/* An EC key as OpenSSL's ECDSA takes it. Immutable; threads may share it. */
typedef struct ec_key_st soter_ecdsa_key;

SOTER_MUST_USE soter_status soter_ecdsa_key_new(const soter_key *key, soter_ecdsa_key **out);
void soter_ecdsa_key_free(soter_ecdsa_key *key);

/* The most bytes that a signature with keys of this kind can have. */
size_t soter_ecdsa_max_size(const struct soter_key_kind *kind);

/* With a private key; `signature` takes soter_ecdsa_max_size bytes. */
SOTER_MUST_USE bool soter_ecdsa_sign(soter_ecdsa_key *key,
                                     const uint8_t *digest,
                                     uint8_t *signature,
                                     size_t *signature_len);

/* With a public key. SUCCESS, INVALID_SIGNATURE or NO_MEMORY; between ERR_set_mark and
 * ERR_pop_to_mark. */
SOTER_MUST_USE soter_status soter_ecdsa_verify(soter_ecdsa_key *key,
                                               const uint8_t *digest,
                                               const uint8_t *signature,
                                               size_t signature_len);

#endif

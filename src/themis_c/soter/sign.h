/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures over SHA-256: ECDSA in DER with EC keys, PSS with RSA keys (specification,
 * section 1). */
#ifndef SOTER_SIGN_H
#define SOTER_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/key.h"
#include "soter/status.h"

/* Of RSA with 8192 bits; the longest of EC is 139 (P-521). */
#define SOTER_SIGNATURE_MAX_SIZE 1024
#define SOTER_EC_SIGNATURE_MAX_SIZE 139

/* A key prepared for what its half can do: a private one signs, a public one verifies. It needs its
 * soter_key no longer. Immutable; threads may share it. */
typedef struct soter_sign_key soter_sign_key;

SOTER_MUST_USE soter_status soter_sign_key_new(const soter_key *key, soter_sign_key **out);
void soter_sign_key_free(soter_sign_key *key);

/* The most bytes that a signature can have; those of EC keys vary in length. */
size_t soter_signature_max_size(const soter_sign_key *key);

/* Signs the parts joined. `signature` takes soter_signature_max_size bytes; *signature_len says
 * how many were written. INVALID_PARAMETER: a public key. */
SOTER_MUST_USE soter_status soter_sign(const soter_sign_key *key,
                                       const struct soter_slice *parts,
                                       size_t count,
                                       uint8_t *signature,
                                       size_t *signature_len);

/* INVALID_SIGNATURE if this is not the signature of the parts joined. INVALID_PARAMETER: a private
 * key. */
SOTER_MUST_USE soter_status soter_verify(const soter_sign_key *key,
                                         const struct soter_slice *parts,
                                         size_t count,
                                         const uint8_t *signature,
                                         size_t signature_len);

#endif

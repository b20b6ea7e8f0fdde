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

/* Keys prepared for one purpose. They need their soter_key no longer. Immutable; threads may
 * share them. */
typedef struct soter_signer soter_signer;
typedef struct soter_verifier soter_verifier;

/* INVALID_PARAMETER: a public key where a private one belongs, or the reverse. */
SOTER_MUST_USE soter_status soter_signer_new(const soter_key *private_key, soter_signer **out);
void soter_signer_free(soter_signer *signer);
SOTER_MUST_USE soter_status soter_verifier_new(const soter_key *public_key, soter_verifier **out);
void soter_verifier_free(soter_verifier *verifier);

/* The most bytes that a signature can have; those of EC keys vary in length. */
size_t soter_signature_max_size(const soter_signer *signer);

/* Signs the parts joined. `signature` takes soter_signature_max_size bytes; *signature_len says
 * how many were written. */
SOTER_MUST_USE soter_status soter_sign(const soter_signer *signer,
                                       const struct soter_slice *parts,
                                       size_t count,
                                       uint8_t *signature,
                                       size_t *signature_len);

/* INVALID_SIGNATURE if this is not the signature of the parts joined. */
SOTER_MUST_USE soter_status soter_verify(const soter_verifier *verifier,
                                         const struct soter_slice *parts,
                                         size_t count,
                                         const uint8_t *signature,
                                         size_t signature_len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What soter does with EC keys, by way of EVP: slower, and the only way to the FIPS provider. For
 * soter_libcrypto.is_fips alone. */
#ifndef SOTER_EC_EVP_H
#define SOTER_EC_EVP_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/compiler.h"
#include "soter/key.h"
#include "soter/status.h"

/* As soter_ecdh, for keys of one curve; between ERR_set_mark and ERR_pop_to_mark. */
SOTER_MUST_USE soter_status soter_ec_evp_agree(const soter_key *private_key,
                                               const soter_key *public_key,
                                               uint8_t *secret,
                                               size_t secret_len);

/* As soter_ecdsa_sign and soter_ecdsa_verify, with keys of soter_key_to_evp; *signature_len comes
 * as the room there is. */
SOTER_MUST_USE bool
soter_ec_evp_sign(EVP_PKEY *key, const uint8_t *digest, uint8_t *signature, size_t *signature_len);
SOTER_MUST_USE soter_status soter_ec_evp_verify(EVP_PKEY *key,
                                                const uint8_t *digest,
                                                const uint8_t *signature,
                                                size_t signature_len);

#endif

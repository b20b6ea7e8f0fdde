/* SPDX-License-Identifier: Apache-2.0 */
/* RSA-PSS over a digest of SHA-256, with the longest salt that fits (specification, section 1). */
#ifndef SOTER_PSS_H
#define SOTER_PSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/compiler.h"
#include "soter/key.h"
#include "soter/status.h"

/* An RSA key prepared for signing or for verifying. Immutable; threads may share it. */
typedef struct soter_pss_key soter_pss_key;

SOTER_MUST_USE soter_status soter_pss_key_new(const soter_key *key, soter_pss_key **out);
void soter_pss_key_free(soter_pss_key *key);

/* With a private key; `signature` takes as many bytes as the modulus has. */
SOTER_MUST_USE bool soter_pss_sign(const soter_pss_key *key,
                                   const uint8_t *digest,
                                   uint8_t *signature,
                                   size_t *signature_len);

/* With either. SUCCESS, INVALID_SIGNATURE or NO_MEMORY; between ERR_set_mark and
 * ERR_pop_to_mark. */
SOTER_MUST_USE soter_status soter_pss_verify(const soter_pss_key *key,
                                             const uint8_t *digest,
                                             const uint8_t *signature,
                                             size_t signature_len);

#endif

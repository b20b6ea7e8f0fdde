/* SPDX-License-Identifier: Apache-2.0 */
/* RSA encryption of secrets: OAEP with SHA-1 and MGF1-SHA1, empty label (specification,
 * section 1). */
#ifndef SOTER_OAEP_H
#define SOTER_OAEP_H

#include <stddef.h>
#include <stdint.h>

#include "soter/key.h"
#include "soter/status.h"

#define SOTER_OAEP_OVERHEAD 42 /* two digests of SHA-1, and two bytes */
#define SOTER_OAEP_SECRET_MAX_SIZE (1024 / 8 - SOTER_OAEP_OVERHEAD) /* what every key can take */

/* An RSA key prepared for what its half can do: a public one wraps, a private one unwraps. It needs
 * its soter_key no longer. Immutable; threads may share it. */
typedef struct soter_oaep_key soter_oaep_key;

/* INVALID_PARAMETER: not an RSA key. */
SOTER_MUST_USE soter_status soter_oaep_key_new(const soter_key *key, soter_oaep_key **out);
void soter_oaep_key_free(soter_oaep_key *key);

/* The bytes of a wrapped secret: those of the modulus. */
size_t soter_oaep_wrapped_size(const soter_oaep_key *key);

/* Wraps a secret of at most SOTER_OAEP_SECRET_MAX_SIZE bytes into soter_oaep_wrapped_size.
 * INVALID_PARAMETER: a longer one, or a private key. */
SOTER_MUST_USE soter_status soter_oaep_wrap(const soter_oaep_key *key,
                                            const uint8_t *secret,
                                            size_t secret_len,
                                            uint8_t *wrapped);

/* OpenSSL keeps blinding factors with the key, and replaces them after 32 uses. If memory runs out
 * at that moment, it reports no error and continues with factors that do not match: the next 31
 * results are wrong (observed in 3.0). Fresh blinding costs as much again as unwrapping. */
enum soter_oaep_blinding { SOTER_OAEP_KEPT_BLINDING, SOTER_OAEP_FRESH_BLINDING };

/* Unwraps a secret of this very length. What does not unwrap to that gives a random secret and
 * SUCCESS, in the same time: its sender learns only that a later authentication failed.
 * INVALID_PARAMETER: not as long as the modulus, which is no secret, or a public key. */
SOTER_MUST_USE soter_status soter_oaep_unwrap(const soter_oaep_key *key,
                                              enum soter_oaep_blinding blinding,
                                              const uint8_t *wrapped,
                                              size_t wrapped_len,
                                              uint8_t *secret,
                                              size_t secret_len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* RSA encryption: OAEP with SHA-1 and MGF1-SHA1, empty label (specification, section 1). */
#ifndef SOTER_OAEP_H
#define SOTER_OAEP_H

#include <stddef.h>
#include <stdint.h>

#include "soter/key.h"
#include "soter/status.h"

#define SOTER_OAEP_OVERHEAD 42 /* two digests of SHA-1 and two bytes */
#define SOTER_OAEP_SECRET_MAX_SIZE (1024 / 8 - SOTER_OAEP_OVERHEAD) /* what every key can take */

/* Wraps a secret of at most SOTER_OAEP_SECRET_MAX_SIZE bytes; `wrapped` has as many bytes as the
 * modulus of the public key. */
SOTER_MUST_USE soter_status soter_oaep_wrap(const soter_key *public_key,
                                            const uint8_t *secret,
                                            size_t secret_len,
                                            uint8_t *wrapped,
                                            size_t wrapped_len);

/* Unwraps a secret of this very length. What does not unwrap to that gives a random secret and
 * SUCCESS, so that nobody learns more than that a later authentication failed. */
SOTER_MUST_USE soter_status soter_oaep_unwrap(const soter_key *private_key,
                                              const uint8_t *wrapped,
                                              size_t wrapped_len,
                                              uint8_t *secret,
                                              size_t secret_len);

#endif

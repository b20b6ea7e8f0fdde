/* SPDX-License-Identifier: Apache-2.0 */
/* What is drawn here is a generator's output XOR fresh bits (entropy.h): as strong as the better of
 * the two, and never drawn again in another copy of this process, be it a forked child or one of
 * two that were restored from one snapshot. */
#ifndef SOTER_RAND_H
#define SOTER_RAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"

/* Random bytes that others may see: nonces, salts. */
SOTER_MUST_USE soter_status soter_rand_public(uint8_t *out, size_t out_len);

/* Random bytes that stay secret: keys, scalars. From a generator of its own. */
SOTER_MUST_USE soter_status soter_rand_secret(uint8_t *out, size_t out_len);

/* For callers that must not wait until a fork is over, because they hold something that others
 * want.
 *
 * The first draws ahead, so that soter_rand_public of so many bytes (32 at most) does not wait;
 * whether that is so. The second is soter_rand_secret, or sets *would_wait and does nothing. */
SOTER_MUST_USE bool soter_rand_public_ready(size_t out_len);
SOTER_MUST_USE soter_status soter_rand_secret_at_once(uint8_t *out,
                                                      size_t out_len,
                                                      bool *would_wait);

/* Before OpenSSL draws by itself what leaves it: 256 fresh bits go into the state of this thread's
 * generator for what others may see (salts, seeds of padding), or for what stays secret (nonces of
 * ECDSA, primes). Numbers that only blind an operation may come twice. */
SOTER_MUST_USE soter_status soter_rand_renew_public(void);
SOTER_MUST_USE soter_status soter_rand_renew_secret(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_RAND_H
#define SOTER_RAND_H

#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"

/* Random bytes that others may see: nonces, salts. Threads, and parent and child of a fork, draw
 * different ones. */
SOTER_MUST_USE soter_status soter_rand_public(uint8_t *out, size_t out_len);

/* Random bytes that stay secret: keys, scalars. From a generator of its own. */
SOTER_MUST_USE soter_status soter_rand_secret(uint8_t *out, size_t out_len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_RAND_H
#define SOTER_RAND_H

#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"

/* Before OpenSSL draws by itself what must differ in a child: this thread's generators are seeded
 * from the system if this process has not done that since it was forked. */
SOTER_MUST_USE soter_status soter_rand_renew(void);

/* Random bytes that others may see: nonces, salts. Threads, and parent and child of a fork, draw
 * different ones. */
SOTER_MUST_USE soter_status soter_rand_public(uint8_t *out, size_t out_len);

/* Random bytes that stay secret: keys, scalars. From a generator of its own. */
SOTER_MUST_USE soter_status soter_rand_secret(uint8_t *out, size_t out_len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_CTR_H
#define SOTER_CTR_H

#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"

#define SOTER_CTR_BLOCK_SIZE 16

/* AES-256-CTR; one message after another, from one thread at a time. */
typedef struct soter_ctr soter_ctr;

SOTER_MUST_USE soter_status soter_ctr_new(soter_ctr **out);
void soter_ctr_free(soter_ctr *ctr); /* wipes the key */

/* Either direction over data_len bytes. `key` has 32 bytes; NULL means the key of the message
 * before, INVALID_PARAMETER that there is none. `counter` is the whole first counter block (128
 * bits, counted up big-endian), of whose key stream the first `skip` bytes, fewer than a block, are
 * not used. */
SOTER_MUST_USE soter_status soter_ctr_crypt(soter_ctr *ctr,
                                            const uint8_t *key,
                                            const uint8_t counter[SOTER_CTR_BLOCK_SIZE],
                                            size_t skip,
                                            const uint8_t *data,
                                            size_t data_len,
                                            uint8_t *out);

#endif

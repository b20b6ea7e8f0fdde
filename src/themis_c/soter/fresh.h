/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_FRESH_H
#define SOTER_FRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/compiler.h"

/* Once, before soter_fresh: looks whether the processor has a generator. */
void soter_fresh_init(void);

/* Random bytes of which nothing is in the memory of this process: a copy of it (a fork, a restored
 * snapshot) that asks again gets others. From the processor, or from the kernel where the processor
 * has no generator or one that does not work. */
SOTER_MUST_USE bool soter_fresh(uint8_t *out, size_t out_len);

#endif

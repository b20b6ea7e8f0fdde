/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_ENTROPY_H
#define SOTER_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/compiler.h"

/* Once, before soter_entropy: looks whether the processor has a generator. */
void soter_entropy_init(void);

/* Random bytes of which nothing is in the memory of this process: a copy of it (a fork, a restored
 * snapshot) that asks again gets others. From the processor, or from the kernel where the processor
 * has no generator or one that does not work. */
SOTER_MUST_USE bool soter_entropy(uint8_t *out, size_t out_len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator of these programs, which libcrypto and libsodium use as well: it counts, fails on
 * demand, and keeps what is given back to be looked at. */
#ifndef TESTS_MEMORY_H
#define TESTS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that are allocated now. */
size_t memory_live(void);

/* From here on the n-th allocation fails; with `for_good` also all that follow. 0: only count. */
void memory_arm(long n, bool for_good);

/* Allocations work again. The number of them since the arming. */
long memory_disarm(void);

/* From here on freed blocks are kept as they were left, at most so many bytes of them. */
void memory_keep(size_t most);

typedef void memory_visitor(const void *block, size_t size);

/* Shows every block that was kept, and lets them go. */
void memory_release(memory_visitor *visitor);

/* Shows every block that is allocated now. */
void memory_visit(memory_visitor *visitor);

#endif

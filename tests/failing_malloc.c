/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded by test_cell_faults.py: lets the n-th allocation fail that comes from given code. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

enum { MAX_RANGES = 64 };
static struct {
    uintptr_t start;
    uintptr_t end;
} ranges[MAX_RANGES];
static int ranges_count;
static long countdown; /* 0: not armed */

void fault_watch(uintptr_t start, uintptr_t end);
void fault_watch(uintptr_t start, uintptr_t end)
{
    if (ranges_count < MAX_RANGES) {
        ranges[ranges_count].start = start;
        ranges[ranges_count++].end = end;
    }
}

void fault_arm(long n);
void fault_arm(long n)
{
    countdown = n;
}

/* Whether an allocation failed since the arming. */
int fault_disarm(void);
int fault_disarm(void)
{
    int fired = countdown <= 0;
    countdown = 0;
    return fired;
}

static int fails(void *caller)
{
    if (countdown <= 0) {
        return 0;
    }
    for (int i = 0; i < ranges_count; i++) {
        if ((uintptr_t)caller >= ranges[i].start && (uintptr_t)caller < ranges[i].end) {
            if (--countdown == 0) {
                countdown = -1; /* once only */
                return 1;
            }
            return 0;
        }
    }
    return 0;
}

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(block, size);
}

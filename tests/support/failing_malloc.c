/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded by test_faults.py: lets the n-th allocation fail that comes from given code, and
 * counts the blocks of that code that were not freed yet. */
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

/* The blocks: a table with open addresses, far larger than what is ever alive. Who frees a block
 * does not tell whose it is: with tail calls that may be the interpreter. */
enum { SLOTS = 1 << 20 };
static void *blocks[SLOTS];
static long blocks_count;

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

long fault_blocks(void);
long fault_blocks(void)
{
    return blocks_count;
}

static size_t home_of(void *block)
{
    return (size_t)(((uint64_t)(uintptr_t)block >> 4) * 0x9E3779B97F4A7C15u >> 44); /* 20 bits */
}

/* Where a block is in the table, or the empty slot where it would be. */
static size_t slot_of(void *block)
{
    size_t at = home_of(block);
    while (blocks[at] != NULL && blocks[at] != block) {
        at = (at + 1) % SLOTS;
    }
    return at;
}

static void *remember(void *block)
{
    if (block != NULL && blocks_count < SLOTS / 2) {
        blocks[slot_of(block)] = block;
        blocks_count++;
    }
    return block;
}

/* Forget a block, and whether it was there; those behind it move up if that brings them closer. */
static int forget(void *block)
{
    size_t hole = slot_of(block);
    if (block == NULL || blocks[hole] == NULL) {
        return 0;
    }
    for (size_t at = (hole + 1) % SLOTS; blocks[at] != NULL; at = (at + 1) % SLOTS) {
        if ((at - home_of(blocks[at])) % SLOTS >= (at - hole) % SLOTS) {
            blocks[hole] = blocks[at];
            hole = at;
        }
    }
    blocks[hole] = NULL;
    blocks_count--;
    return 1;
}

static int watched(void *caller)
{
    for (int i = 0; i < ranges_count; i++) {
        if ((uintptr_t)caller >= ranges[i].start && (uintptr_t)caller < ranges[i].end) {
            return 1;
        }
    }
    return 0;
}

static int fails(void)
{
    if (countdown > 0 && --countdown == 0) {
        countdown = -1; /* once only */
        return 1;
    }
    return 0;
}

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);

void *malloc(size_t size)
{
    if (!watched(__builtin_return_address(0))) {
        return __libc_malloc(size);
    }
    return fails() ? NULL : remember(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    if (!watched(__builtin_return_address(0))) {
        return __libc_calloc(count, size);
    }
    return fails() ? NULL : remember(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    if (!watched(__builtin_return_address(0))) {
        return __libc_realloc(old, size);
    }
    if (fails()) {
        return NULL;
    }
    void *block = __libc_realloc(old, size);
    if (block != NULL) {
        forget(old);
        remember(block);
    }
    return block;
}

void free(void *block)
{
    forget(block);
    __libc_free(block);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded by held.py: counts the bytes that malloc gave to the process and did not get back, and
 * the most of them at one moment. A block that is resized counts twice for that moment, and one
 * that is refused as what was asked: neither depends on what is free. */
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static _Atomic int64_t held;
static _Atomic int64_t most;

void held_begin(void);
void held_begin(void)
{
    held = 0;
    most = 0;
}

int64_t held_most(void);
int64_t held_most(void)
{
    return most;
}

static void *took(void *block, size_t asked)
{
    const size_t more = block != NULL ? malloc_usable_size(block) : asked;
    const int64_t bytes = more < INT64_MAX / 2 ? (int64_t)more : INT64_MAX / 2;
    const int64_t now = atomic_fetch_add(&held, bytes) + bytes;
    int64_t before = most;
    while (now > before && !atomic_compare_exchange_weak(&most, &before, now)) {
    }
    if (block == NULL) {
        held -= bytes;
    }
    return block;
}

static size_t product(size_t count, size_t size)
{
    return size != 0 && count > SIZE_MAX / size ? SIZE_MAX : count * size;
}

void *malloc(size_t size)
{
    return took(__libc_malloc(size), size);
}

void *calloc(size_t count, size_t size)
{
    return took(__libc_calloc(count, size), product(count, size));
}

void *realloc(void *old, size_t size)
{
    const int64_t before = (int64_t)malloc_usable_size(old);
    void *block = took(__libc_realloc(old, size), size);
    held -= block != NULL || size == 0 ? before : 0; /* of no size: freed */
    return block;
}

void free(void *block)
{
    held -= (int64_t)malloc_usable_size(block);
    __libc_free(block);
}

void *memalign(size_t alignment, size_t size)
{
    return took(__libc_memalign(alignment, size), size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *block = memalign(alignment, size);
    *out = block != NULL ? block : *out;
    return block != NULL ? 0 : 12 /* ENOMEM */;
}

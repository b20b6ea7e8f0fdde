/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

/* The GNU C library's own, beneath the names that are replaced here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

#define DIRT 0xD1 /* what new blocks are filled with */
#define MAGIC UINT64_C(0x5449424C4F434B21)

/* Stands before every block. */
struct header {
    struct header *next;
    struct header *previous;
    size_t size;
    uint64_t magic; /* at the end, next to what runs over */
};

static struct header all = {&all, &all, 0, 0};
static struct header kept = {&kept, &kept, 0, 0};
static size_t room_to_keep;
static size_t live;
static long countdown; /* 0: nothing fails */
static long counted;
static bool fails_for_good;
static bool armed;
static bool exhausted;

size_t memory_live(void)
{
    return live;
}

void memory_arm(long n, bool for_good)
{
    countdown = n;
    counted = 0;
    fails_for_good = for_good;
    exhausted = false;
    armed = true;
}

long memory_disarm(void)
{
    armed = false;
    return counted;
}

static void unlink_block(struct header *header)
{
    header->previous->next = header->next;
    header->next->previous = header->previous;
}

static void link_block(struct header *header, struct header *list)
{
    header->next = list->next;
    header->previous = list;
    list->next->previous = header;
    list->next = header;
}

void memory_keep(size_t most)
{
    room_to_keep = most;
}

void memory_release(memory_visitor *visitor)
{
    room_to_keep = 0;
    while (kept.next != &kept) {
        struct header *header = kept.next;
        visitor(header + 1, header->size);
        unlink_block(header);
        __libc_free(header);
    }
}

void memory_visit(memory_visitor *visitor)
{
    for (const struct header *at = all.next; at != &all; at = at->next) {
        visitor(at + 1, at->size);
    }
}

static bool fails(void)
{
    if (!armed) {
        return false;
    }
    counted++;
    if (exhausted) {
        return fails_for_good;
    }
    exhausted = counted == countdown;
    return exhausted;
}

static void *make(size_t size)
{
    struct header *header;
    if (size > SIZE_MAX - sizeof *header || fails()) {
        return NULL;
    }
    header = __libc_malloc(sizeof *header + size);
    if (header == NULL) {
        return NULL;
    }
    header->size = size;
    header->magic = MAGIC;
    link_block(header, &all);
    live += size;
    memset(header + 1, DIRT, size); /* not what its last owner left */
    return header + 1;
}

static struct header *header_of(void *block)
{
    struct header *header = (struct header *)block - 1;
    if (header->magic != MAGIC) {
        abort(); /* freed twice, or not from here */
    }
    return header;
}

void *malloc(size_t size)
{
    return make(size);
}

void free(void *block)
{
    struct header *header;
    if (block == NULL) {
        return;
    }
    header = header_of(block);
    unlink_block(header);
    header->magic = 0;
    live -= header->size;
    if (header->size <= room_to_keep) {
        room_to_keep -= header->size;
        link_block(header, &kept);
    } else {
        __libc_free(header);
    }
}

void *calloc(size_t count, size_t size)
{
    void *block;
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    block = make(count * size);
    if (block != NULL) {
        memset(block, 0, count * size);
    }
    return block;
}

/* Always moves: what stays behind is kept, or not, as what is freed. */
void *realloc(void *block, size_t size)
{
    void *moved = make(size);
    if (moved != NULL && block != NULL) {
        const size_t old = header_of(block)->size;
        memcpy(moved, block, old < size ? old : size);
        free(block);
    }
    return moved;
}

static void *make_aligned(size_t alignment, size_t size)
{
    (void)alignment;
    return alignment <= sizeof(struct header) / 2 ? make(size) : NULL;
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = make_aligned(alignment, size);
    return *out != NULL ? 0 : 12 /* ENOMEM */;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return make_aligned(alignment, size);
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size)
{
    return make_aligned(alignment, size);
}

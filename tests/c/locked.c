/* SPDX-License-Identifier: Apache-2.0 */
/* Locked memory alone, as a wheel has it. First, a small limit: locked blocks are used again before
 * others. Then four threads take, resize and free blocks of every size, through libcrypto and
 * directly. A block keeps its content, and a new one is all zeros. Last, a wait has an end. */
#define SOTER_PRIVATE_LIBCRYPTO 1

#include "soter/locked.c" /* whose mutex one test keeps */

#include <stdio.h>

#define THREADS 4
#define BLOCKS 200
#define STEPS 100000
#define LONGEST 10000
#define MAY_LOCK 131072 /* bytes: half of the limit */
#define BLOCK 64
#define BURST 10000

struct held {
    uint8_t *bytes;
    size_t len;
    uint8_t fill;
};

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "locked: %s\n", what);
        abort();
    }
}

static bool is_all(const uint8_t *bytes, size_t len, uint8_t value)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != value) {
            return false;
        }
    }
    return true;
}

static void hold(struct held *held, uint32_t drawn, size_t len)
{
    if (drawn % 2 == 0) {
        held->bytes = soter_locked_new(len);
        must(held->bytes != NULL && is_all(held->bytes, len, 0), "a new block is all zeros");
    } else {
        held->bytes = OPENSSL_malloc(len);
        must(held->bytes != NULL, "there is memory");
        must(len > LARGEST || is_all(held->bytes, len, 0), "what was freed before is wiped");
    }
    held->len = len;
    held->fill = (uint8_t)(drawn >> 8);
    memset(held->bytes, held->fill, len);
}

static void hold_other(struct held *held, size_t len)
{
    const size_t kept = len < held->len ? len : held->len;
    held->bytes = OPENSSL_realloc(held->bytes, len);
    must(held->bytes != NULL && is_all(held->bytes, kept, held->fill), "a resized block is kept");
    memset(held->bytes, held->fill, len);
    held->len = len;
}

static void *work(void *seed)
{
    static const size_t scale[] = {1, 100, 1000, LONGEST};
    struct held all[BLOCKS] = {{NULL, 0, 0}};
    uint32_t drawn = (uint32_t)(uintptr_t)seed;
    for (int i = 0; i < STEPS; i++) {
        struct held *held = &all[(drawn = drawn * 1664525 + 1013904223) >> 8 & 127];
        const size_t len = 1 + (drawn >> 4) % scale[drawn >> 30];
        if (held->bytes == NULL) {
            hold(held, drawn >> 12, len);
            continue;
        }
        must(is_all(held->bytes, held->len, held->fill), "a block keeps its content");
        if ((drawn >> 20) % 2 == 0) {
            hold_other(held, len);
        } else {
            OPENSSL_free(held->bytes);
            held->bytes = NULL;
        }
    }
    for (int i = 0; i < BLOCKS; i++) {
        soter_locked_free(all[i].bytes, all[i].len);
    }
    return NULL;
}

/* KiB of memory of this process that it can write to. */
static long data_size(void)
{
    char line[200];
    long size = -1;
    FILE *status = fopen("/proc/self/status", "r");
    must(status != NULL, "there is /proc");
    while (fgets(line, sizeof line, status) != NULL) {
        (void)sscanf(line, "VmData: %ld", &size);
    }
    fclose(status);
    must(size >= 0, "Linux states the size of the data");
    return size;
}

static void begin_with_a_small_limit(void)
{
    const struct rlimit limit = {MAY_LOCK * 2, MAY_LOCK * 2};
    long before;
    must(setrlimit(RLIMIT_MEMLOCK, &limit) == 0, "the limit can be lowered");
    soter_locked_init();
    before = data_size();
    soter_locked_begin();
    must(data_size() - before < 1024, "what is reserved is no memory yet");
}

/* Blocks are handed out in the order of their addresses, so those at the front are locked. */
static void reuse_locked_blocks_first(void)
{
    static uint8_t *blocks[BURST];
    for (int i = 0; i < BURST; i++) {
        blocks[i] = soter_locked_new(BLOCK);
        must(blocks[i] != NULL, "there is memory");
    }
    must(blocks[BURST - 1] - blocks[0] > MAY_LOCK, "more is taken than can be locked");
    for (int i = 0; i < BURST; i++) {
        soter_locked_free(blocks[i], BLOCK);
    }
    for (int i = 0; i < MAY_LOCK / BLOCK; i++) {
        uint8_t *block = soter_locked_new(BLOCK);
        must(block >= blocks[0] && block - blocks[0] < MAY_LOCK, "locked blocks are used first");
        blocks[BURST - 1 - i] = block;
    }
    for (int i = 0; i < MAY_LOCK / BLOCK; i++) {
        soter_locked_free(blocks[BURST - 1 - i], BLOCK);
    }
}

static void end_a_wait_for_the_mutex(void)
{
    uint8_t *block;
    must(pthread_mutex_lock(&mutex) == 0, "the mutex is free");
    block = soter_locked_new(BLOCK);
    must(block != NULL && !is_here(block), "it is ordinary memory where others keep the mutex");
    must(pthread_mutex_unlock(&mutex) == 0, "the mutex is ours");
    soter_locked_free(block, BLOCK);
}

int main(void)
{
    pthread_t threads[THREADS];
    begin_with_a_small_limit();
    reuse_locked_blocks_first();
    for (uintptr_t i = 0; i < THREADS; i++) {
        must(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0, "a thread starts");
    }
    for (int i = 0; i < THREADS; i++) {
        must(pthread_join(threads[i], NULL) == 0, "a thread ends");
    }
    end_a_wait_for_the_mutex();
    puts("fine");
    return 0;
}

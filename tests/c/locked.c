/* SPDX-License-Identifier: Apache-2.0 */
/* Locked memory alone, as a wheel has it: four threads take, resize and free blocks of every size,
 * through libcrypto and directly. A block keeps its content, and a new one is all zeros. */
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "soter/locked.h"

#define THREADS 4
#define BLOCKS 200
#define STEPS 100000
#define LARGEST 8192 /* of the region; the others are of malloc */
#define LONGEST 10000

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

static void take(struct held *held, uint32_t drawn, size_t len)
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

static void resize(struct held *held, size_t len)
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
            take(held, drawn >> 12, len);
            continue;
        }
        must(is_all(held->bytes, held->len, held->fill), "a block keeps its content");
        if ((drawn >> 20) % 2 == 0) {
            resize(held, len);
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

int main(void)
{
    pthread_t threads[THREADS];
    soter_locked_init();
    soter_locked_begin();
    for (uintptr_t i = 0; i < THREADS; i++) {
        must(pthread_create(&threads[i], NULL, work, (void *)(i + 1)) == 0, "a thread starts");
    }
    for (int i = 0; i < THREADS; i++) {
        must(pthread_join(threads[i], NULL) == 0, "a thread ends");
    }
    puts("fine");
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread that has used the core leaves in libcrypto when it ends. Leaves with 1 if it is
 * anything: a server that starts a thread for each caller would grow, and keep the seeds of random
 * generators.
 *
 *   thread_end control
 *
 * leaves something, on purpose. Exits with 1 if the tests do not notice. */
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "themis.h"

enum { WARM_UP = 2, THREADS = 20 };

static atomic_int blocks; /* of libcrypto, not given back yet */
static bool is_control;

static void *counted_malloc(size_t size, const char *file, int line)
{
    void *block = malloc(size);
    (void)file;
    (void)line;
    atomic_fetch_add(&blocks, block != NULL);
    return block;
}

static void counted_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    atomic_fetch_sub(&blocks, block != NULL);
    free(block);
}

static void *counted_realloc(void *block, size_t size, const char *file, int line)
{
    void *moved;
    if (size == 0) {
        counted_free(block, file, line);
        return NULL;
    }
    moved = realloc(block, size);
    atomic_fetch_add(&blocks, block == NULL && moved != NULL);
    return moved;
}

static void must(int status)
{
    if (status != THEMIS_SUCCESS) {
        fprintf(stderr, "thread_end: status %d of what must not fail\n", status);
        exit(2);
    }
}

/* Both random generators, and an error. */
static void *be_thread(void *unused)
{
    static const uint8_t text[] = "a text";
    uint8_t key[THEMIS_SYMMETRIC_KEY_SIZE];
    uint8_t sealed[sizeof text + THEMIS_CELL_TOKEN_SIZE];
    uint8_t opened[sizeof text];
    themis_cell *cell = NULL;
    must(themis_symmetric_key(key));
    must(themis_cell_new(key, sizeof key, 0, &cell));
    must(themis_cell_seal(cell,
                          text,
                          sizeof text,
                          NULL,
                          0,
                          sealed,
                          sizeof text + THEMIS_CELL_TOKEN_SIZE));
    must(themis_cell_unseal(cell,
                            sealed,
                            sizeof sealed,
                            NULL,
                            0,
                            opened,
                            sizeof sealed - THEMIS_CELL_TOKEN_SIZE));
    if (themis_cell_unseal(cell,
                           sealed,
                           sizeof sealed,
                           text,
                           1,
                           opened,
                           sizeof sealed - THEMIS_CELL_TOKEN_SIZE) == THEMIS_SUCCESS) {
        exit(2);
    }
    themis_cell_free(cell);
    return is_control ? OPENSSL_malloc(1) : unused;
}

static void run(int threads)
{
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        void *result;
        if (pthread_create(&thread, NULL, be_thread, NULL) != 0 ||
            pthread_join(thread, &result) != 0) {
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    int before;
    int left;
    is_control = argc > 1 && strcmp(argv[1], "control") == 0;
    if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1) {
        exit(2);
    }
    must(themis_init());
    run(WARM_UP);
    before = atomic_load(&blocks);
    run(THREADS);
    left = atomic_load(&blocks) - before;
    printf("%d threads left %d blocks\n", THREADS, left);
    return (left != 0) != is_control || before <= 0;
}

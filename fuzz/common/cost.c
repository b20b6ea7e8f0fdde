/* SPDX-License-Identifier: Apache-2.0 */
/* Slow is a bug: each input has a limit of time and of memory, in proportion to its length. The
 * targets are compiled under another name (fuzz_target), and run from here.
 *
 * Time is that of the processor, and an input has three tries: another program on the machine, or a
 * key that is made at the first call, is no fault. Memory is the most that is held at one moment
 * beyond what was held before. FUZZ_BASE_MS and FUZZ_BASE_KIB are what an input may cost whatever
 * its length: signatures and key derivation. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/fuzz.h"

#ifndef FUZZ_BASE_MS
#define FUZZ_BASE_MS 1500
#endif
#define BYTE_US 20 /* per byte of input; honest code takes less than 2, with all sanitizers */
#ifndef FUZZ_BASE_KIB
#define FUZZ_BASE_KIB 2048
#endif
#define BYTE_MEMORY 64
#define TRIES 3

int fuzz_target(const uint8_t *data, size_t size);
/* Of the sanitizers' run time; absent where there is none. */
__attribute__((weak)) int
__sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void *, size_t),
                                          void (*free_hook)(const volatile void *));
__attribute__((weak)) size_t __sanitizer_get_allocated_size(const volatile void *data);

static long long held;
static long long most;
static long long slowest_us;
static long long largest;

static void took(const volatile void *data, size_t size)
{
    (void)data;
    held += (long long)size;
    most = held > most ? held : most;
}

static void gave(const volatile void *data)
{
    if (data != NULL) {
        held -= (long long)__sanitizer_get_allocated_size(data);
    }
}

static void tell(void)
{
    fprintf(stderr, "cost: slowest %lld us, largest %lld bytes\n", slowest_us, largest);
}

static long long now_us(void)
{
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (long long)at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (__sanitizer_install_malloc_and_free_hooks != NULL) {
        (void)__sanitizer_install_malloc_and_free_hooks(took, gave);
    }
    (void)atexit(tell);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const long long time_limit = FUZZ_BASE_MS * 1000LL + (long long)size * BYTE_US;
    const long long memory_limit = FUZZ_BASE_KIB * 1024LL + (long long)size * BYTE_MEMORY;
    long long spent = 0;
    int result = 0;
    for (int tries = 0; tries == 0 || (tries < TRIES && spent > time_limit); tries++) {
        const long long start = now_us();
        held = 0;
        most = 0;
        result = fuzz_target(data, size);
        spent = now_us() - start;
        largest = most > largest ? most : largest;
        if (most > memory_limit) {
            fuzz_broken("memory is in proportion to the input", __FILE__, __LINE__);
        }
    }
    slowest_us = spent > slowest_us ? spent : slowest_us;
    if (spent > time_limit) {
        fuzz_broken("time is in proportion to the input", __FILE__, __LINE__);
    }
    return result;
}

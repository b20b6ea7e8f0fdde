/* SPDX-License-Identifier: Apache-2.0 */
/* One region of addresses, reserved at once, so that an address tells whose a block is. It is
 * divided into slabs, each for blocks of one size. A slab becomes memory, locked if possible, when
 * its first block is taken: until then no limit counts it, and mlockall() by the program fills
 * nothing. A free block is all zeros, but for the address of the next one. */
#define _DEFAULT_SOURCE

#include "soter/locked.h"

#include <stdlib.h>

#include "soter/wipe.h"

#if !defined(SOTER_PRIVATE_LIBCRYPTO) || !defined(__linux__)

void soter_locked_init(void)
{
}

void soter_locked_begin(void)
{
}

void *soter_locked_new(size_t len)
{
    return calloc(1, len);
}

void soter_locked_free(void *data, size_t len)
{
    soter_wipe_free(data, len);
}

#else

#include <openssl/crypto.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define REGION_SIZE ((size_t)64 << 20) /* of addresses; memory is used as blocks are taken */
#define SLAB_SIZE ((size_t)16384)
#define SLABS (REGION_SIZE / SLAB_SIZE)
#define CLASSES 9 /* blocks of 32, 64, ... 8192 bytes; larger ones are ordinary memory */
#define SMALLEST ((size_t)32)
#define LARGEST (SMALLEST << (CLASSES - 1))
#define LOCK_TRIES 10000 /* some milliseconds, where each is the only thread that can run */

struct block {
    struct block *next;
};

static bool waits_for_forks;
static uint8_t *region; /* NULL: everything is ordinary memory */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint forks; /* that are under way: the mutex is theirs, or will be */
static struct block *_Atomic returned[CLASSES][2]; /* as in `idle`, where they go next */
/* Under the mutex: */
static size_t slabs_used;
static size_t may_lock;                /* bytes */
static struct block *idle[CLASSES][2]; /* of slabs that are not locked, and of those that are */
static uint8_t *fresh[CLASSES];        /* the rest of the newest slab, which was never taken */
static size_t fresh_len[CLASSES];
static uint8_t class_of[SLABS]; /* constant once a slab is used, as is the next */
static bool is_locked[SLABS];

static unsigned class_for(size_t len)
{
    unsigned class = 0;
    while (SMALLEST << class < len) {
        class++;
    }
    return class;
}

static bool is_here(const void *data)
{
    return region != NULL && (uintptr_t)data - (uintptr_t)region < REGION_SIZE;
}

static size_t slab_at(const void *data)
{
    return ((uintptr_t)data - (uintptr_t)region) / SLAB_SIZE;
}

static bool has_slab(unsigned class)
{
    const size_t begin = slabs_used * SLAB_SIZE;
    uint8_t *slab = region + begin;
    /* From the start of the region, as a page may be larger than a slab. */
    if (slabs_used == SLABS || mprotect(region, begin + SLAB_SIZE, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    if (may_lock >= SLAB_SIZE && mlock(slab, SLAB_SIZE) == 0) {
        may_lock -= SLAB_SIZE;
        is_locked[slabs_used] = true;
    }
    class_of[slabs_used++] = (uint8_t)class;
    fresh[class] = slab;
    fresh_len[class] = SLAB_SIZE;
    return true;
}

/* Takes the mutex; false where a fork has it. A caller with the lock of an interpreter must not
 * wait for a fork, which may have to wait for that lock. It does not wait for ever either: a thread
 * of a real-time priority can keep the one that has the mutex from running. */
static bool has_mutex(void)
{
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        if (pthread_mutex_trylock(&mutex) == 0) {
            return true;
        }
        if (atomic_load(&forks) != 0) {
            return false;
        }
        sched_yield();
    }
    return false;
}

/* A block of zeros; NULL if there is no room, during a fork, or where others keep the mutex. */
static void *take(size_t len)
{
    const unsigned class = class_for(len);
    const size_t size = SMALLEST << class;
    struct block *taken = NULL;
    struct block **first;
    if (!has_mutex()) {
        return NULL;
    }
    for (size_t i = 0; i < 2; i++) {
        if (idle[class][i] == NULL) {
            idle[class][i] = atomic_exchange(&returned[class][i], NULL);
        }
    }
    first = &idle[class][idle[class][true] != NULL]; /* locked ones, as long as there are any */
    if (*first != NULL) {
        taken = *first;
        *first = taken->next;
        taken->next = NULL;
    } else if (fresh_len[class] != 0 || has_slab(class)) {
        taken = (struct block *)fresh[class];
        fresh[class] += size;
        fresh_len[class] -= size;
    }
    pthread_mutex_unlock(&mutex);
    return taken;
}

static void put(void *data)
{
    const size_t slab = slab_at(data);
    struct block *_Atomic *first = &returned[class_of[slab]][is_locked[slab]];
    struct block *block = data;
    memset(data, 0, SMALLEST << class_of[slab]); /* reachable, so no compiler leaves this out */
    block->next = atomic_load(first);
    while (!atomic_compare_exchange_weak(first, &block->next, block)) {
    }
}

static void *take_or_malloc(size_t len, const char *file, int line)
{
    void *taken = NULL;
    (void)file;
    (void)line;
    if (region != NULL && len != 0 && len <= LARGEST) {
        taken = take(len);
    }
    return taken != NULL ? taken : malloc(len);
}

static void put_or_free(void *data, const char *file, int line)
{
    (void)file;
    (void)line;
    if (is_here(data)) {
        put(data);
    } else {
        free(data);
    }
}

static void *resize(void *data, size_t len, const char *file, int line)
{
    size_t size;
    void *larger;
    if (!is_here(data)) {
        return data != NULL ? realloc(data, len) : take_or_malloc(len, file, line);
    }
    size = SMALLEST << class_of[slab_at(data)];
    if (len != 0 && len <= size) {
        return data;
    }
    larger = len != 0 ? take_or_malloc(len, file, line) : NULL;
    if (larger != NULL) {
        memcpy(larger, data, size);
    }
    if (larger != NULL || len == 0) {
        put(data);
    }
    return larger;
}

static void fork_begins(void)
{
    atomic_fetch_add(&forks, 1);
    pthread_mutex_lock(&mutex);
}

static void fork_ended(void)
{
    pthread_mutex_unlock(&mutex);
    atomic_fetch_sub(&forks, 1);
}

static void fork_began_child(void)
{
    static const pthread_mutex_t new_mutex = PTHREAD_MUTEX_INITIALIZER;
    mutex = new_mutex;
    atomic_store(&forks, 0);
}

void soter_locked_init(void)
{
    /* Before those of fork.c, so that a fork comes here after the threads that it waits for there:
     * they may need a block. */
    waits_for_forks = pthread_atfork(fork_begins, fork_ended, fork_began_child) == 0;
    /* it refuses if libcrypto has memory already: then that stays as it is */
    (void)CRYPTO_set_mem_functions(take_or_malloc, resize, put_or_free);
}

/* Half of what this process may lock is left to others: guarded memory needs some for each key. */
void soter_locked_begin(void)
{
    struct rlimit limit;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *reserved;
    if (!waits_for_forks) {
        return;
    }
    reserved = mmap(NULL, REGION_SIZE, PROT_NONE, flags, -1, 0);
    if (reserved == MAP_FAILED) {
        return;
    }
    /* Either may be unknown to an old kernel. Huge pages would lock more than is used. */
    (void)madvise(reserved, REGION_SIZE, MADV_DONTDUMP);
    (void)madvise(reserved, REGION_SIZE, MADV_NOHUGEPAGE);
    if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
        may_lock = limit.rlim_cur < REGION_SIZE * 2 ? (size_t)limit.rlim_cur / 2 : REGION_SIZE;
    }
    region = reserved;
}

void *soter_locked_new(size_t len)
{
    void *data = take_or_malloc(len, NULL, 0);
    if (data != NULL) {
        memset(data, 0, len);
    }
    return data;
}

void soter_locked_free(void *data, size_t len)
{
    if (data != NULL) {
        soter_wipe(data, len);
        put_or_free(data, NULL, 0);
    }
}

#endif

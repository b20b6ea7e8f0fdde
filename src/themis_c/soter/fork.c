/* SPDX-License-Identifier: Apache-2.0 */
/* A fork is noticed by a page that the system fills with zeros in every child: also where a child
 * is made without the C library's knowledge, for which pthread_atfork would not do. It is held off
 * by a lock that pthread_atfork takes. */
#if defined(__linux__)
#define _GNU_SOURCE 1
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE 1
#endif

#include "soter/fork.h"

#include <stddef.h>

#if defined(_WIN32)

void soter_fork_init(void)
{
}

uint32_t soter_fork_generation(void)
{
    return 1; /* there is no fork */
}

void soter_fork_hold_off(void)
{
}

void soter_fork_let(void)
{
}

void soter_fork_await(void)
{
}

#else

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define MARK_SIZE 4096 /* at least; mmap rounds up, and a page is what is wiped */

/* qemu (7.2, user mode) thanks for any advice and follows none, so whoever thanks for one that does
 * not exist is not believed. */
#define NO_ADVICE (-1)

static _Atomic uint32_t *mark; /* in the page; 0 until a process takes its generation */
static _Atomic uint32_t generations;

/* Read by who holds a fork off, written by the fork. Both come to it through the gate, where a fork
 * that waits keeps new readers: by themselves they may pass it (musl), and work in many threads
 * would hold it off for ever. */
static pthread_rwlock_t forking = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void fork_begins(void)
{
    pthread_mutex_lock(&gate);
    pthread_rwlock_wrlock(&forking);
}

static void fork_ended(void)
{
    pthread_rwlock_unlock(&forking);
    pthread_mutex_unlock(&gate);
}

/* The child's only thread has another number than the one that took the locks, so it may not give
 * them back: it takes new ones. */
static void fork_began_child(void)
{
    static const pthread_rwlock_t fresh = PTHREAD_RWLOCK_INITIALIZER;
    static const pthread_mutex_t fresh_gate = PTHREAD_MUTEX_INITIALIZER;
    forking = fresh;
    gate = fresh_gate;
}

void soter_fork_hold_off(void)
{
    pthread_mutex_lock(&gate);
    pthread_rwlock_rdlock(&forking);
    pthread_mutex_unlock(&gate);
}

void soter_fork_let(void)
{
    pthread_rwlock_unlock(&forking);
}

void soter_fork_await(void)
{
    fork_begins();
    fork_ended();
}

static int wiped_on_fork(void *page)
{
#if defined(MADV_WIPEONFORK)
    return madvise(page, MARK_SIZE, NO_ADVICE) != 0 &&
           madvise(page, MARK_SIZE, MADV_WIPEONFORK) == 0;
#elif defined(INHERIT_ZERO)     /* FreeBSD */
    return minherit(page, MARK_SIZE, INHERIT_ZERO) == 0;
#elif defined(MAP_INHERIT_ZERO) /* OpenBSD, NetBSD */
    return minherit(page, MARK_SIZE, MAP_INHERIT_ZERO) == 0;
#else
    (void)page;
    return 0;
#endif
}

void soter_fork_init(void)
{
    void *page = mmap(NULL, MARK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    pthread_atfork(fork_begins, fork_ended, fork_began_child); /* if it fails, no fork waits */
    if (page == MAP_FAILED) {
        return;
    }
    if (!wiped_on_fork(page)) {
        munmap(page, MARK_SIZE);
        return;
    }
    mark = page;
}

uint32_t soter_fork_generation(void)
{
    uint32_t generation;
    if (mark == NULL) {
        return 0;
    }
    generation = atomic_load_explicit(mark, memory_order_acquire);
    if (generation == 0) {
        const uint32_t next = atomic_fetch_add(&generations, 1) + 1;
        if (atomic_compare_exchange_strong(mark, &generation, next)) {
            generation = next; /* or else it is what another thread just wrote */
        }
    }
    return generation;
}

#endif

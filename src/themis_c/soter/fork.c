/* SPDX-License-Identifier: Apache-2.0 */
/* A fork is noticed, and held off by a lock, in the handlers of pthread_atfork. A child that is
 * made without the C library (a raw clone) runs none of them, and is not noticed. */
#define _POSIX_C_SOURCE 200809L

#include "soter/fork.h"

#if defined(_WIN32)

void soter_fork_init(void)
{
}

uint32_t soter_fork_generation(void)
{
    return 0; /* there is no fork */
}

void soter_fork_hold_off(void)
{
}

bool soter_fork_try_hold_off(void)
{
    return true;
}

void soter_fork_allow(void)
{
}

void soter_fork_await(void)
{
}

#else

#include <pthread.h>

static uint32_t generation; /* written by a child while it has one thread */

/* A reader holds forks off; a fork is the writer. Both pass the gate first, where a waiting fork
 * stops new readers: without it readers may overtake a waiting writer (musl), and work in many
 * threads would hold a fork off for ever. */
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
    generation++;
}

void soter_fork_hold_off(void)
{
    pthread_mutex_lock(&gate);
    pthread_rwlock_rdlock(&forking);
    pthread_mutex_unlock(&gate);
}

bool soter_fork_try_hold_off(void)
{
    bool held;
    if (pthread_mutex_trylock(&gate) != 0) {
        return false;
    }
    held = pthread_rwlock_tryrdlock(&forking) == 0;
    pthread_mutex_unlock(&gate);
    return held;
}

void soter_fork_allow(void)
{
    pthread_rwlock_unlock(&forking);
}

void soter_fork_await(void)
{
    fork_begins();
    fork_ended();
}

void soter_fork_init(void)
{
    pthread_atfork(fork_begins, fork_ended, fork_began_child); /* if it fails, no fork waits */
}

uint32_t soter_fork_generation(void)
{
    return generation;
}

#endif

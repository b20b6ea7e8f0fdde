/* SPDX-License-Identifier: Apache-2.0 */
/* libcrypto keeps things for each thread: random generators with their seeds, errors. When a thread
 * ends it gives them back, under a lock.
 *
 * On Windows a libcrypto that is linked into our library is not told when a thread ends; we are.
 * Elsewhere libcrypto notices by itself, but a child that is forked just then finds the lock held
 * for ever. So we do it before, while forks wait. */
#include "soter/threads.h"

#include <openssl/crypto.h>

#include "soter/compiler.h"
#include "soter/fork.h"

#if defined(_WIN32)

void soter_threads_init(void)
{
}

void soter_threads_watch(void)
{
}

#if defined(SOTER_PRIVATE_LIBCRYPTO)

#include <windows.h>

BOOL WINAPI DllMain(HINSTANCE library, DWORD reason, LPVOID reserved);

BOOL WINAPI DllMain(HINSTANCE library, DWORD reason, LPVOID reserved)
{
    (void)library;
    (void)reserved;
    if (reason == DLL_THREAD_DETACH) {
        OPENSSL_thread_stop();
    }
    return TRUE;
}

#endif

#else

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static SOTER_THREAD_LOCAL bool watched;
static atomic_bool process_has_ended;

static void thread_ends(void *unused)
{
    (void)unused;
    soter_fork_hold_off();
    if (!atomic_load(&process_has_ended)) {
        OPENSSL_thread_stop();
    }
    soter_fork_allow();
}

/* A libcrypto that others started takes itself apart in exit(), and with it what other threads have
 * there, which may end just then. That comes after this: it was asked for earlier. */
static void process_ends(void)
{
    atomic_store(&process_has_ended, true);
    soter_fork_await();
}

#if defined(SOTER_AT_THREAD_END)

void soter_threads_init(void)
{
    atexit(process_ends);
}

void soter_threads_watch(void)
{
    if (!watched) {
        watched = SOTER_AT_THREAD_END(thread_ends);
    }
}

#else

/* Destructors run in the order in which their keys were made, on systems that document an order: so
 * this one is made before libcrypto makes its own, if we are the first to start it. */
static pthread_key_t key;
static bool has_key;

void soter_threads_init(void)
{
    has_key = pthread_key_create(&key, thread_ends) == 0;
    atexit(process_ends);
}

void soter_threads_watch(void)
{
    static const char something;
    if (!watched) {
        watched = has_key && pthread_setspecific(key, &something) == 0;
    }
}

#endif

#endif

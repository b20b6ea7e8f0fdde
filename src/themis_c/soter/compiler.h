/* SPDX-License-Identifier: Apache-2.0 */
/* The one place for what differs between compilers. */
#ifndef SOTER_COMPILER_H
#define SOTER_COMPILER_H

#if defined(__GNUC__) || defined(__clang__)
#define SOTER_MUST_USE __attribute__((warn_unused_result))
#elif defined(_MSC_VER)
#include <sal.h>
#define SOTER_MUST_USE _Check_return_
#else
#define SOTER_MUST_USE
#endif

#if defined(__GNUC__) || defined(__clang__)
#define SOTER_NOINLINE __attribute__((noinline))
#elif defined(_MSC_VER)
#define SOTER_NOINLINE __declspec(noinline)
#else
#define SOTER_NOINLINE
#endif

/* Puts a pointer in a place and gives what was there, in one step that all threads see alike. */
#if defined(__GNUC__) || defined(__clang__)
#define SOTER_EXCHANGE(place, pointer) __atomic_exchange_n((place), (pointer), __ATOMIC_ACQ_REL)
#elif defined(_MSC_VER)
#include <intrin.h>
#define SOTER_EXCHANGE(place, pointer) _InterlockedExchangePointer((place), (pointer))
#endif

/* Adds to a long, in one step that all threads see alike; gives the sum. */
#if defined(__GNUC__) || defined(__clang__)
#define SOTER_ADD(place, number) __atomic_add_fetch((place), (long)(number), __ATOMIC_ACQ_REL)
#elif defined(_MSC_VER)
#define SOTER_ADD(place, number) (_InterlockedExchangeAdd((place), (number)) + (number))
#endif

/* A variable that each thread has for itself. */
#if defined(_MSC_VER)
#define SOTER_THREAD_LOCAL __declspec(thread)
#else
#define SOTER_THREAD_LOCAL _Thread_local
#endif

/* Has a function(void *) called when this thread ends, before what pthread_key_create has; whether
 * it will be. The C++ run time has it from the C library. */
#if defined(__linux__) && defined(__GNUC__)
#include <stddef.h>
#include <stdint.h> /* tells, too, whether it is glibc */
#if defined(__GLIBC__)
extern int
__cxa_thread_atexit_impl(void (*function)(void *), void *argument, void *library); /* of glibc */
extern void *__dso_handle __attribute__((visibility("hidden")));                   /* of GCC */
#define SOTER_AT_THREAD_END(function)                                                              \
    (__cxa_thread_atexit_impl((function), NULL, &__dso_handle) == 0)
#endif
#endif

/* The instruction of x86-64 that takes eight bytes into a CRC-32C: a function that uses it says so,
 * and is called only if the machine has it. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(_MSC_VER)
#define SOTER_CRC32C_FUNCTION __attribute__((target("sse4.2")))
#define SOTER_CRC32C_PRESENT() (__builtin_cpu_supports("sse4.2") != 0)
#define SOTER_CRC32C_EIGHT(crc, bytes) ((uint32_t)__builtin_ia32_crc32di(crc, bytes))
#endif

/* The instruction of x86-64 that gives eight bytes of the processor's random generator; whether it
 * did. A function that uses it says so, and is called only if the machine has it. (A compiler's own
 * list of what machines have leaves it out, or costs more than the question.) */
#define SOTER_CPUID_RDRAND (1U << 30)
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <cpuid.h>
static inline int soter_rdrand_present(void)
{
    unsigned int a;
    unsigned int b;
    unsigned int c;
    unsigned int d;
    return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & SOTER_CPUID_RDRAND) != 0;
}
#define SOTER_RDRAND_FUNCTION __attribute__((target("rdrnd")))
#define SOTER_RDRAND_PRESENT() (soter_rdrand_present() != 0)
#define SOTER_RDRAND(word) (__builtin_ia32_rdrand64_step(word) == 1)
#elif defined(_MSC_VER) && defined(_M_X64)
#include <intrin.h>
static inline int soter_rdrand_present(void)
{
    int registers[4];
    __cpuid(registers, 1);
    return ((unsigned int)registers[2] & SOTER_CPUID_RDRAND) != 0;
}
#define SOTER_RDRAND_FUNCTION
#define SOTER_RDRAND_PRESENT() (soter_rdrand_present() != 0)
#define SOTER_RDRAND(word) (_rdrand64_step(word) == 1)
#endif

#endif

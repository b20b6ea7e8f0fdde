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

#endif

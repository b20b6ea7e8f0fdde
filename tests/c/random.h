/* SPDX-License-Identifier: Apache-2.0 */
/* The generator of random bytes beneath the core and beneath libcrypto: repeatable, able to fail,
 * and it remembers what it gave away as secret. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts anew: after the same seed the same requests are given the same bytes. */
void random_restart(uint64_t seed);

/* The n-th request from now on fails; with `for_good` also all that follow. 0: only count. */
void random_arm(long n, bool for_good);

/* The number of requests since the arming. */
long random_disarm(void);

/* What was given to callers who want it secret. */
struct random_gift {
    bool to_core; /* and not to libcrypto itself */
    uint8_t bytes[128];
    size_t len;
};

/* How many there are, and the i-th of them. */
size_t random_gifts(void);
const struct random_gift *random_gift(size_t i);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_FORK_H
#define SOTER_FORK_H

#include <stdbool.h>
#include <stdint.h>

#include "soter/status.h"

/* Once, before anything else here. */
void soter_fork_init(void);

/* A number that is another one in a forked child than in its parent. */
uint32_t soter_fork_generation(void);

/* Between these two, which do not nest, a fork by another thread waits: OpenSSL takes locks for
 * random bytes, and 3.0 for preparing keys, too; one that is held at that moment would be held in
 * the child for ever. Whatever makes OpenSSL take some belongs in between, except what takes too
 * long: generating RSA keys, and the passphrases of PKCS#8. A handler of a C signal that comes in
 * between must not fork. */
void soter_fork_hold_off(void);
void soter_fork_allow(void);

/* The first of the two, but where it would wait it does nothing; whether it did. */
SOTER_MUST_USE bool soter_fork_try_hold_off(void);

/* Waits, as a fork would, for every thread that holds forks off when this begins. */
void soter_fork_await(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_FORK_H
#define SOTER_FORK_H

#include <stdint.h>

/* Once, before soter_fork_generation. Where it finds no way to notice a fork, the generation stays
 * 0. */
void soter_fork_init(void);

/* A number that a process never shares with the process it was forked from, and that costs no
 * system call; 0 where nothing here notices a fork. */
uint32_t soter_fork_generation(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Locked memory: blocks for prepared keys, locked into memory and left out of core dumps, wiped
 * when they are freed. Where the system, its limits or the room here do not allow it, a block is
 * ordinary memory; that is no failure.
 *
 * It exists on Linux, with a libcrypto of our own, which takes its blocks from here as well: HMAC
 * states, AES schedules, the numbers of keys. A libcrypto that others share keeps its memory as it
 * is, and then all blocks are ordinary memory. */
#ifndef SOTER_LOCKED_H
#define SOTER_LOCKED_H

#include <stddef.h>

/* Once, before libcrypto has anything. */
void soter_locked_init(void);

/* Once: blocks are locked from here on. What libcrypto has until here are tables without a secret.
 */
void soter_locked_begin(void);

/* A block of zeros; NULL if there is no memory. */
void *soter_locked_new(size_t len);

/* Wipes and frees it. NULL is fine. */
void soter_locked_free(void *data, size_t len);

#endif

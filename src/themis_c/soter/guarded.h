/* SPDX-License-Identifier: Apache-2.0 */
/* Guarded memory: pages for one secret, between pages that nothing can read or write; locked into
 * memory and left out of core dumps, where the system does that; wiped when they are freed. A child
 * of a fork has a copy of them, also left out of dumps, but not locked. */
#ifndef SOTER_GUARDED_H
#define SOTER_GUARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"

/* `len` bytes, at least 1, to be filled. */
SOTER_MUST_USE soter_status soter_guarded_new(size_t len, uint8_t **out);

/* NULL is fine. */
void soter_guarded_free(uint8_t *data);

/* Fills them, and leaves nothing of it in registers. */
void soter_guarded_fill(uint8_t *out, const uint8_t *data, size_t len);

/* From here on they can only be read, and freed. */
SOTER_MUST_USE soter_status soter_guarded_protect(uint8_t *data);

/* Locks the pages, which is done already except in a child of a fork; whether they are locked. */
bool soter_guarded_lock(uint8_t *data, size_t len);

/* Reads once from a descriptor, at most `room` bytes; *got is 0 at its end. FAIL: errno says why.
 */
SOTER_MUST_USE soter_status soter_guarded_read(int fd, uint8_t *out, size_t room, size_t *got);

/* Copies a variable of the environment, at most `room` bytes; whether there is one. No other thread
 * may change the environment meanwhile, here and below. */
SOTER_MUST_USE bool
soter_guarded_copy_variable(const char *name, uint8_t *out, size_t room, size_t *len);

/* Wipes the value of a variable of the environment, where it is. */
void soter_guarded_wipe_variable(const char *name);

#endif

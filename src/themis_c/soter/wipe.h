/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_WIPE_H
#define SOTER_WIPE_H

#include <stddef.h>

/* Overwrites a secret; the compiler cannot leave it out. NULL with a length of 0 is fine. */
void soter_wipe(void *data, size_t len);

/* Wipes and frees what malloc gave. NULL is fine. */
void soter_wipe_free(void *data, size_t len);

/* Overwrites what calls made by its caller left on the stack: libraries beneath us keep scalars
 * there and do not wipe them. */
void soter_wipe_stack(void);

/* The same after a hash, which goes less deep: for functions that are called often. */
void soter_wipe_shallow_stack(void);

#endif

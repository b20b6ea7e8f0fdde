/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_THREADS_H
#define SOTER_THREADS_H

/* Once, before libcrypto is started. */
void soter_threads_init(void);

/* Has what this thread leaves in libcrypto given back when it ends. Calling again is fine, and so
 * is a system where that cannot be had: then libcrypto does it by itself. */
void soter_threads_watch(void);

#endif

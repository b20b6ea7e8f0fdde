/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_THREADS_H
#define SOTER_THREADS_H

/* Once, before libcrypto is started. */
void soter_threads_init(void);

/* Frees what this thread leaves in libcrypto when it ends. Calling again is fine. Where a system
 * has no hook for that, libcrypto does it by itself. */
void soter_threads_watch(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded by test_fork.py: a system that answers ANSWER to any advice, and follows none. */
#include <errno.h>
#include <stddef.h>

int advices; /* how often it was asked */

int madvise(void *start, size_t len, int advice);
int madvise(void *start, size_t len, int advice)
{
    (void)start;
    (void)len;
    (void)advice;
    advices++;
    errno = EINVAL;
    return ANSWER;
}

/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>
#include <string.h>

#include "known_answers.h"
#include "soter/rand.h"

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

enum { NONCE = 12, EACH = 50 };

/* The nonces of a process before it forks, its own after that, and those of its child. */
struct family {
    uint8_t before[EACH][NONCE];
    uint8_t parent[EACH][NONCE];
    uint8_t child[EACH][NONCE];
};

static bool draw(uint8_t nonces[EACH][NONCE])
{
    for (size_t i = 0; i < EACH; i++) {
        if (soter_rand_public(nonces[i], NONCE) != SOTER_SUCCESS) {
            return false;
        }
    }
    return true;
}

#if defined(_WIN32)

/* There is no fork: what would be the child's is drawn here as well. */
static bool family_draws(struct family *family)
{
    return draw(family->before) && draw(family->child) && draw(family->parent);
}

#else

static _Noreturn void be_child(int writing)
{
    uint8_t nonces[EACH][NONCE];
    const bool sent =
        draw(nonces) && write(writing, nonces, sizeof nonces) == (ssize_t)sizeof nonces;
    _exit(sent ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* What a child writes is less than a pipe takes at once. */
static bool family_draws(struct family *family)
{
    int ends[2];
    int status = 0;
    pid_t child = -1;
    ssize_t got = 0;
    if (!draw(family->before) || pipe(ends) != 0) {
        return false;
    }
    fflush(NULL);
    child = fork();
    if (child == 0) {
        be_child(ends[1]);
    }
    close(ends[1]);
    got = read(ends[0], family->child, sizeof family->child);
    close(ends[0]);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 &&
           got == (ssize_t)sizeof family->child && draw(family->parent);
}

#endif

static int compared(const void *one, const void *other)
{
    return memcmp(one, other, NONCE);
}

/* Field: how many nonces were drawn before, of 3 * EACH. */
bool check_forks(const struct line *line)
{
    struct family family = {0};
    const uint8_t *nonces = (const uint8_t *)&family;
    const size_t count = sizeof family / NONCE;
    uint64_t repeated = 0;
    bool is_right = true;
    DEMAND(family_draws(&family));
    qsort(&family, count, NONCE, compared);
    for (size_t i = 1; i < count; i++) {
        repeated += memcmp(nonces + (i - 1) * NONCE, nonces + i * NONCE, NONCE) == 0;
    }
    DEMAND(repeated == field_number(line->fields[0]));
out:
    return is_right;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation of the core again and again, each time with the next of its allocations, of its
 * requests for random bytes, of its calls into libcrypto and libsodium at fault.
 *
 *   faults LIMIT [NAME]
 *
 * LIMIT: of the places where a kind of fault can strike in one operation, so many are tried (the
 * first half of them, and then every so many); 0: all. NAME: only the operations with this in
 * their name. Leaves with 1 if anything was found.
 *
 *   faults control
 *
 * tries operations that are wrong on purpose. Leaves with 1 if one of them passes. */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "memory.h"
#include "operations.h"
#include "random.h"
#include "secrets.h"

#define MOST_OF_SLOW 40 /* of operations that allocate hundreds of thousands of times */

enum family {
    MEMORY,
    MEMORY_FOR_GOOD,
    RANDOM,
    RANDOM_FOR_GOOD,
    CALL,
    FAMILIES = CALL + CALLS_FAULTS
};

static const char *const family_names[FAMILIES] = {
    "allocation",
    "allocations from",
    "random request",
    "random requests from",
    "call fails",
    "call answers -1",
    "call lies nothing",
    "call lies less",
    "call lies more",
    "call lies huge",
};

static long injected[FAMILIES];
static long refused[FAMILIES];
static long ended;
static long findings;
static struct stage before;

static void arm(enum family family, long n)
{
    memory_arm(family <= MEMORY_FOR_GOOD ? n : 0, family == MEMORY_FOR_GOOD);
    random_arm(family == RANDOM || family == RANDOM_FOR_GOOD ? n : 0, family == RANDOM_FOR_GOOD);
    calls_arm(family >= CALL ? n : 0, family >= CALL ? (enum calls_fault)(family - CALL) : 0);
}

/* The number of places where this kind of fault could strike. */
static long disarm(enum family family)
{
    const long allocations = memory_disarm();
    const long requests = random_disarm();
    const long calls = calls_disarm();
    return family <= MEMORY_FOR_GOOD ? allocations : family <= RANDOM_FOR_GOOD ? requests : calls;
}

static void
complain(const struct operation *operation, enum family family, long n, const char *what)
{
    findings++;
    printf("%s, %s %ld%s%s: %s\n",
           operation->name,
           family_names[family],
           n,
           calls_hit() != NULL ? " " : "",
           calls_hit() != NULL ? calls_hit() : "",
           what);
}

static void fill_output(void)
{
    memset(stage.out, STAGE_FILL, sizeof stage.out);
    memset(stage.out2, STAGE_FILL, sizeof stage.out2);
}

static bool is_known(int status)
{
    return status >= THEMIS_FAIL && status <= THEMIS_SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR;
}

static bool made_nothing(void)
{
    return stage.cell == before.cell && stage.passphrase == before.passphrase &&
           stage.stretch == before.stretch && stage.signer == before.signer &&
           stage.verifier == before.verifier && stage.message == before.message &&
           stage.client == before.client && stage.server == before.server &&
           stage.alice == before.alice && stage.bob == before.bob && stage.blob == before.blob &&
           stage.ring == before.ring && stage.other_ring == before.other_ring &&
           stage.sealed == before.sealed && stage.writer == before.writer;
}

/* After a failure: nothing secret in the output, and the object goes on or is dead. */
static void judge_failure(const struct operation *operation, enum family family, long n, int status)
{
    size_t offset;
    const char *secret;
    if (!is_known(status)) {
        complain(operation, family, n, "the status is none");
    }
    if (!made_nothing()) {
        complain(operation, family, n, "a handle was made in spite of a failure");
    }
    for (size_t i = 0; i < random_gifts(); i++) {
        secrets_add("random bytes", random_gift(i)->bytes, random_gift(i)->len);
    }
    secret = secrets_find(stage.out, sizeof stage.out, &offset);
    if (secret == NULL) {
        secret = secrets_find(stage.out2, sizeof stage.out2, &offset);
    }
    if (secret != NULL) {
        printf("%s at %zu: ", secret, offset);
        complain(operation, family, n, "a secret is left in the output");
    }
    if (operation->is_dead != NULL && operation->is_dead(operation)) {
        ended++;
        return;
    }
    fill_output();
    status = operation->run(operation);
    if (status != THEMIS_SUCCESS) {
        printf("status %d: ", status);
        complain(operation, family, n, "fails again, without a fault, and is not plainly dead");
    } else if (operation->is_right != NULL && !operation->is_right(operation)) {
        complain(operation, family, n, "is wrong the next time");
    }
}

/* Whether there was an n-th place to strike; n is 0 to count them. */
static bool inject(const struct operation *operation, enum family family, long n, long *places)
{
    int status;
    bool struck;
    secrets_clear();
    random_restart(2);
    operations_drain();
    if (operation->set_up != NULL) {
        operation->set_up(operation);
    }
    operations_drain();
    fill_output();
    before = stage;
    ERR_clear_error();
    arm(family, n);
    status = operation->run(operation);
    *places = disarm(family);
    struck = n != 0 && *places >= n && (family < CALL || calls_hit() != NULL);
    stage.success_is_partial = calls_hit() != NULL && strncmp(calls_hit(), "crypto_", 7) == 0;
    if (ERR_peek_error() != 0) {
        complain(operation, family, n, "OpenSSL's errors are left for others to find");
    }
    if (status == THEMIS_SUCCESS) {
        if (operation->is_right != NULL && !operation->is_right(operation)) {
            complain(operation, family, n, "success, and a wrong result");
        }
    } else if (!struck) {
        complain(operation, family, n, "fails by itself");
    } else {
        refused[family]++;
        judge_failure(operation, family, n, status);
    }
    stage_clear();
    ERR_clear_error();
    return struck;
}

/* The same, and whether it loses memory: every time, for what grows once is a cache. */
static bool inject_and_weigh(const struct operation *operation, enum family family, long n)
{
    bool struck = false;
    long places;
    size_t lost = 1;
    for (int turn = 0; turn < 5 && lost != 0; turn++) {
        const size_t start = memory_live();
        struck = inject(operation, family, n, &places);
        lost = memory_live() > start ? memory_live() - start : 0;
    }
    if (lost != 0) {
        printf("%zu bytes: ", lost);
        complain(operation, family, n, "memory is lost");
    }
    injected[family] += struck;
    return struck;
}

static void sweep(const struct operation *operation, enum family family, long limit)
{
    long places;
    long stride = 1;
    if (operation->slow) {
        limit = limit == 0 ? MOST_OF_SLOW : limit / 8 + 1;
    }
    inject(operation, family, 0, &places);
    for (long n = 1; n <= places; n += stride) {
        if (limit != 0 && n == limit / 2 && places > limit) {
            stride = (places - n) / (limit - n) + 1;
        }
        inject_and_weigh(operation, family, n);
    }
}

/* ---- Wrong on purpose ---- */

static void set_up_planted(const struct operation *operation)
{
    (void)operation;
    memcpy(stage.in, "0123456789abcdef", 16);
    secrets_add("planted", stage.in, 16);
}

static int run_losing(const struct operation *operation)
{
    void *volatile first = malloc(10);
    void *volatile second = malloc(10);
    (void)operation;
    if (second == NULL) {
        return THEMIS_NO_MEMORY; /* and the first is lost */
    }
    free(first);
    free(second);
    return first != NULL ? THEMIS_SUCCESS : THEMIS_NO_MEMORY;
}

static int run_wrong(const struct operation *operation)
{
    void *volatile block = malloc(10);
    (void)operation;
    stage.out[0] = block != NULL;
    free(block);
    return THEMIS_SUCCESS;
}

static bool is_one(const struct operation *operation)
{
    (void)operation;
    return stage.out[0] == 1;
}

static int run_spilling(const struct operation *operation)
{
    void *volatile block = malloc(10);
    (void)operation;
    memcpy(stage.out + 5, stage.in, 16);
    free(block);
    return block != NULL ? THEMIS_SUCCESS : THEMIS_NO_MEMORY;
}

static int run_stuck(const struct operation *operation)
{
    void *volatile block = malloc(10);
    (void)operation;
    stage.in[0] |= block == NULL ? 0x80 : 0;
    free(block);
    return stage.in[0] < 0x80 ? THEMIS_SUCCESS : THEMIS_NO_MEMORY;
}

static int run_statusless(const struct operation *operation)
{
    void *volatile block = malloc(10);
    (void)operation;
    free(block);
    return block != NULL ? THEMIS_SUCCESS : -1;
}

static const struct operation controls[] = {
    {.name = "control: loses memory", .run = run_losing},
    {.name = "control: is wrong", .run = run_wrong, .is_right = is_one},
    {.name = "control: spills a secret", .set_up = set_up_planted, .run = run_spilling},
    {.name = "control: is stuck", .set_up = set_up_planted, .run = run_stuck},
    {.name = "control: has no status", .run = run_statusless},
    {.name = NULL},
};

static int try_controls(void)
{
    int passed = 0;
    for (const struct operation *operation = controls; operation->name != NULL; operation++) {
        const long found_before = findings;
        sweep(operation, MEMORY, 0);
        if (findings == found_before) {
            printf("%s: passed\n", operation->name);
            passed = 1;
        }
    }
    return passed;
}

int main(int argc, char **argv)
{
    const long limit = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    long total = 0;
    operations_init();
    if (argc > 1 && strcmp(argv[1], "control") == 0) {
        return try_controls();
    }
    for (const struct operation *operation = operations; operation->name != NULL; operation++) {
        if (argc > 2 && strstr(operation->name, argv[2]) == NULL) {
            continue;
        }
        for (int family = 0; family < FAMILIES; family++) {
            sweep(operation, (enum family)family, limit);
        }
        fprintf(stderr, "%s\n", operation->name);
    }
    for (int family = 0; family < FAMILIES; family++) {
        printf("%-20s %8ld injected, %8ld refused\n",
               family_names[family],
               injected[family],
               refused[family]);
        total += injected[family];
    }
    printf("%ld faults injected, %ld objects ended by them, %ld findings\n",
           total,
           ended,
           findings);
    return findings != 0;
}

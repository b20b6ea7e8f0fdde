/* SPDX-License-Identifier: Apache-2.0 */
/* Whether secrets stay behind: every operation runs on a stack of its own, which is searched when
 * it has returned; every block that was freed is kept and searched, and so is what is allocated
 * when all objects are gone. The same where an operation fails half-way.
 *
 *   wiping LIMIT [NAME]
 *
 * LIMIT: so many failures of each kind are tried in each operation; 0: all. NAME: only the
 * operations with this in their name. Prints what was found, a line each of
 *
 *   place | operation | secret | how often | an example
 *
 * where the place is the stack, a freed block, or a live one. tools/evidence/wiping.py judges. */
#include <openssl/err.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "calls.h"
#include "memory.h"
#include "operations.h"
#include "random.h"
#include "secrets.h"

#define STACK_SIZE ((size_t)1 << 20)
#define KEPT_SIZE ((size_t)64 << 20)
#define PAINT 0x5C
#define FINDINGS_MAX 4096

enum fault { NONE, MEMORY, RANDOM, CALL, FAULTS };
static const char *const fault_names[FAULTS] = {"", "allocation", "random request", "call"};

static struct finding {
    const char *place;
    const char *operation;
    const char *secret;
    long count;
    char example[160];
} findings[FINDINGS_MAX];
static size_t findings_count;

static uint8_t *stack;
static ucontext_t outside;
static ucontext_t inside;
static const struct operation *current;
static enum fault fault;
static long fault_number;
static int answer;
static const char *place;
static long runs;

static void find(const void *bytes, size_t len)
{
    size_t offset = 0;
    const char *secret = secrets_find(bytes, len, &offset);
    struct finding *finding = findings;
    if (secret == NULL) {
        return;
    }
    for (size_t i = 0; i < findings_count; i++, finding++) {
        if (finding->place == place && finding->operation == current->name &&
            strcmp(finding->secret, secret) == 0) {
            finding->count++;
            return;
        }
    }
    if (findings_count == FINDINGS_MAX) {
        stage_fail("so many findings");
    }
    findings_count++;
    *finding = (struct finding){place, current->name, secret, 1, ""};
    snprintf(finding->example,
             sizeof finding->example,
             "%s %ld %s, at %zu of %zu",
             fault_names[fault],
             fault_number,
             fault == CALL && calls_hit() != NULL ? calls_hit() : "",
             offset,
             len);
}

static void find_freed(const void *block, size_t size)
{
    place = "freed";
    find(block, size);
}

static void find_live(const void *block, size_t size)
{
    place = "live";
    find(block, size);
}

/* The part of the stack that was used, all of it, for pieces of secrets may be many. */
static void find_on_stack(const char *name)
{
    size_t used = 0;
    size_t offset;
    place = name;
    while (used < STACK_SIZE && stack[used] == PAINT) {
        used++;
    }
    while (used < STACK_SIZE && secrets_find(stack + used, STACK_SIZE - used, &offset) != NULL) {
        find(stack + used, STACK_SIZE - used);
        used += offset + 1;
    }
}

static void call_on_stack(void (*function)(void))
{
    memset(stack, PAINT, STACK_SIZE);
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = STACK_SIZE;
    inside.uc_link = &outside;
    makecontext(&inside, function, 0);
    swapcontext(&outside, &inside);
}

static void run_current(void)
{
    answer = current->run(current);
}

/* What the scalars of a comparison make when they are multiplied. */
static void add_products(void)
{
    uint8_t product[32];
    for (size_t i = 0; i < random_gifts(); i++) {
        const struct random_gift *a = random_gift(i);
        if (!a->to_core || a->len != 32) {
            continue;
        }
        for (size_t j = 0; j <= i; j++) {
            const struct random_gift *b = random_gift(j);
            uint8_t clamped[2][32];
            if (!b->to_core || b->len != 32) {
                continue;
            }
            memcpy(clamped[0], a->bytes, 32);
            memcpy(clamped[1], b->bytes, 32);
            for (int k = 0; k < 2; k++) {
                clamped[k][0] &= 248;
                clamped[k][31] = (uint8_t)((clamped[k][31] & 63) | 64);
            }
            crypto_core_ed25519_scalar_mul(product, clamped[0], clamped[1]);
            secrets_add("product of scalars", product, sizeof product);
        }
    }
}

static void add_gifts(void)
{
    for (size_t i = 0; i < random_gifts(); i++) {
        const struct random_gift *gift = random_gift(i);
        secrets_add(gift->to_core ? "random bytes of the core" : "random bytes inside OpenSSL",
                    gift->bytes,
                    gift->len);
    }
    add_products();
}

static void arm(void)
{
    memory_arm(fault == MEMORY ? fault_number : 0, false);
    random_arm(fault == RANDOM ? fault_number : 0, false);
    calls_arm(fault == CALL ? fault_number : 0, CALLS_FAIL);
}

/* The places where the fault could strike. */
static long disarm(void)
{
    const long allocations = memory_disarm();
    const long requests = random_disarm();
    const long calls = calls_disarm();
    return fault == MEMORY ? allocations : fault == RANDOM ? requests : calls;
}

static long try(const struct operation *operation, enum fault kind, long number)
{
    static uint8_t used[STACK_SIZE];
    long places;
    current = operation;
    fault = kind;
    fault_number = number;
    secrets_clear();
    random_restart(3);
    operations_drain();
    if (operation->set_up != NULL) {
        operation->set_up(operation);
    }
    operations_drain();
    ERR_clear_error();
    memory_keep(KEPT_SIZE);
    arm();
    call_on_stack(run_current);
    places = disarm();
    memcpy(used, stack, STACK_SIZE);
    call_on_stack(stage_clear);
    add_gifts();
    find_on_stack("stack at the end");
    memcpy(stack, used, STACK_SIZE);
    find_on_stack("stack");
    memory_release(find_freed);
    memory_visit(find_live);
    runs++;
    return places;
}

static void sweep(const struct operation *operation, long limit)
{
    try(operation, NONE, 0);
    for (int kind = MEMORY; kind < FAULTS; kind++) {
        const long places = operation->slow ? 0 : try(operation, (enum fault)kind, 0);
        const long stride = limit == 0 || places <= limit ? 1 : places / limit + 1;
        for (long n = 1; n <= places; n += stride) {
            try(operation, (enum fault)kind, n);
        }
    }
}

/* ---- Leaks on purpose ---- */

static void set_up_planted(const struct operation *operation)
{
    (void)operation;
    memcpy(stage.in, "0123456789abcdef ghijklmnopqrstu", 32);
    secrets_add("planted", stage.in, 32);
}

static int run_planted_stack(const struct operation *operation)
{
    volatile uint8_t left[32];
    (void)operation;
    for (size_t i = 0; i < sizeof left; i++) {
        left[i] = stage.in[31 - i];
    }
    return left[0] == 0;
}

static int run_planted_freed(const struct operation *operation)
{
    uint8_t *block = malloc(100);
    volatile uint8_t *bytes = block;
    (void)operation;
    for (size_t i = 0; i < 9; i++) {
        bytes[3 + i] = stage.in[5 + i];
    }
    free(block);
    return 0;
}

static int run_planted_live(const struct operation *operation)
{
    static uint8_t *volatile block;
    (void)operation;
    if (block == NULL) {
        block = malloc(100);
    }
    memcpy(block + 3, stage.in, 32);
    return 0;
}

static const struct operation controls[] = {
    {.name = "control: stack", .set_up = set_up_planted, .run = run_planted_stack, .slow = true},
    {.name = "control: freed", .set_up = set_up_planted, .run = run_planted_freed, .slow = true},
    {.name = "control: live", .set_up = set_up_planted, .run = run_planted_live, .slow = true},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    const long limit = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) {
        stage_fail("to map a stack");
    }
    operations_init();
    for (const struct operation *operation = controls; operation->name != NULL; operation++) {
        sweep(operation, limit);
    }
    for (const struct operation *operation = operations; operation->name != NULL; operation++) {
        if (argc <= 2 || strstr(operation->name, argv[2]) != NULL) {
            sweep(operation, limit);
        }
    }
    for (size_t i = 0; i < findings_count; i++) {
        const struct finding *finding = &findings[i];
        printf("%s | %s | %s | %ld | %s\n",
               finding->place,
               finding->operation,
               finding->secret,
               finding->count,
               finding->example);
    }
    printf("%ld runs\n", runs);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Comparator. */
#include "operations/stage.h"

#include <openssl/sha.h>
#include <string.h>

#include "secrets.h"

static const uint8_t compared[] = "what Alice and Bob want to compare";
#define COMPARED compared, sizeof compared - 1

static int run_comparator_new(const struct operation *operation)
{
    (void)operation;
    return themis_comparator_new(&stage.alice);
}

static bool has_comparator(const struct operation *operation)
{
    (void)operation;
    return stage.alice != NULL;
}

static void add_compared(const uint8_t *secret, size_t len)
{
    uint8_t digest[32];
    secrets_add("secret to compare", secret, len);
    SHA256(secret, len, digest);
    secrets_add("hash of the secret to compare", digest, sizeof digest);
    digest[0] &= 248;
    digest[31] = (uint8_t)((digest[31] & 63) | 64);
    secrets_add("hash of the secret to compare", digest, sizeof digest);
}

static int comparison_step(int number)
{
    themis_comparator *side = number % 2 != 0 ? stage.alice : stage.bob;
    if (number == 1) {
        stage.out_len = THEMIS_COMPARATOR_FIRST_SIZE;
        return themis_comparator_begin(side, stage.out);
    }
    stage.out_len = themis_comparator_reply_size(side);
    return themis_comparator_proceed(side, stage.in, stage.in_len, stage.out, stage.out_len);
}

/* operation->kind: the step that is due, from 1; operation->flag: with another secret. */
static void set_up_comparison(const struct operation *operation)
{
    must(themis_comparator_new(&stage.alice), "Alice");
    must(themis_comparator_new(&stage.bob), "Bob");
    add_compared(COMPARED);
    if (operation->kind == 0) {
        return;
    }
    must(themis_comparator_append(stage.alice, COMPARED), "a secret");
    must(
        themis_comparator_append(stage.bob, compared, sizeof compared - 1 - (operation->flag != 0)),
        "a secret");
    for (int number = 1; number < operation->kind; number++) {
        must(comparison_step(number), "to compare");
        memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
    }
}

static int run_append(const struct operation *operation)
{
    (void)operation;
    return themis_comparator_append(stage.alice, COMPARED);
}

static int run_comparison(const struct operation *operation)
{
    return comparison_step(operation->kind);
}

static bool is_compared(const struct operation *operation)
{
    for (int number = operation->kind + 1; number <= 5; number++) {
        memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
        if (comparison_step(number) != THEMIS_SUCCESS) {
            return false;
        }
    }
    return themis_comparator_result(stage.alice) ==
               (operation->flag ? THEMIS_COMPARATOR_NO_MATCH : THEMIS_COMPARATOR_MATCH) &&
           themis_comparator_result(stage.bob) == themis_comparator_result(stage.alice);
}

/* Where libsodium is made to fail that never does, points come out wrong: then nothing matches. */
static bool is_no_match(const struct operation *operation)
{
    for (int number = operation->kind + 1; number <= 5; number++) {
        memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
        if (comparison_step(number) != THEMIS_SUCCESS) {
            break;
        }
    }
    return themis_comparator_result(stage.alice) != THEMIS_COMPARATOR_MATCH ||
           themis_comparator_result(stage.bob) != THEMIS_COMPARATOR_MATCH;
}

static bool is_compared_or_not(const struct operation *operation)
{
    return stage.success_is_partial ? is_no_match(operation) : is_compared(operation);
}

static bool is_comparison_dead(const struct operation *operation)
{
    themis_comparator *side = operation->kind % 2 != 0 ? stage.alice : stage.bob;
    uint8_t message[THEMIS_COMPARATOR_FIRST_SIZE];
    return themis_comparator_result(side) == THEMIS_COMPARATOR_NO_MATCH &&
           themis_comparator_expected_size(side) == 0 &&
           themis_comparator_begin(side, message) == THEMIS_INVALID_PARAMETER &&
           themis_comparator_append(side, COMPARED) == THEMIS_INVALID_PARAMETER;
}

#define COMPARISON(title, number, differs)                                                         \
    {.name = title,                                                                                \
     .set_up = set_up_comparison,                                                                  \
     .run = run_comparison,                                                                        \
     .is_right = is_compared_or_not,                                                               \
     .is_dead = is_comparison_dead,                                                                \
     .kind = (number),                                                                             \
     .flag = (differs)}

const struct operation comparator_operations[] = {
    {.name = "comparator_new",
     .run = run_comparator_new,
     .is_right = has_comparator,
     .makes = true},
    {.name = "comparator append", .set_up = set_up_comparison, .run = run_append, .kind = 0},
    COMPARISON("comparator 1", 1, 0),
    COMPARISON("comparator 2", 2, 0),
    COMPARISON("comparator 3", 3, 0),
    COMPARISON("comparator 4", 4, 0),
    COMPARISON("comparator 5", 5, 0),
    COMPARISON("comparator 3, differing", 3, 1),
    COMPARISON("comparator 4, differing", 4, 1),
    COMPARISON("comparator 5, differing", 5, 1),
    {.name = NULL},
};

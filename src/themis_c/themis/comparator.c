/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Comparator: the socialist millionaires' protocol (specification, section 6).
 *
 * 1. Alice:  G2a || K(1) || G3a || K(2)                            192 bytes
 * 2. Bob:    G2b || K(3) || G3b || K(4) || Pb || Qb || D(5)        352
 * 3. Alice:  Pa || Qa || D(6) || Ra || E(7)                        256
 * 4. Bob:    Rb || E(8)                                             96
 *
 * Messages must have these sizes. (Other Themis cores ignore what follows; no peer is known to send
 * more, and a message that someone lengthened on its way should not lead to a MATCH.) */
#include <assert.h>
#include <string.h>

#include "soter/fips.h"
#include "soter/locked.h"
#include "soter/wipe.h"
#include "themis.h"
#include "themis/comparator_run.h"

#define MESSAGE_1_SIZE THEMIS_RUN_GENERATORS_SIZE
#define MESSAGE_2_SIZE (THEMIS_RUN_GENERATORS_SIZE + THEMIS_RUN_COMMITMENT_SIZE)
#define MESSAGE_3_SIZE (THEMIS_RUN_COMMITMENT_SIZE + THEMIS_RUN_PRODUCT_SIZE)
#define MESSAGE_4_SIZE THEMIS_RUN_PRODUCT_SIZE

static_assert(MESSAGE_1_SIZE == THEMIS_COMPARATOR_FIRST_SIZE && MESSAGE_2_SIZE == 352 &&
                  MESSAGE_3_SIZE == 256 && MESSAGE_4_SIZE == 96,
              "the sizes that the specification gives");
static_assert(SOTER_SHA256_SIZE == SOTER_SCALAR_SIZE, "the digest of the secret is a scalar");

enum state {
    NEW, /* takes its secret; may begin as Alice, or proceed with message 1 as Bob */
    ALICE_AWAITS_2,
    BOB_AWAITS_3,
    ALICE_AWAITS_4,
    OVER,
};

struct themis_comparator {
    enum state state;
    int result;
    soter_sha256_state *hash; /* of the secret; NULL once the comparison has started */
    bool has_secret;
    struct themis_run run;
};

int themis_comparator_new(themis_comparator **out)
{
    themis_comparator *made;
    soter_status status =
        soter_fips_name() == NULL ? soter_group_init() : SOTER_NOT_SUPPORTED; /* edwards25519 */
    if (status != SOTER_SUCCESS) {
        return status;
    }
    made = soter_locked_new(sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    made->state = NEW;
    made->result = THEMIS_COMPARATOR_NOT_READY;
    status = soter_sha256_new(&made->hash);
    if (status != SOTER_SUCCESS) {
        soter_locked_free(made, sizeof *made);
        return status;
    }
    *out = made;
    return SOTER_SUCCESS;
}

static void forget(themis_comparator *comparator)
{
    soter_sha256_free(comparator->hash);
    comparator->hash = NULL;
    soter_wipe(&comparator->run, sizeof comparator->run);
}

void themis_comparator_free(themis_comparator *comparator)
{
    if (comparator != NULL) {
        forget(comparator);
        soter_locked_free(comparator, sizeof *comparator);
    }
}

int themis_comparator_append(themis_comparator *comparator,
                             const uint8_t *secret,
                             size_t secret_len)
{
    soter_status status;
    if (comparator->state != NEW || secret == NULL || secret_len == 0) {
        return SOTER_INVALID_PARAMETER;
    }
    status = soter_sha256_add(comparator->hash, secret, secret_len);
    if (status == SOTER_SUCCESS) {
        comparator->has_secret = true;
    }
    soter_wipe_stack();
    return status;
}

/* ---- The five steps ---- */

static soter_status take_secret(themis_comparator *comparator)
{
    struct soter_scalar *secret = &comparator->run.secret;
    soter_status status = soter_sha256_finish(comparator->hash, secret->bytes);
    if (status == SOTER_SUCCESS) {
        soter_scalar_clamp(secret);
    }
    soter_sha256_free(comparator->hash);
    comparator->hash = NULL;
    return status;
}

static soter_status alice_begins(themis_comparator *alice, struct soter_writer *out)
{
    soter_status status = take_secret(alice);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return themis_run_send_generators(&alice->run, 1, out);
}

static soter_status
bob_takes_1(themis_comparator *bob, struct soter_reader *in, struct soter_writer *out)
{
    struct themis_run *run = &bob->run;
    soter_status status = take_secret(bob);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = themis_run_receive_generators(run, 1, in);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = themis_run_send_generators(run, 3, out);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return themis_run_send_commitment(run, 5, out);
}

static soter_status
alice_takes_2(themis_comparator *alice, struct soter_reader *in, struct soter_writer *out)
{
    struct themis_run *run = &alice->run;
    soter_status status = themis_run_receive_generators(run, 3, in);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = themis_run_receive_commitment(run, 5, in);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = themis_run_send_commitment(run, 6, out);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = themis_run_take_differences(run, &run->own, &run->peer);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return themis_run_send_product(run, 7, out);
}

static soter_status
bob_takes_3(themis_comparator *bob, struct soter_reader *in, struct soter_writer *out)
{
    struct themis_run *run = &bob->run;
    const bool lost_before = run->lost;
    soter_status status = themis_run_receive_commitment(run, 6, in);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = themis_run_take_differences(run, &run->peer, &run->own);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = themis_run_receive_product(run, 7, in);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (run->lost && !lost_before) {
        /* the secret is out of play by now, so it is b3 that must not make a match for Alice */
        status = soter_scalar_random(&run->g3.own);
        if (status != SOTER_SUCCESS) {
            return status;
        }
    }
    return themis_run_send_product(run, 8, out);
}

static soter_status
alice_takes_4(themis_comparator *alice, struct soter_reader *in, struct soter_writer *out)
{
    (void)out;
    return themis_run_receive_product(&alice->run, 8, in);
}

/* ---- The state machine ---- */

struct step {
    size_t message_size;
    size_t reply_size;
    soter_status (*take)(themis_comparator *, struct soter_reader *, struct soter_writer *);
    enum state next;
};

static const struct step steps[] = {
    [NEW] = {MESSAGE_1_SIZE, MESSAGE_2_SIZE, bob_takes_1, BOB_AWAITS_3},
    [ALICE_AWAITS_2] = {MESSAGE_2_SIZE, MESSAGE_3_SIZE, alice_takes_2, ALICE_AWAITS_4},
    [BOB_AWAITS_3] = {MESSAGE_3_SIZE, MESSAGE_4_SIZE, bob_takes_3, OVER},
    [ALICE_AWAITS_4] = {MESSAGE_4_SIZE, 0, alice_takes_4, OVER},
    [OVER] = {0, 0, NULL, OVER},
};

/* The state after a step. One that failed cannot be repeated: the peer, or an attacker that made it
 * fail, would have a second guess. */
static void settle(themis_comparator *comparator, soter_status status, enum state next)
{
    const struct themis_run *run = &comparator->run;
    comparator->state = status == SOTER_SUCCESS ? next : OVER;
    if (status != SOTER_SUCCESS || run->lost) {
        comparator->result = THEMIS_COMPARATOR_NO_MATCH;
    } else if (comparator->state == OVER) {
        comparator->result = run->equal ? THEMIS_COMPARATOR_MATCH : THEMIS_COMPARATOR_NO_MATCH;
    }
    if (comparator->state == OVER) {
        forget(comparator);
    }
    soter_wipe_stack();
}

int themis_comparator_begin(themis_comparator *comparator,
                            uint8_t message[THEMIS_COMPARATOR_FIRST_SIZE])
{
    struct soter_writer out;
    soter_status status;
    if (comparator->state != NEW || !comparator->has_secret) {
        return SOTER_INVALID_PARAMETER;
    }
    soter_writer_init(&out, message, MESSAGE_1_SIZE);
    status = alice_begins(comparator, &out);
    if (status != SOTER_SUCCESS) {
        soter_wipe(message, MESSAGE_1_SIZE);
    }
    settle(comparator, status, ALICE_AWAITS_2);
    return status;
}

size_t themis_comparator_expected_size(const themis_comparator *comparator)
{
    return steps[comparator->state].message_size;
}

size_t themis_comparator_reply_size(const themis_comparator *comparator)
{
    return steps[comparator->state].reply_size;
}

int themis_comparator_proceed(themis_comparator *comparator,
                              const uint8_t *message,
                              size_t message_len,
                              uint8_t *reply,
                              size_t reply_len)
{
    const struct step *step = &steps[comparator->state];
    soter_status status = SOTER_INVALID_PARAMETER;
    struct soter_reader in;
    struct soter_writer out;
    if (step->take == NULL || !comparator->has_secret) {
        return SOTER_INVALID_PARAMETER;
    }
    if (reply_len < step->reply_size) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    soter_reader_init(&in, message, message_len);
    soter_writer_init(&out, reply, step->reply_size);
    if (message_len == step->message_size) {
        status = step->take(comparator, &in, &out);
    }
    if (status != SOTER_SUCCESS && step->reply_size != 0) {
        soter_wipe(reply, step->reply_size);
    }
    settle(comparator, status, step->next);
    return status;
}

int themis_comparator_result(const themis_comparator *comparator)
{
    return comparator->result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Two sides of a comparison, and someone between them. Input: flags, Alice's secret and, unless it
 * is the same, Bob's; then which of the four messages is changed, and how: an edit of it, an
 * earlier message, or bytes of the input's own.
 *
 * Promises: without a change the result is whether the secrets are equal, for both; a side that
 * gets a changed message finds no match, and neither does Alice; a message that is refused ends it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"

enum { FLAG_SAME = 1, FLAG_RAW = 2, FLAG_EARLIER = 4, FLAG_PIECES = 8 };

static const size_t sizes[5] = {192, 352, 256, 96, 0};

/* Gives a side its secret, in one piece or byte by byte. */
static themis_comparator *new_side(struct soter_slice secret, bool pieces)
{
    themis_comparator *made = NULL;
    int status;
    MUST(themis_comparator_new(&made) == THEMIS_SUCCESS);
    if (!pieces || secret.len == 0) {
        status = themis_comparator_append(made, secret.data, secret.len);
        MUST(status == (secret.len == 0 ? THEMIS_INVALID_PARAMETER : THEMIS_SUCCESS));
    }
    for (size_t i = 0; pieces && i < secret.len; i++) {
        MUST(themis_comparator_append(made, secret.data + i, 1) == THEMIS_SUCCESS);
    }
    return made;
}

/* Nothing moves a side that is at its end. */
static void demand_end(themis_comparator *side)
{
    static const uint8_t message[352];
    uint8_t nothing[352];
    const int result = themis_comparator_result(side);
    MUST(result != THEMIS_COMPARATOR_NOT_READY);
    MUST(themis_comparator_expected_size(side) == 0 && themis_comparator_reply_size(side) == 0);
    for (int i = 0; i < 5; i++) {
        MUST(themis_comparator_proceed(side,
                                       message,
                                       sizes[i],
                                       nothing,
                                       themis_comparator_reply_size(side)) ==
             THEMIS_INVALID_PARAMETER);
    }
    MUST(themis_comparator_begin(side, nothing) == THEMIS_INVALID_PARAMETER);
    MUST(themis_comparator_append(side, message, 1) == THEMIS_INVALID_PARAMETER);
    MUST(themis_comparator_result(side) == result);
}

/* Hands message `number` (from 0) over; its reply becomes the next one. */
static int proceed(themis_comparator *side, struct fuzz_message *sent, int number)
{
    const size_t reply_len = sizes[number + 1];
    uint8_t *copy = fuzz_copy(fuzz_slice(&sent[number]));
    uint8_t *reply = fuzz_room(reply_len);
    int status;
    MUST(themis_comparator_expected_size(side) == sizes[number]);
    MUST(themis_comparator_reply_size(side) == reply_len);
    status = themis_comparator_proceed(side,
                                       copy,
                                       sent[number].len,
                                       reply,
                                       themis_comparator_reply_size(side));
    if (status == THEMIS_SUCCESS) {
        MUST(sent[number].len == sizes[number]);
        fuzz_set(&sent[number + 1], (struct soter_slice){reply, reply_len});
    } else {
        MUST(status == THEMIS_INVALID_PARAMETER && fuzz_nothing_in(reply, reply_len));
        MUST(themis_comparator_result(side) == THEMIS_COMPARATOR_NO_MATCH);
        demand_end(side);
    }
    free(copy);
    free(reply);
    return status;
}

/* Changes message `number`; tells whether it is another one now. */
static bool tamper(fuzz_input *input, uint8_t flags, struct fuzz_message *sent, int number)
{
    static struct fuzz_message honest;
    honest = sent[number];
    if ((flags & FLAG_RAW) != 0) {
        fuzz_set(&sent[number], fuzz_field(input));
    } else {
        if ((flags & FLAG_EARLIER) != 0) { /* its beginning in the place of the real one's */
            const struct fuzz_message *other = &sent[fuzz_byte(input) % (number + 1)];
            const size_t len = other->len < honest.len ? other->len : honest.len;
            memmove(sent[number].bytes, other->bytes, len);
        }
        fuzz_edit(input, &sent[number]);
    }
    return !fuzz_equal(fuzz_slice(&honest), fuzz_slice(&sent[number]));
}

/* Lets them talk to the end, or until someone refuses; gives the number of the message that was
 * changed, or 4. */
static int talk(fuzz_input *input, uint8_t flags, themis_comparator *alice, themis_comparator *bob)
{
    static struct fuzz_message sent[5];
    const int target = fuzz_byte(input) % 5;
    int changed = 4;
    int status;
    sent[0].len = sizes[0];
    status = themis_comparator_begin(alice, sent[0].bytes);
    MUST(status == THEMIS_SUCCESS);
    for (int number = 0; number < 4 && status == THEMIS_SUCCESS; number++) {
        if (number == target && tamper(input, flags, sent, number)) {
            changed = number;
        }
        status = proceed(number % 2 == 0 ? bob : alice, sent, number);
        MUST(status == THEMIS_SUCCESS || number == changed);
    }
    return changed;
}

static void
judge(const themis_comparator *alice, const themis_comparator *bob, bool equal, int changed)
{
    const int expected = equal ? THEMIS_COMPARATOR_MATCH : THEMIS_COMPARATOR_NO_MATCH;
    const int found_by_alice = themis_comparator_result(alice);
    const int found_by_bob = themis_comparator_result(bob);
    if (changed == 4) {
        MUST(found_by_alice == expected && found_by_bob == expected);
    } else {
        MUST(found_by_alice != THEMIS_COMPARATOR_MATCH);
        MUST(found_by_bob != THEMIS_COMPARATOR_MATCH || (equal && changed == 3));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    const struct soter_slice one = fuzz_field(&input);
    const struct soter_slice other = (flags & FLAG_SAME) != 0 ? one : fuzz_field(&input);
    themis_comparator *alice = new_side(one, false);
    themis_comparator *bob = new_side(other, (flags & FLAG_PIECES) != 0);
    uint8_t room[352];
    if (one.len != 0 && other.len != 0) {
        const int changed = talk(&input, flags, alice, bob);
        judge(alice, bob, fuzz_equal(one, other), changed);
    } else {
        themis_comparator *empty = one.len == 0 ? alice : bob;
        MUST(themis_comparator_begin(empty, room) == THEMIS_INVALID_PARAMETER);
        MUST(themis_comparator_proceed(empty,
                                       room,
                                       sizes[0],
                                       room,
                                       themis_comparator_reply_size(empty)) ==
             THEMIS_INVALID_PARAMETER);
        MUST(themis_comparator_result(empty) == THEMIS_COMPARATOR_NOT_READY);
    }
    themis_comparator_free(alice);
    themis_comparator_free(bob);
    return 0;
}

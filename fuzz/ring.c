/* SPDX-License-Identifier: Apache-2.0 */
/* Keyrings. Input: flags, then a payload as it is, with edits of a good one first; or a context and
 * a stored value as it is; or a context, a message and the edits of its value.
 *
 * Promises: a payload that is read is written as the same bytes, and so is every ring that changes
 * make of it; a stored value that is not the honest one is refused, and nothing comes out. */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"

enum { FLAG_VALUE = 1, FLAG_RAW = 2, FLAG_EDIT = 4 };

static const char good[] =
    "{\"keys\":["
    "{\"created\":1,\"id\":\"0102030405\",\"key\":"
    "\"aXRzIG9sZGVyIGtleSwgYXMgbG9uZzogMDNmYTk4ZTE=\",\"state\":\"retired\"},"
    "{\"created\":2,\"id\":\"1112131415\",\"key\":"
    "\"MzIgYnl0ZXMgb2YgYSByaW5nOiA3ZDFlNWI5YTIwYzQ=\",\"state\":\"active\"}],"
    "\"legacy\":[\"c2hvcnQ=\",\"b2xkIGtleQ==\"],"
    "\"name\":\"shop\",\"primary\":\"1112131415\",\"version\":7}";
static const struct soter_slice good_payload = {(const uint8_t *)good, sizeof good - 1};

static themis_ring *read_ring(struct soter_slice payload)
{
    themis_ring *ring = NULL;
    const char *why = NULL;
    uint8_t *copy = fuzz_copy(payload);
    const int status = themis_ring_read(copy, payload.len, &ring, &why);
    MUST(status == THEMIS_SUCCESS || status == THEMIS_INVALID_PARAMETER);
    MUST((status == THEMIS_SUCCESS) == (ring != NULL));
    MUST((status == THEMIS_SUCCESS) == (why == NULL));
    free(copy);
    return ring;
}

static struct soter_slice payload_of(const themis_ring *ring)
{
    struct soter_slice payload = {NULL, 0};
    payload.data = themis_ring_payload(ring, &payload.len);
    return payload;
}

/* Whether a value that one ring wrote is read by another. */
static void demand_value(themis_ring *writer, themis_ring *reader)
{
    uint8_t stored[THEMIS_RING_OVERHEAD + 4];
    uint8_t message[4] = "abc";
    MUST(themis_ring_encrypt(writer, message, 4, NULL, 0, stored, sizeof stored) == THEMIS_SUCCESS);
    memset(message, 0, sizeof message);
    MUST(themis_ring_decrypt(reader, stored, sizeof stored, NULL, 0, message, 4) == THEMIS_SUCCESS);
    MUST(memcmp(message, "abc", 4) == 0);
}

/* A change that is made has a payload of the same rules, and its ring follows the old one. */
static void demand_change(themis_ring *ring, int status, themis_ring *changed, bool keeps)
{
    const char *why = NULL;
    themis_ring *again;
    MUST(status == THEMIS_SUCCESS || status == THEMIS_INVALID_PARAMETER);
    if (status != THEMIS_SUCCESS) {
        MUST(changed == NULL);
        return;
    }
    again = read_ring(payload_of(changed));
    MUST(again != NULL && fuzz_equal(payload_of(again), payload_of(changed)));
    MUST(themis_ring_follows(ring, again, &why) == THEMIS_SUCCESS);
    MUST(themis_ring_version(again) == themis_ring_version(ring) + 1);
    if (keeps) {
        demand_value(ring, again);
    }
    themis_ring_free(again);
    themis_ring_free(changed);
}

static void change_all(themis_ring *ring)
{
    uint8_t id[THEMIS_RING_ID_SIZE];
    uint64_t created;
    const char *why = NULL;
    themis_ring *made = NULL;
    int status = themis_ring_add(ring, 5, NULL, 0, &made, &why);
    demand_change(ring, status, made, true);
    made = NULL;
    status = themis_ring_add_legacy(ring, (const uint8_t *)"fuzz", 4, &made, &why);
    demand_change(ring, status, made, true);
    for (size_t i = 0; i < 3 && themis_ring_key(ring, i, id, &created) != 0; i++) {
        for (int kind = THEMIS_RING_PROMOTE; kind <= THEMIS_RING_DROP_LEGACY; kind++) {
            made = NULL;
            status = themis_ring_change(ring, kind, id, &made, &why);
            demand_change(ring, status, made, true);
        }
    }
}

static void read_payload(fuzz_input *input, uint8_t flags)
{
    static struct fuzz_message payload;
    themis_ring *ring;
    if ((flags & FLAG_EDIT) != 0) {
        fuzz_set(&payload, good_payload);
        fuzz_edit(input, &payload);
    } else {
        fuzz_set(&payload, fuzz_field(input));
    }
    ring = read_ring(fuzz_slice(&payload));
    if (ring != NULL) {
        MUST(fuzz_equal(payload_of(ring), fuzz_slice(&payload)));
        demand_value(ring, ring);
        change_all(ring);
    }
    themis_ring_free(ring);
}

static int decrypt(themis_ring *ring, struct soter_slice context, struct soter_slice stored)
{
    const bool has_prefix = stored.len >= 3 && memcmp(stored.data, "TK1", 3) == 0;
    const size_t before = has_prefix ? THEMIS_RING_OVERHEAD : THEMIS_CELL_TOKEN_SIZE;
    const size_t room = stored.len > before ? stored.len - before : 0;
    uint8_t *copy = fuzz_copy(stored);
    uint8_t *message = fuzz_room(room);
    const int status =
        themis_ring_decrypt(ring, copy, stored.len, context.data, context.len, message, room);
    MUST(status == THEMIS_SUCCESS || status == THEMIS_INVALID_PARAMETER || status == THEMIS_FAIL ||
         status == THEMIS_NOT_SUPPORTED);
    MUST(status == THEMIS_SUCCESS || fuzz_nothing_in(message, room));
    free(copy);
    free(message);
    return status;
}

static void change_value(fuzz_input *input,
                         themis_ring *ring,
                         struct soter_slice context,
                         struct soter_slice text)
{
    static struct fuzz_message stored;
    static struct fuzz_message changed;
    int status;
    stored.len = text.len + THEMIS_RING_OVERHEAD;
    status = themis_ring_encrypt(ring,
                                 text.data,
                                 text.len,
                                 context.data,
                                 context.len,
                                 stored.bytes,
                                 stored.len);
    if (status != THEMIS_SUCCESS) {
        MUST(status == THEMIS_INVALID_PARAMETER);
        MUST(text.len == 0 || (context.len >= 7 && memcmp(context.data, "TSFILE1", 7) == 0));
        return;
    }
    fuzz_set(&changed, fuzz_slice(&stored));
    fuzz_edit(input, &changed);
    status = decrypt(ring, context, fuzz_slice(&changed));
    MUST((status == THEMIS_SUCCESS) == fuzz_equal(fuzz_slice(&changed), fuzz_slice(&stored)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    struct soter_slice context;
    struct soter_slice text;
    themis_ring *ring;
    if ((flags & FLAG_VALUE) == 0) {
        read_payload(&input, flags);
        return 0;
    }
    ring = read_ring(good_payload);
    context = fuzz_field(&input);
    text = fuzz_field(&input);
    if ((flags & FLAG_RAW) != 0) {
        decrypt(ring, context, text);
    } else {
        change_value(&input, ring, context, text);
    }
    themis_ring_free(ring);
    return 0;
}

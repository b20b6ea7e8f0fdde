/* SPDX-License-Identifier: Apache-2.0 */
/* The data messages of an established session. Input: flags, the number that the first message has,
 * then steps: an honest message, an edit of one, one of the last ones again, or one that the peer
 * itself made up: a length, number and time of its choice, truly encrypted.
 *
 * Promises: what unwraps is what was wrapped; numbers are judged by the rule of the specification,
 * which this file has its own version of; a refusal leaves nothing, and the session usable. */
#include <stdlib.h>
#include <string.h>

#include "common/parties.h"
#include "soter/aead.h"
#include "soter/bytes.h"

enum { FLAG_ONCE = 1, FLAG_TO_CLIENT = 2, FLAG_NEARLY_USED_UP = 4 };
enum { STEPS_MAX = 60, STILL_LEFT = 50, KEPT = 4, HEADER_SIZE = 16, MESSAGE_MAX = 300 };
enum { SID_AT = 0, CLIENT_KEY_AT = 4 + 32, SERVER_KEY_AT = 4 + 2 * 32 };

#define NOW UINT64_C(1700000000)

/* Who reads and who writes, and what was read so far. */
struct model {
    themis_session *writer;
    themis_session *reader;
    soter_aead *forger; /* with the writer's key */
    uint8_t sid_reversed[4];
    bool once;
    uint32_t next;   /* the number of the writer's next message */
    uint32_t newest; /* the highest that was read, or that was expected first */
    uint64_t moved;  /* how far that is from the one that was expected first */
    uint32_t seen[STEPS_MAX + 1];
    size_t seen_count;
    struct fuzz_message kept[KEPT];
    struct {
        uint32_t number;
        bool good; /* it is authentic, its length is right, and so is its time */
        uint8_t text[MESSAGE_MAX];
        size_t len;
    } about[KEPT];
    size_t kept_count;
};

/* Both sessions, with ephemeral keys that we know. */
static const struct parties *established(bool once)
{
    static struct parties pairs[2];
    struct parties *parties = &pairs[once];
    if (parties->client == NULL) {
        const struct soter_slice ours = fuzz_ec_private(256, false);
        const struct soter_slice theirs = fuzz_ec_private(256, true);
        parties_init(parties, 256, once);
        MUST(themis_testing_session_ephemeral(parties->client, ours.data, ours.len) ==
             THEMIS_SUCCESS);
        MUST(themis_testing_session_ephemeral(parties->server, theirs.data, theirs.len) ==
             THEMIS_SUCCESS);
        parties_finish(parties, 256);
    }
    return parties;
}

static void derive_secrets(uint8_t secrets[THEMIS_TESTING_SESSION_SECRETS_SIZE])
{
    const struct soter_slice ours = fuzz_ec_private(256, false);
    const struct soter_slice theirs = fuzz_ec_public(256, true);
    MUST(themis_testing_session_secrets(ours.data,
                                        ours.len,
                                        1,
                                        theirs.data,
                                        theirs.len,
                                        CLIENT_ID.data,
                                        CLIENT_ID.len,
                                        SERVER_ID.data,
                                        SERVER_ID.len,
                                        secrets) == THEMIS_SUCCESS);
}

static void start(struct model *model, fuzz_input *input)
{
    const uint8_t flags = fuzz_byte(input);
    const bool to_client = (flags & FLAG_TO_CLIENT) != 0;
    const struct parties *parties = established((flags & FLAG_ONCE) != 0);
    uint8_t secrets[THEMIS_TESTING_SESSION_SECRETS_SIZE];
    struct soter_aead_key key = {NULL, 32, true};
    derive_secrets(secrets);
    model->writer = to_client ? parties->server : parties->client;
    model->reader = to_client ? parties->client : parties->server;
    key.bytes = secrets + (to_client ? SERVER_KEY_AT : CLIENT_KEY_AT);
    MUST(soter_aead_new(&model->forger) == THEMIS_SUCCESS);
    MUST(soter_aead_set_key(model->forger, &key) == THEMIS_SUCCESS);
    for (int i = 0; i < 4; i++) {
        model->sid_reversed[i] = secrets[SID_AT + 3 - i];
    }
    model->once = (flags & FLAG_ONCE) != 0;
    model->next = fuzz_number(input);
    model->newest = model->next;
    model->moved = (flags & FLAG_NEARLY_USED_UP) != 0 ? UINT64_C(0x80000000) - STILL_LEFT : 0;
    model->seen_count = 0;
    model->kept_count = 0;
    MUST(themis_testing_session_numbers(model->writer, model->next, 0) == THEMIS_SUCCESS);
    MUST(themis_testing_session_numbers(model->reader, 0, model->newest) == THEMIS_SUCCESS);
    MUST(themis_testing_session_counts(model->writer, 0, 0) == THEMIS_SUCCESS);
    MUST(themis_testing_session_counts(model->reader, 0, model->moved) == THEMIS_SUCCESS);
}

/* The rule: what is ahead is welcome, less than 2^31 from the first if each is read once; what is
 * behind, within the window, and once if so wanted. */
static bool is_welcome(const struct model *model, uint32_t number)
{
    const uint32_t behind = model->newest - number;
    const uint32_t ahead = number - model->newest;
    if (behind > UINT32_C(0x80000000)) {
        return !model->once || model->moved + ahead < UINT64_C(0x80000000);
    }
    if (!model->once) {
        return behind <= THEMIS_SESSION_WINDOW;
    }
    for (size_t i = 0; i < model->seen_count; i++) {
        if (model->seen[i] == number) {
            return false;
        }
    }
    return behind <= THEMIS_SESSION_WINDOW_ONCE;
}

static void note(struct model *model, uint32_t number)
{
    size_t left = 0;
    if (model->newest - number > UINT32_C(0x80000000)) {
        model->moved += number - model->newest;
        model->newest = number;
    }
    model->seen[model->seen_count++] = number;
    for (size_t i = 0; i < model->seen_count; i++) { /* the circle of numbers comes round again */
        if (model->newest - model->seen[i] <= THEMIS_SESSION_WINDOW_ONCE) {
            model->seen[left++] = model->seen[i];
        }
    }
    model->seen_count = left;
}

/* Hands a message over; which of the kept ones it is, or KEPT if it is none. */
static void deliver(struct model *model, const struct fuzz_message *message, size_t which)
{
    const size_t room =
        message->len > THEMIS_SESSION_OVERHEAD ? message->len - THEMIS_SESSION_OVERHEAD : 0;
    uint8_t *copy = fuzz_copy(fuzz_slice(message));
    uint8_t *out = fuzz_room(room);
    const int status = themis_session_unwrap(model->reader,
                                             NOW,
                                             copy,
                                             message->len,
                                             out,
                                             message->len - THEMIS_SESSION_OVERHEAD);
    if (which < KEPT && model->about[which].good && is_welcome(model, model->about[which].number)) {
        MUST(status == THEMIS_SUCCESS && room == model->about[which].len);
        MUST(memcmp(out, model->about[which].text, room) == 0);
        note(model, model->about[which].number);
    } else {
        MUST(status == THEMIS_FAIL || status == THEMIS_DATA_CORRUPT ||
             status == THEMIS_INVALID_PARAMETER || status == THEMIS_NOT_SUPPORTED);
        MUST(fuzz_nothing_in(out, room));
        MUST(themis_session_refusal()[0] != '\0');
    }
    MUST(themis_session_state(model->reader) == THEMIS_SESSION_ESTABLISHED);
    free(copy);
    free(out);
}

/* Makes room among the kept messages, and puts a text there. */
static size_t keep_text(struct model *model, fuzz_input *input)
{
    const size_t which = model->kept_count++ % KEPT;
    const struct soter_slice text = fuzz_field(input);
    size_t len = text.len < MESSAGE_MAX ? text.len : MESSAGE_MAX;
    model->about[which].text[0] = 'x';
    if (len != 0) {
        memcpy(model->about[which].text, text.data, len);
    }
    model->about[which].len = len != 0 ? len : 1;
    return which;
}

static size_t wrap(struct model *model, fuzz_input *input)
{
    const size_t which = keep_text(model, input);
    const size_t len = model->about[which].len;
    MUST(themis_session_wrap(model->writer,
                             NOW,
                             model->about[which].text,
                             len,
                             model->kept[which].bytes,
                             len + THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS);
    model->kept[which].len = len + THEMIS_SESSION_OVERHEAD;
    model->about[which].number = model->next++;
    model->about[which].good = true;
    return which;
}

/* What an honest peer would never write, under the right key. */
static size_t forge(struct model *model, fuzz_input *input)
{
    const size_t which = keep_text(model, input);
    const size_t len = model->about[which].len;
    const uint8_t flags = fuzz_byte(input);
    const uint32_t number =
        (flags & 1) != 0 ? fuzz_number(input) : model->newest + fuzz_byte(input) - 128U;
    const uint32_t counted = (flags & 2) != 0 ? fuzz_number(input) : 12 + (uint32_t)len;
    uint64_t time = NOW + fuzz_number(input) % 200000 - 100000;
    uint8_t header[HEADER_SIZE];
    uint8_t *at = model->kept[which].bytes;
    const struct soter_aead_key kept = {NULL, 32, true};
    if ((flags & 4) != 0) {
        time = (uint64_t)fuzz_number(input) << 32 | fuzz_number(input);
    }
    soter_put_u32be(header, counted);
    soter_put_u32be(header + 4, number);
    soter_put_u64be(header + 8, time);
    memcpy(at, model->sid_reversed, 4);
    memset(at + 4, flags, 16); /* the nonce; nothing depends on it here */
    at += 20;
    MUST(soter_aead_start(model->forger, &kept, at - 16, NULL, 0) == THEMIS_SUCCESS);
    MUST(soter_aead_part(model->forger, header, HEADER_SIZE, at) == THEMIS_SUCCESS);
    MUST(soter_aead_encrypt(model->forger,
                            model->about[which].text,
                            len,
                            at + HEADER_SIZE,
                            at + HEADER_SIZE + len) == THEMIS_SUCCESS);
    model->kept[which].len = len + THEMIS_SESSION_OVERHEAD;
    model->about[which].number = number;
    model->about[which].good = counted == 12 + len && time + THEMIS_SESSION_MAX_AGE >= NOW &&
                               time <= NOW + THEMIS_SESSION_MAX_AGE;
    if (time > UINT64_MAX - THEMIS_SESSION_MAX_AGE) {
        model->about[which].good = false;
    }
    return which;
}

/* The last four bytes of the field for the nonce mean nothing, and nothing protects them. */
static bool is_same(const struct fuzz_message *a, const struct fuzz_message *b)
{
    enum { UNUSED_AT = 4 + 12, USED_AT = 4 + 16 };
    return a->len == b->len && soter_equal(a->bytes, b->bytes, UNUSED_AT) &&
           soter_equal(a->bytes + USED_AT, b->bytes + USED_AT, a->len - USED_AT);
}

static void step(struct model *model, fuzz_input *input)
{
    static struct fuzz_message changed;
    const uint8_t verb = fuzz_byte(input);
    size_t which = verb / 8 % KEPT;
    switch (verb % 8) {
    case 0: /* a message gets lost */
        (void)wrap(model, input);
        break;
    case 1:
    case 2:
        which = wrap(model, input);
        deliver(model, &model->kept[which], which);
        break;
    case 3:
        which = wrap(model, input);
        changed = model->kept[which];
        fuzz_edit(input, &changed);
        deliver(model, &changed, is_same(&changed, &model->kept[which]) ? which : KEPT);
        deliver(model, &model->kept[which], which);
        break;
    case 4:
        fuzz_set(&changed, fuzz_field(input));
        deliver(model, &changed, KEPT);
        break;
    case 5:
        if (which < model->kept_count) {
            deliver(model, &model->kept[which], which);
        }
        break;
    default:
        which = forge(model, input);
        deliver(model, &model->kept[which], which);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model model;
    fuzz_input input = fuzz_start(data, size);
    uint8_t nothing[1] = {0};
    uint8_t room[1 + THEMIS_SESSION_OVERHEAD];
    start(&model, &input);
    for (int steps = 0; steps < STEPS_MAX && input.left != 0; steps++) {
        step(&model, &input);
    }
    MUST(themis_session_wrap(model.writer, NOW, nothing, 0, room, 0 + THEMIS_SESSION_OVERHEAD) ==
         THEMIS_INVALID_PARAMETER);
    soter_aead_free(model.forger);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Cell with a key. Input: flags, key, context, then for a raw run a cell, else a message and
 * the edits of its cell.
 *
 * Promises: what unseals is what was sealed; a cell, token or context that is not the honest one
 * is refused, and nothing comes out. */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"

enum { SEAL, PROTECT, IMPRINT, MODES };
enum { FLAG_COMPAT = 8, FLAG_RAW = 16, FLAG_CONTEXT = 32 };

static void demand_refusal(int status, const uint8_t *out, size_t out_len)
{
    MUST(status == THEMIS_FAIL || status == THEMIS_INVALID_PARAMETER);
    MUST(fuzz_nothing_in(out, out_len));
}

/* The same cell, read in pieces: the answer is the same, and so is every byte. */
static void
read_raw(themis_cell *cell, struct soter_slice context, struct soter_slice raw, int expected)
{
    const size_t room = raw.len - THEMIS_CELL_TOKEN_SIZE;
    uint8_t *sealed = fuzz_copy(raw);
    uint8_t *message = fuzz_room(room);
    uint8_t *part = fuzz_room(room);
    themis_cell_reader *reader = NULL;
    int status = themis_cell_reader_new(cell, sealed, raw.len, context.data, context.len, &reader);
    if (status == THEMIS_SUCCESS) {
        const uint8_t *encrypted = sealed + THEMIS_CELL_TOKEN_SIZE;
        const size_t skip = room / 3;
        status = themis_cell_reader_take(reader, encrypted, room);
        MUST(status == expected);
        status = themis_cell_reader_read(reader, 0, encrypted, room, skip, part, room - skip);
        MUST(status == (expected == THEMIS_SUCCESS ? THEMIS_SUCCESS : THEMIS_INVALID_PARAMETER));
        if (expected == THEMIS_SUCCESS) {
            MUST(themis_cell_unseal(cell,
                                    sealed,
                                    raw.len,
                                    context.data,
                                    context.len,
                                    message,
                                    room) == THEMIS_SUCCESS);
            MUST(memcmp(part, message + skip, room - skip) == 0);
            sealed[raw.len - 1] ^= 1;
            MUST(themis_cell_reader_read(reader, 0, encrypted, room, 0, part, room) == THEMIS_FAIL);
            MUST(fuzz_nothing_in(part, room));
        }
    } else {
        MUST(status == expected || status == THEMIS_NOT_SUPPORTED);
    }
    themis_cell_reader_free(reader);
    free(sealed);
    free(message);
    free(part);
}

/* Any bytes as a cell. One that is accepted is sealed again, and opens again. */
static void unseal_raw(themis_cell *cell,
                       struct soter_slice context,
                       struct soter_slice raw,
                       bool is_read_in_pieces)
{
    const size_t room = raw.len > THEMIS_CELL_TOKEN_SIZE ? raw.len - THEMIS_CELL_TOKEN_SIZE : 0;
    uint8_t *sealed = fuzz_copy(raw);
    uint8_t *message = fuzz_room(room);
    int status = themis_cell_unseal(cell,
                                    sealed,
                                    raw.len,
                                    context.data,
                                    context.len,
                                    message,
                                    raw.len - THEMIS_CELL_TOKEN_SIZE);
    if (room != 0 && is_read_in_pieces) {
        read_raw(cell, context, raw, status);
    }
    if (status == THEMIS_SUCCESS) {
        uint8_t *again = fuzz_room(raw.len);
        MUST(room != 0);
        status = themis_cell_seal(cell,
                                  message,
                                  room,
                                  context.data,
                                  context.len,
                                  again,
                                  room + THEMIS_CELL_TOKEN_SIZE);
        MUST(status == THEMIS_SUCCESS);
        MUST(memcmp(again + 16, raw.data + 16, 12) != 0); /* a nonce comes once */
        free(again);
    } else {
        demand_refusal(status, message, room);
    }
    free(sealed);
    free(message);
}

/* Seal or Token Protect, which differ in where the token stands. */
static void seal_and_change(fuzz_input *input,
                            themis_cell *cell,
                            struct soter_slice context,
                            struct soter_slice text,
                            bool edit_context)
{
    static struct fuzz_message sealed;
    static struct fuzz_message changed;
    static struct fuzz_message other;
    uint8_t *copy;
    uint8_t *out = fuzz_room(FUZZ_MESSAGE_ROOM);
    int status;
    sealed.len = text.len + THEMIS_CELL_TOKEN_SIZE;
    status = themis_cell_seal(cell,
                              text.data,
                              text.len,
                              context.data,
                              context.len,
                              sealed.bytes,
                              text.len + THEMIS_CELL_TOKEN_SIZE);
    if (text.len == 0) {
        MUST(status == THEMIS_INVALID_PARAMETER);
        goto out;
    }
    MUST(status == THEMIS_SUCCESS);
    MUST(themis_cell_unprotect(cell,
                               sealed.bytes + THEMIS_CELL_TOKEN_SIZE,
                               text.len,
                               sealed.bytes,
                               context.data,
                               context.len,
                               out,
                               text.len) == THEMIS_SUCCESS);
    MUST(memcmp(out, text.data, text.len) == 0);
    changed = sealed;
    fuzz_set(&other, context);
    fuzz_edit(input, edit_context ? &other : &changed);
    copy = fuzz_copy(fuzz_slice(&changed));
    free(out);
    out =
        fuzz_room(changed.len > THEMIS_CELL_TOKEN_SIZE ? changed.len - THEMIS_CELL_TOKEN_SIZE : 0);
    status = themis_cell_unseal(cell,
                                copy,
                                changed.len,
                                other.bytes,
                                other.len,
                                out,
                                changed.len - THEMIS_CELL_TOKEN_SIZE);
    free(copy);
    if (fuzz_equal(fuzz_slice(&changed), fuzz_slice(&sealed)) &&
        fuzz_equal(fuzz_slice(&other), context)) {
        MUST(status == THEMIS_SUCCESS && memcmp(out, text.data, text.len) == 0);
    } else {
        MUST(status == THEMIS_FAIL || status == THEMIS_INVALID_PARAMETER);
        MUST(changed.len <= THEMIS_CELL_TOKEN_SIZE ||
             fuzz_nothing_in(out, changed.len - THEMIS_CELL_TOKEN_SIZE));
    }
out:
    free(out);
}

/* The token of one message with the ciphertext of another. */
static void mix_tokens(themis_cell *cell, struct soter_slice context, struct soter_slice text)
{
    uint8_t tokens[2][THEMIS_CELL_TOKEN_SIZE];
    uint8_t *encrypted[2] = {fuzz_room(text.len), fuzz_room(text.len)};
    uint8_t *out = fuzz_room(text.len);
    for (int i = 0; i < 2; i++) {
        int status = themis_cell_protect(cell,
                                         text.data,
                                         text.len,
                                         context.data,
                                         context.len,
                                         encrypted[i],
                                         text.len,
                                         tokens[i]);
        MUST(status == (text.len == 0 ? THEMIS_INVALID_PARAMETER : THEMIS_SUCCESS));
    }
    for (int i = 0; i < 4 && text.len != 0; i++) {
        /* short ones may be encrypted alike */
        const bool fits = i % 2 == i / 2 || memcmp(encrypted[0], encrypted[1], text.len) == 0;
        int status = themis_cell_unprotect(cell,
                                           encrypted[i % 2],
                                           text.len,
                                           tokens[i / 2],
                                           context.data,
                                           context.len,
                                           out,
                                           text.len);
        MUST(status == (fits ? THEMIS_SUCCESS : THEMIS_FAIL));
        MUST(fits ? memcmp(out, text.data, text.len) == 0 : fuzz_nothing_in(out, text.len));
    }
    free(encrypted[0]);
    free(encrypted[1]);
    free(out);
}

static void imprint(themis_cell *cell, struct soter_slice context, struct soter_slice text)
{
    uint8_t *there = fuzz_room(text.len);
    uint8_t *back = fuzz_room(text.len);
    int status =
        themis_cell_imprint(cell, text.data, text.len, context.data, context.len, there, text.len);
    if (text.len == 0 || context.len == 0) {
        MUST(status == THEMIS_INVALID_PARAMETER && fuzz_nothing_in(there, text.len));
    } else {
        MUST(status == THEMIS_SUCCESS);
        status =
            themis_cell_imprint(cell, there, text.len, context.data, context.len, back, text.len);
        MUST(status == THEMIS_SUCCESS && memcmp(back, text.data, text.len) == 0);
    }
    free(there);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    const struct soter_slice key = fuzz_field(&input);
    const struct soter_slice context = fuzz_field(&input);
    themis_cell *cell = NULL;
    int status = themis_cell_new(key.data, key.len, (flags & FLAG_COMPAT) != 0, &cell);
    MUST(status == (key.len == 0 ? THEMIS_INVALID_PARAMETER : THEMIS_SUCCESS));
    MUST((cell == NULL) == (key.len == 0));
    if (cell != NULL && (flags & FLAG_RAW) != 0) {
        unseal_raw(cell, context, fuzz_rest(&input), (flags & FLAG_COMPAT) == 0);
    } else if (cell != NULL) {
        const struct soter_slice text = fuzz_field(&input);
        switch (flags % 8 % MODES) {
        case SEAL:
            seal_and_change(&input, cell, context, text, (flags & FLAG_CONTEXT) != 0);
            break;
        case PROTECT:
            mix_tokens(cell, context, text);
            break;
        default:
            imprint(cell, context, text);
            break;
        }
    }
    themis_cell_free(cell);
    return 0;
}

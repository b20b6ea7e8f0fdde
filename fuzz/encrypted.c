/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted messages. Input: flags, then for a raw run a private key, a public key and a message,
 * else a message and the edits of its encrypted form.
 *
 * Promises: what unwraps is what was wrapped; anything else is refused, and nothing comes out. */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"

enum { KINDS = 5, FLAG_RAW = 8, FLAG_MEND = 16 };

/* Alice and Bob, kept from run to run. */
struct sides {
    themis_message *alice;
    themis_message *bob;
};

static themis_message *side(struct soter_slice private_key, struct soter_slice public_key)
{
    themis_message *made = NULL;
    MUST(themis_message_new(private_key.data,
                            private_key.len,
                            public_key.data,
                            public_key.len,
                            &made) == THEMIS_SUCCESS);
    return made;
}

static const struct sides *sides_of(int kind)
{
    static struct sides sides[KINDS];
    static const int bits[KINDS] = {256, 384, 521, 1024, 2048};
    const int size = bits[kind];
    struct sides *found = &sides[kind];
    if (found->alice == NULL && kind < 3) {
        found->alice = side(fuzz_ec_private(size, false), fuzz_ec_public(size, true));
        found->bob = side(fuzz_ec_private(size, true), fuzz_ec_public(size, false));
    } else if (found->alice == NULL) { /* keys of two sizes, either way round */
        const int other = size == 1024 ? 2048 : 1024;
        found->alice = side(fuzz_rsa_private(size), fuzz_rsa_public(other));
        found->bob = side(fuzz_rsa_private(other), fuzz_rsa_public(size));
    }
    return found;
}

/* Unwraps a copy into just the room that it needs; gives the status, and the data. */
static int unwrap(themis_message *message, struct soter_slice wrapped, struct soter_slice *out)
{
    const size_t growth = themis_message_unwrap_growth(message);
    const size_t room = wrapped.len > growth ? wrapped.len - growth : 0;
    uint8_t *copy = fuzz_copy(wrapped);
    uint8_t *data = fuzz_room(room);
    const int status = themis_message_unwrap(message,
                                             copy,
                                             wrapped.len,
                                             data,
                                             wrapped.len - themis_message_unwrap_growth(message));
    free(copy);
    if (status == THEMIS_SUCCESS) {
        MUST(room != 0);
        MUST(themis_message_type(wrapped.data, wrapped.len) == themis_message_own_type(message));
    } else {
        MUST(status == THEMIS_FAIL || status == THEMIS_INVALID_PARAMETER);
        MUST(fuzz_nothing_in(data, room));
    }
    *out = (struct soter_slice){data, room};
    return status;
}

static void unwrap_raw(fuzz_input *input, bool mend)
{
    static struct fuzz_message private_key;
    static struct fuzz_message public_key;
    themis_message *message = NULL;
    struct soter_slice data;
    fuzz_set(&private_key, fuzz_field(input));
    fuzz_set(&public_key, fuzz_field(input));
    if (mend) {
        (void)fuzz_mend(&private_key, 0);
        (void)fuzz_mend(&public_key, 0);
    }
    if (themis_message_new(private_key.bytes,
                           private_key.len,
                           public_key.bytes,
                           public_key.len,
                           &message) == THEMIS_SUCCESS) {
        (void)unwrap(message, fuzz_rest(input), &data);
        free((void *)(uintptr_t)data.data);
    }
    themis_message_free(message);
}

static void wrap_and_change(fuzz_input *input, int kind)
{
    static struct fuzz_message honest;
    static struct fuzz_message changed;
    const struct sides *sides = sides_of(kind);
    const struct soter_slice text = fuzz_field(input);
    struct soter_slice data;
    int status;
    honest.len = text.len + themis_message_wrap_growth(sides->alice);
    MUST(themis_message_wrap_growth(sides->alice) == themis_message_unwrap_growth(sides->bob));
    status = themis_message_wrap(sides->alice,
                                 text.data,
                                 text.len,
                                 honest.bytes,
                                 text.len + themis_message_wrap_growth(sides->alice));
    MUST(status == (text.len == 0 ? THEMIS_INVALID_PARAMETER : THEMIS_SUCCESS));
    if (status != THEMIS_SUCCESS) {
        return;
    }
    changed = honest;
    fuzz_edit(input, &changed);
    status = unwrap(sides->bob, fuzz_slice(&changed), &data);
    MUST((status == THEMIS_SUCCESS) == fuzz_equal(fuzz_slice(&changed), fuzz_slice(&honest)));
    free((void *)(uintptr_t)data.data);
    status = unwrap(sides->bob, fuzz_slice(&honest), &data);
    MUST(status == THEMIS_SUCCESS && fuzz_equal(data, text));
    free((void *)(uintptr_t)data.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    if ((flags & FLAG_RAW) != 0) {
        unwrap_raw(&input, (flags & FLAG_MEND) != 0);
    } else {
        wrap_and_change(&input, flags % 8 % KINDS);
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Signed messages. Input: flags, then for a raw run a public key and a signed message, else a
 * message and the edits of its signed form.
 *
 * Promises: what verifies is what was signed, to the byte; only what follows the signature may
 * differ, and it is not given out. */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"

enum { KINDS = 5, FLAG_RAW = 8, FLAG_MEND = 16 };

static struct soter_slice key_of(int kind, bool is_private)
{
    static const int bits[KINDS] = {256, 384, 521, 1024, 2048};
    if (kind < 3) {
        return is_private ? fuzz_ec_private(bits[kind], false) : fuzz_ec_public(bits[kind], false);
    }
    return is_private ? fuzz_rsa_private(bits[kind]) : fuzz_rsa_public(bits[kind]);
}

/* Verifies a copy that has just the room it needs. */
static int verify(const themis_verifier *verifier, struct soter_slice message, size_t *len)
{
    uint8_t *copy = fuzz_copy(message);
    const int status = themis_verifier_verify(verifier, copy, message.len, len);
    MUST(status == THEMIS_SUCCESS || status == THEMIS_INVALID_PARAMETER ||
         status == THEMIS_INVALID_SIGNATURE);
    if (status == THEMIS_SUCCESS) {
        MUST(themis_message_type(copy, message.len) == themis_verifier_type(verifier));
        MUST(*len != 0 && *len < message.len - THEMIS_SIGNED_HEADER_SIZE);
        MUST(soter_get_u32le(message.data + 4) == *len);
    }
    free(copy);
    return status;
}

static void verify_raw(fuzz_input *input, bool mend)
{
    static struct fuzz_message key;
    themis_verifier *verifier = NULL;
    size_t len;
    fuzz_set(&key, fuzz_field(input));
    if (mend) {
        (void)fuzz_mend(&key, 0);
    }
    if (themis_verifier_new(key.bytes, key.len, &verifier) == THEMIS_SUCCESS) {
        (void)verify(verifier, fuzz_rest(input), &len);
    }
    themis_verifier_free(verifier);
}

/* Signs as callers do; the length is 0 if there was nothing to sign. */
static void sign(int kind, struct soter_slice text, struct fuzz_message *out)
{
    static themis_signer *signers[KINDS];
    const struct soter_slice key = key_of(kind, true);
    uint8_t *signature;
    size_t max;
    size_t len;
    int status;
    if (signers[kind] == NULL) {
        MUST(themis_signer_new(key.data, key.len, &signers[kind]) == THEMIS_SUCCESS);
    }
    max = themis_signer_signature_max(signers[kind]);
    signature = fuzz_room(max);
    len = max;
    status = themis_signer_sign(signers[kind], text.data, text.len, out->bytes, signature, &len);
    MUST(status == (text.len == 0 ? THEMIS_INVALID_PARAMETER : THEMIS_SUCCESS));
    out->len = 0;
    if (status == THEMIS_SUCCESS) {
        MUST(0 < len && len <= max);
        memcpy(out->bytes + THEMIS_SIGNED_HEADER_SIZE, text.data, text.len);
        memcpy(out->bytes + THEMIS_SIGNED_HEADER_SIZE + text.len, signature, len);
        out->len = THEMIS_SIGNED_HEADER_SIZE + text.len + len;
    }
    free(signature);
}

static void sign_and_change(fuzz_input *input, int kind)
{
    static themis_verifier *verifiers[KINDS];
    static struct fuzz_message honest;
    static struct fuzz_message changed;
    const struct soter_slice key = key_of(kind, false);
    const struct soter_slice text = fuzz_field(input);
    size_t len;
    if (verifiers[kind] == NULL) {
        MUST(themis_verifier_new(key.data, key.len, &verifiers[kind]) == THEMIS_SUCCESS);
    }
    sign(kind, text, &honest);
    if (honest.len == 0) {
        return;
    }
    changed = honest;
    fuzz_edit(input, &changed);
    if (fuzz_begins(fuzz_slice(&changed), fuzz_slice(&honest))) {
        MUST(verify(verifiers[kind], fuzz_slice(&changed), &len) == THEMIS_SUCCESS);
        MUST(len == text.len);
    } else {
        MUST(verify(verifiers[kind], fuzz_slice(&changed), &len) != THEMIS_SUCCESS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    if ((flags & FLAG_RAW) != 0) {
        verify_raw(&input, (flags & FLAG_MEND) != 0);
    } else {
        sign_and_change(&input, flags % 8 % KINDS);
    }
    return 0;
}

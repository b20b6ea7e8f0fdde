/* SPDX-License-Identifier: Apache-2.0 */
#include "common/forged.h"

#include <stdlib.h>
#include <string.h>

#include "soter/container.h"
#include "soter/ec_key.h"
#include "soter/key_container.h"
#include "soter/sign.h"
#include "themis/session_wire.h"

/* Signs with the identity key of that side. */
static size_t
sign(bool as_client, const struct soter_slice *parts, size_t count, uint8_t *signature)
{
    static soter_sign_key *signers[2];
    size_t len = 0;
    if (signers[as_client] == NULL) {
        const struct soter_slice bytes = fuzz_ec_private(256, !as_client);
        soter_key *key = NULL;
        MUST(soter_key_read(bytes.data, bytes.len, &key) == THEMIS_SUCCESS);
        MUST(soter_sign_key_new(key, &signers[as_client]) == THEMIS_SUCCESS);
        soter_key_free(key);
    }
    MUST(soter_sign(signers[as_client], parts, count, signature, &len) == THEMIS_SUCCESS);
    return len;
}

/* Some bytes as an ephemeral key: an honest one that is edited, or none at all. */
static void make_ephemeral(fuzz_input *input, struct fuzz_message *out)
{
    const uint8_t flags = fuzz_byte(input);
    if ((flags & 1) != 0) {
        fuzz_set(out, fuzz_ec_public(256, (flags & 2) != 0));
    } else {
        memcpy(out->bytes, "UEC2", SOTER_CONTAINER_TAG_SIZE);
        out->len = SOTER_CONTAINER_HEADER_SIZE;
    }
    if ((flags & 4) != 0) {
        fuzz_edit(input, out);
    } else {
        const struct soter_slice payload = fuzz_field(input);
        const size_t len = payload.len < 65 ? payload.len : 65;
        if (len != 0) {
            memcpy(out->bytes + SOTER_CONTAINER_HEADER_SIZE, payload.data, len);
            out->len = SOTER_CONTAINER_HEADER_SIZE + len;
        }
    }
    if ((flags & 8) == 0 && out->len >= SOTER_CONTAINER_HEADER_SIZE) {
        soter_put_u32be(out->bytes + SOTER_CONTAINER_TAG_SIZE, (uint32_t)out->len);
        (void)fuzz_mend(out, 0);
    }
}

/* Whether these bytes are a public key of P-256, and would still be in front of others. */
static bool is_ephemeral(struct soter_slice bytes)
{
    soter_key *key = NULL;
    bool good =
        (bytes.len == SOTER_P256_PUBLIC_SIZE || bytes.len == SOTER_P256_PUBLIC_UNCOMPRESSED_SIZE) &&
        memcmp(bytes.data, "UEC2", SOTER_CONTAINER_TAG_SIZE) == 0;
    good = soter_key_read(bytes.data, bytes.len, &key) == THEMIS_SUCCESS && good;
    soter_key_free(key);
    return good;
}

bool forge_hello(fuzz_input *input, const struct fuzz_message *first, struct fuzz_message *out)
{
    static struct fuzz_message ephemeral;
    uint8_t signature[SOTER_EC_SIGNATURE_MAX_SIZE];
    struct themis_session_out written = {out->bytes, sizeof out->bytes, 0};
    struct themis_session_hello hello = {{NULL, 0}, {NULL, 0}, {signature, 0}};
    struct soter_slice parts[4];
    size_t count = 1;
    hello.id = fuzz_field(input);
    make_ephemeral(input, &ephemeral);
    hello.ephemeral = fuzz_slice(&ephemeral);
    parts[0] = hello.ephemeral;
    if (first != NULL) {
        struct themis_session_hello request;
        MUST(themis_session_read_hello(first->bytes, first->len, &request) == THEMIS_SUCCESS);
        parts[1] = request.ephemeral;
        parts[2] = hello.id;
        parts[3] = request.id;
        count = 4;
    }
    hello.signature.len = sign(first == NULL, parts, count, signature);
    MUST(themis_session_write_hello(&hello, &written) == THEMIS_SUCCESS);
    out->len = written.len;
    return hello.id.len != 0 && is_ephemeral(hello.ephemeral);
}

bool offer_forged(themis_session *session,
                  struct soter_slice peer_key,
                  const struct fuzz_message *message,
                  bool acceptable)
{
    const int state = themis_session_state(session);
    const size_t room = themis_session_negotiation_size(session);
    uint8_t *copy = fuzz_copy(fuzz_slice(message));
    uint8_t *reply = fuzz_room(room);
    size_t reply_len = room;
    const int status = themis_session_negotiate(session,
                                                copy,
                                                message->len,
                                                peer_key.data,
                                                peer_key.len,
                                                reply,
                                                &reply_len);
    if (acceptable) {
        MUST(status == THEMIS_SEND_OUTPUT_TO_PEER);
        MUST(0 < reply_len && reply_len <= room);
        MUST(themis_session_state(session) != state);
    } else {
        MUST(status == THEMIS_INVALID_PARAMETER || status == THEMIS_DATA_CORRUPT ||
             status == THEMIS_INVALID_SIGNATURE);
        MUST(reply_len == 0 && themis_session_state(session) == state);
    }
    free(copy);
    free(reply);
    return acceptable;
}

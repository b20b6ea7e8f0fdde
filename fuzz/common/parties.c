/* SPDX-License-Identifier: Apache-2.0 */
#include "common/parties.h"

#include <stdlib.h>
#include <string.h>

#include "soter/container.h"

#define NOW 1700000000

struct soter_slice parties_key(int bits, bool of_client)
{
    return fuzz_ec_public(bits, !of_client);
}

static themis_session *
new_session(struct soter_slice id, struct soter_slice private_key, bool reject_duplicates)
{
    themis_session *made = NULL;
    MUST(themis_session_new(id.data,
                            id.len,
                            private_key.data,
                            private_key.len,
                            reject_duplicates ? THEMIS_SESSION_REJECT_DUPLICATES : 0,
                            &made) == THEMIS_SUCCESS);
    return made;
}

void parties_init(struct parties *parties, int bits, bool reject_duplicates)
{
    parties->client = new_session(CLIENT_ID, fuzz_ec_private(bits, false), reject_duplicates);
    parties->server = new_session(SERVER_ID, fuzz_ec_private(bits, true), reject_duplicates);
    parties->count = 0;
}

void parties_free(struct parties *parties)
{
    themis_session_free(parties->client);
    themis_session_free(parties->server);
}

/* Hands an honest message over; its reply becomes the next one. */
static void pass_on(struct parties *parties, int bits, bool to_client)
{
    themis_session *session = to_client ? parties->client : parties->server;
    const struct soter_slice key = parties_key(bits, !to_client);
    const struct fuzz_message *message = &parties->sent[parties->count - 1];
    struct fuzz_message *reply = &parties->sent[parties->count % 4];
    const bool last = parties->count == 4;
    uint8_t nothing[1];
    size_t reply_len = last ? 0 : themis_session_negotiation_size(session);
    uint8_t *room = last ? nothing : reply->bytes;
    const int status = themis_session_negotiate(session,
                                                message->bytes,
                                                message->len,
                                                key.data,
                                                key.len,
                                                room,
                                                &reply_len);
    MUST(status == (last ? THEMIS_SUCCESS : THEMIS_SEND_OUTPUT_TO_PEER));
    if (!last) {
        MUST(reply_len <= themis_session_negotiation_size(session));
        reply->len = reply_len;
        parties->count++;
    }
}

void parties_negotiate(struct parties *parties, int bits, int count)
{
    while (parties->count < count) {
        if (parties->count == 0) {
            struct fuzz_message *first = &parties->sent[0];
            first->len = themis_session_negotiation_size(parties->client);
            MUST(themis_session_connect_request(parties->client, first->bytes, &first->len) ==
                 THEMIS_SUCCESS);
            parties->count = 1;
        } else {
            pass_on(parties, bits, parties->count % 2 == 0);
        }
    }
}

static void demand_id(const themis_session *session, struct soter_slice id)
{
    struct soter_slice found;
    found.data = themis_session_remote_id(session, &found.len);
    MUST(fuzz_equal(found, id));
}

void parties_finish(struct parties *parties, int bits)
{
    parties_negotiate(parties, bits, 4);
    pass_on(parties, bits, true);
    demand_id(parties->client, SERVER_ID);
    demand_id(parties->server, CLIENT_ID);
    parties_talk(parties);
}

void parties_talk(const struct parties *parties)
{
    static const uint8_t text[] = "a message";
    for (int direction = 0; direction < 2; direction++) {
        themis_session *from = direction == 0 ? parties->client : parties->server;
        themis_session *to = direction == 0 ? parties->server : parties->client;
        uint8_t wrapped[sizeof text + THEMIS_SESSION_OVERHEAD];
        uint8_t found[sizeof text];
        MUST(themis_session_wrap(from,
                                 NOW,
                                 text,
                                 sizeof text,
                                 wrapped,
                                 sizeof text + THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS);
        MUST(themis_session_unwrap(to,
                                   NOW,
                                   wrapped,
                                   sizeof wrapped,
                                   found,
                                   sizeof wrapped - THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS);
        MUST(memcmp(text, found, sizeof text) == 0);
    }
}

void parties_tamper(fuzz_input *input, const struct parties *parties, struct fuzz_message *message)
{
    enum { MEND_OUTSIDE = 1, MEND_INSIDE = 2, OTHER = 4, RAW = 8 };
    const uint8_t flags = fuzz_byte(input);
    if ((flags & RAW) != 0) {
        fuzz_set(message, fuzz_field(input));
    } else if ((flags & OTHER) != 0) {
        *message = parties->sent[flags / 16 % parties->count];
    } else {
        *message = parties->sent[parties->count - 1];
    }
    if ((flags & RAW) == 0 && (flags & (OTHER | 128)) != (OTHER | 128)) {
        fuzz_edit(input, message);
    }
    if ((flags & MEND_INSIDE) != 0) {
        const size_t id = fuzz_mend(message, SOTER_CONTAINER_HEADER_SIZE);
        (void)fuzz_mend(message, SOTER_CONTAINER_HEADER_SIZE + id);
    }
    if ((flags & MEND_OUTSIDE) != 0) {
        (void)fuzz_mend(message, 0);
    }
}

/* The id that a first or second message claims; empty if it is none. */
static struct soter_slice claimed_id(const uint8_t *message, size_t message_len)
{
    struct soter_slice id = {NULL, 0};
    size_t offset = 0;
    const int status = themis_session_claimed_peer(message, message_len, &offset, &id.len);
    if (status == THEMIS_SUCCESS) {
        MUST(id.len != 0 && offset <= message_len && id.len <= message_len - offset);
        id.data = message + offset;
    } else {
        MUST(status == THEMIS_INVALID_PARAMETER || status == THEMIS_DATA_CORRUPT);
    }
    return id;
}

void parties_attack(themis_session *session,
                    struct soter_slice peer_key,
                    bool wrong_key,
                    const struct fuzz_message *honest,
                    const struct fuzz_message *attack)
{
    const int state = themis_session_state(session);
    const size_t room = themis_session_negotiation_size(session);
    const struct soter_slice id = claimed_id(attack->bytes, attack->len);
    size_t reply_len = room;
    uint8_t *copy;
    uint8_t *reply;
    int status;
    if (fuzz_begins(fuzz_slice(attack), fuzz_slice(honest)) && !(wrong_key && id.len != 0)) {
        return;
    }
    /* An application knows no key for an id that it does not know. */
    if (!fuzz_equal(id, claimed_id(honest->bytes, honest->len))) {
        peer_key.len = 0;
    }
    copy = fuzz_copy(fuzz_slice(attack));
    reply = fuzz_room(room);
    MUST(claimed_id(copy, attack->len).len == id.len);
    status = themis_session_negotiate(session,
                                      copy,
                                      attack->len,
                                      peer_key.data,
                                      peer_key.len,
                                      reply,
                                      &reply_len);
    MUST(status == THEMIS_INVALID_PARAMETER || status == THEMIS_DATA_CORRUPT ||
         status == THEMIS_INVALID_SIGNATURE || status == THEMIS_FAIL ||
         status == THEMIS_SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR);
    MUST(reply_len == 0 && fuzz_nothing_in(reply, room));
    MUST(themis_session_state(session) == state);
    MUST(themis_session_refusal()[0] != '\0');
    MUST(themis_session_remote_id(session, &reply_len) == NULL && reply_len == 0);
    free(copy);
    free(reply);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "known_answers.h"
#include "themis.h"

enum { MAX_MESSAGE = 1024, MAC_SIZE = 32 };

/* One end of a session, with the message that it writes next. */
struct end {
    themis_session *session;
    uint8_t *message; /* MAX_MESSAGE bytes */
    size_t len;
};

static struct end end_new(struct field id, struct field private_key, int reject_duplicates)
{
    struct end end = {NULL, odd_block(MAX_MESSAGE), 0};
    if (themis_session_new(id.data,
                           id.len,
                           private_key.data,
                           private_key.len,
                           reject_duplicates ? THEMIS_SESSION_REJECT_DUPLICATES : 0,
                           &end.session) != THEMIS_SUCCESS) {
        end.session = NULL;
    }
    return end;
}

static void end_free(struct end *end)
{
    themis_session_free(end->session);
    odd_free(end->message);
}

static bool end_plans(struct end *end, struct field ephemeral)
{
    return end->session != NULL &&
           themis_testing_session_ephemeral(end->session, ephemeral.data, ephemeral.len) ==
               THEMIS_SUCCESS;
}

static bool end_requests(struct end *end)
{
    end->len = MAX_MESSAGE;
    return themis_session_connect_request(end->session, end->message, &end->len) == THEMIS_SUCCESS;
}

/* Hands a negotiation message over, which claims to come from this peer, or from none. */
static int end_takes(struct end *end, struct field message, struct field peer_id, struct field key)
{
    size_t at = 0;
    size_t len = 0;
    if (themis_session_claimed_peer(message.data, message.len, &at, &len) == THEMIS_SUCCESS &&
        !field_is(peer_id, message.data + at, len)) {
        return THEMIS_FAIL;
    }
    end->len = MAX_MESSAGE;
    return themis_session_negotiate(end->session,
                                    message.data,
                                    message.len,
                                    key.data,
                                    key.len,
                                    end->message,
                                    &end->len);
}

static struct field written(const struct end *end)
{
    return (struct field){end->message, end->len};
}

static bool is_established_with(const struct end *end, struct field peer_id)
{
    size_t len = 0;
    const uint8_t *id = themis_session_remote_id(end->session, &len);
    return themis_session_state(end->session) == THEMIS_SESSION_ESTABLISHED && id != NULL &&
           field_is(peer_id, id, len);
}

/* our ephemeral private key, whether we are the client, the peer's public one, client id, server
 * id, what is derived */
bool check_secrets(const struct line *line)
{
    const struct field *f = line->fields;
    bool is_right = true;
    uint8_t *out = odd_block(THEMIS_TESTING_SESSION_SECRETS_SIZE);
    const int status = themis_testing_session_secrets(f[0].data,
                                                      f[0].len,
                                                      field_number(f[1]) != 0,
                                                      f[2].data,
                                                      f[2].len,
                                                      f[3].data,
                                                      f[3].len,
                                                      f[4].data,
                                                      f[4].len,
                                                      out);
    DEMAND(status == THEMIS_SUCCESS);
    DEMAND(field_is(f[5], out, THEMIS_TESTING_SESSION_SECRETS_SIZE));
out:
    odd_free(out);
    return is_right;
}

/* A recorded session from the client's side: our id, private key and ephemeral key, the server's
 * id and public key, messages 2, 3 and 4. Signatures differ each time, the MAC behind one not. */
bool check_client(const struct line *line)
{
    const struct field *f = line->fields;
    bool is_right = true;
    struct end client = end_new(f[0], f[1], 0);
    DEMAND(end_plans(&client, f[2]) && end_requests(&client));
    DEMAND(end_takes(&client, f[5], f[3], f[4]) == THEMIS_SEND_OUTPUT_TO_PEER);
    DEMAND(client.len > MAC_SIZE && f[6].len > MAC_SIZE);
    DEMAND(memcmp(client.message + client.len - MAC_SIZE,
                  f[6].data + f[6].len - MAC_SIZE,
                  MAC_SIZE) == 0);
    DEMAND(end_takes(&client, f[7], f[3], f[4]) == THEMIS_SUCCESS);
    DEMAND(is_established_with(&client, f[3]));
out:
    end_free(&client);
    return is_right;
}

/* The same from the server's side: our id, private key and ephemeral key, the client's id and
 * public key, messages 1, 3 and 4. */
bool check_server(const struct line *line)
{
    const struct field *f = line->fields;
    bool is_right = true;
    struct end server = end_new(f[0], f[1], 0);
    DEMAND(end_plans(&server, f[2]));
    DEMAND(end_takes(&server, f[5], f[3], f[4]) == THEMIS_SEND_OUTPUT_TO_PEER);
    DEMAND(end_takes(&server, f[6], f[3], f[4]) == THEMIS_SEND_OUTPUT_TO_PEER);
    DEMAND(field_is(f[7], server.message, server.len));
    DEMAND(is_established_with(&server, f[3]));
out:
    end_free(&server);
    return is_right;
}

/* Who takes part: id, private key, public key. */
struct party {
    struct field id;
    struct field private_key;
    struct field public_key;
};

static bool
negotiate(struct end *client, struct end *server, struct party initiator, struct party responder)
{
    bool is_right = true;
    DEMAND(client->session != NULL && server->session != NULL && end_requests(client));
    DEMAND(end_takes(server, written(client), initiator.id, initiator.public_key) ==
           THEMIS_SEND_OUTPUT_TO_PEER);
    DEMAND(end_takes(client, written(server), responder.id, responder.public_key) ==
           THEMIS_SEND_OUTPUT_TO_PEER);
    DEMAND(end_takes(server, written(client), initiator.id, initiator.public_key) ==
           THEMIS_SEND_OUTPUT_TO_PEER);
    DEMAND(end_takes(client, written(server), responder.id, responder.public_key) ==
           THEMIS_SUCCESS);
    DEMAND(is_established_with(client, responder.id) && is_established_with(server, initiator.id));
out:
    return is_right;
}

/* The client's id, private key, ephemeral key and public key, the same of the server, the time,
 * whether the client wrote it, a recorded data message, and what it says. */
bool check_data(const struct line *line)
{
    const struct field *f = line->fields;
    const struct party initiator = {f[0], f[1], f[3]};
    const struct party responder = {f[4], f[5], f[7]};
    const uint64_t now = field_number(f[8]);
    bool is_right = true;
    struct end client = end_new(f[0], f[1], 0);
    struct end server = end_new(f[4], f[5], 0);
    const struct end *reader = field_number(f[9]) != 0 ? &server : &client;
    uint8_t *opened = odd_block(f[10].len);
    DEMAND(end_plans(&client, f[2]) && end_plans(&server, f[6]));
    DEMAND(negotiate(&client, &server, initiator, responder));
    DEMAND(themis_session_unwrap(reader->session,
                                 now + THEMIS_SESSION_MAX_AGE + 5,
                                 f[10].data,
                                 f[10].len,
                                 opened,
                                 f[10].len - THEMIS_SESSION_OVERHEAD) == THEMIS_FAIL);
    DEMAND(themis_session_unwrap(reader->session,
                                 now,
                                 f[10].data,
                                 f[10].len,
                                 opened,
                                 f[10].len - THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS);
    DEMAND(field_is(f[11], opened, f[10].len - THEMIS_SESSION_OVERHEAD));
out:
    end_free(&client);
    end_free(&server);
    odd_free(opened);
    return is_right;
}

/* A few messages one way, past the end of the numbers; each is read once. */
static bool talk(const struct end *writer, const struct end *reader)
{
    enum { TEXT_SIZE = 77, TURNS = 6 };
    const uint64_t now = 1900000000;
    bool is_right = true;
    uint8_t *text = odd_block(TEXT_SIZE);
    uint8_t *opened = odd_block(TEXT_SIZE);
    uint8_t *wrapped = odd_block(TEXT_SIZE + THEMIS_SESSION_OVERHEAD);
    const size_t len = TEXT_SIZE + THEMIS_SESSION_OVERHEAD;
    for (int turn = 0; turn < TURNS; turn++) {
        memset(text, 'a' + turn, TEXT_SIZE);
        DEMAND(themis_session_wrap(writer->session,
                                   now,
                                   text,
                                   TEXT_SIZE,
                                   wrapped,
                                   TEXT_SIZE + THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS);
        wrapped[len - 1] ^= 1;
        DEMAND(themis_session_unwrap(reader->session,
                                     now,
                                     wrapped,
                                     len,
                                     opened,
                                     len - THEMIS_SESSION_OVERHEAD) == THEMIS_FAIL);
        wrapped[len - 1] ^= 1;
        DEMAND(themis_session_unwrap(reader->session,
                                     now,
                                     wrapped,
                                     len,
                                     opened,
                                     len - THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS);
        DEMAND(memcmp(text, opened, TEXT_SIZE) == 0);
        DEMAND(themis_session_unwrap(reader->session,
                                     now,
                                     wrapped,
                                     len,
                                     opened,
                                     len - THEMIS_SESSION_OVERHEAD) == THEMIS_FAIL);
    }
out:
    odd_free(text);
    odd_free(opened);
    odd_free(wrapped);
    return is_right;
}

/* Two parties (id, private key, public key) who agree on keys and talk, also where the numbers of
 * their messages wrap. */
bool check_session(const struct line *line)
{
    const struct field *f = line->fields;
    const uint32_t last = UINT32_MAX - 2;
    bool is_right = true;
    struct end client = end_new(f[0], f[1], 1);
    struct end server = end_new(f[3], f[4], 1);
    DEMAND(negotiate(&client,
                     &server,
                     (struct party){f[0], f[1], f[2]},
                     (struct party){f[3], f[4], f[5]}));
    DEMAND(talk(&client, &server) && talk(&server, &client));
    DEMAND(themis_testing_session_numbers(client.session, last, last) == THEMIS_SUCCESS);
    DEMAND(themis_testing_session_numbers(server.session, last, last) == THEMIS_SUCCESS);
    DEMAND(talk(&client, &server) && talk(&server, &client));
out:
    end_free(&client);
    end_free(&server);
    return is_right;
}

/* Hands a message from one side of a comparison to the other, over and over, to the end. */
static bool exchange(themis_comparator *alice, themis_comparator *bob)
{
    enum { MAX_SIZE = 352 };
    bool is_right = true;
    themis_comparator *turn = bob;
    uint8_t *message = odd_block(MAX_SIZE);
    uint8_t *reply = odd_block(MAX_SIZE);
    size_t len = THEMIS_COMPARATOR_FIRST_SIZE;
    DEMAND(themis_comparator_begin(alice, message) == THEMIS_SUCCESS);
    while (len != 0) {
        const size_t reply_len = themis_comparator_reply_size(turn);
        uint8_t *swapped = reply;
        DEMAND(reply_len <= MAX_SIZE && len == themis_comparator_expected_size(turn));
        DEMAND(themis_comparator_proceed(turn,
                                         message,
                                         len,
                                         reply,
                                         themis_comparator_reply_size(turn)) == THEMIS_SUCCESS);
        reply = message;
        message = swapped;
        len = reply_len;
        turn = turn == bob ? alice : bob;
    }
    DEMAND(themis_comparator_expected_size(alice) == 0);
    DEMAND(themis_comparator_expected_size(bob) == 0);
out:
    odd_free(message);
    odd_free(reply);
    return is_right;
}

/* Alice's secret, Bob's secret, whether they are equal */
bool check_comparison(const struct line *line)
{
    const struct field *f = line->fields;
    const int expected =
        field_number(f[2]) != 0 ? THEMIS_COMPARATOR_MATCH : THEMIS_COMPARATOR_NO_MATCH;
    bool is_right = true;
    themis_comparator *alice = NULL;
    themis_comparator *bob = NULL;
    DEMAND(themis_comparator_new(&alice) == THEMIS_SUCCESS);
    DEMAND(themis_comparator_new(&bob) == THEMIS_SUCCESS);
    DEMAND(themis_comparator_append(alice, f[0].data, f[0].len) == THEMIS_SUCCESS);
    DEMAND(themis_comparator_append(bob, f[1].data, f[1].len) == THEMIS_SUCCESS);
    DEMAND(exchange(alice, bob));
    DEMAND(themis_comparator_result(alice) == expected);
    DEMAND(themis_comparator_result(bob) == expected);
out:
    themis_comparator_free(alice);
    themis_comparator_free(bob);
    return is_right;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Session. */
#include "operations/stage.h"

#include <string.h>

#include "secrets.h"

static const uint8_t client_id[] = "the client";
static const uint8_t server_id[] = "the server";

#define CLIENT_ID client_id, sizeof client_id - 1
#define SERVER_ID server_id, sizeof server_id - 1
enum { CLIENT_KIND = EC_256, SERVER_KIND = EC_256_OTHER };

static void add_session_secrets(void)
{
    uint8_t secrets[THEMIS_TESTING_SESSION_SECRETS_SIZE];
    uint8_t shared[32];
    add_private(&pairs[CLIENT_KIND]);
    add_private(&pairs[SERVER_KIND]);
    add_private(&ephemeral[0]);
    add_private(&ephemeral[1]);
    agree(&ephemeral[0], &ephemeral[1], shared, sizeof shared);
    add_hmac("agreed secret", shared, sizeof shared);
    must(themis_testing_session_secrets(ephemeral[0].private_key,
                                        ephemeral[0].private_len,
                                        1,
                                        ephemeral[1].public_key,
                                        ephemeral[1].public_len,
                                        CLIENT_ID,
                                        SERVER_ID,
                                        secrets),
         "secrets");
    add_hmac("master key of a session", secrets + 4, 32);
    for (int i = 0; i < 2; i++) {
        secrets_add("key of a session", secrets + 36 + 32 * i, 32);
        add_aes(secrets + 36 + 32 * i, 256);
    }
    secrets_add("message", text, TEXT_SIZE);
}

static int run_session_new(const struct operation *operation)
{
    (void)operation;
    return themis_session_new(CLIENT_ID, PRIVATE(CLIENT_KIND), 0, &stage.client);
}

static bool has_session(const struct operation *operation)
{
    (void)operation;
    return stage.client != NULL;
}

static int negotiate(themis_session *session, int kind)
{
    size_t len = sizeof stage.out;
    const int status =
        themis_session_negotiate(session, stage.in, stage.in_len, PUBLIC(kind), stage.out, &len);
    stage.out_len = len;
    return status;
}

/* Takes negotiation message `number`; 0 makes the first. */
static int step(int number)
{
    size_t len = sizeof stage.out;
    int status;
    switch (number) {
    case 0:
        status = themis_session_connect_request(stage.client, stage.out, &len);
        stage.out_len = len;
        return status;
    case 1:
    case 3:
        return negotiate(stage.server, CLIENT_KIND);
    default:
        return negotiate(stage.client, SERVER_KIND);
    }
}

/* operation->kind: which message is due; operation->flag: with planned ephemeral keys. */
static void set_up_negotiation(const struct operation *operation)
{
    must(run_session_new(operation), "a client");
    must(themis_session_new(SERVER_ID, PRIVATE(SERVER_KIND), 0, &stage.server), "a server");
    if (operation->flag) {
        must(themis_testing_session_ephemeral(stage.client,
                                              ephemeral[0].private_key,
                                              ephemeral[0].private_len),
             "a plan");
        must(themis_testing_session_ephemeral(stage.server,
                                              ephemeral[1].private_key,
                                              ephemeral[1].private_len),
             "a plan");
    }
    add_session_secrets();
    for (int number = 0; number < operation->kind; number++) {
        must(step(number), "to negotiate");
        memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
    }
}

static int run_step(const struct operation *operation)
{
    static const int before_client[] = {THEMIS_SESSION_IDLE,
                                        THEMIS_SESSION_WAITING_FOR_2,
                                        THEMIS_SESSION_WAITING_FOR_2,
                                        THEMIS_SESSION_WAITING_FOR_4,
                                        THEMIS_SESSION_WAITING_FOR_4};
    static const int before_server[] = {THEMIS_SESSION_IDLE,
                                        THEMIS_SESSION_IDLE,
                                        THEMIS_SESSION_WAITING_FOR_3,
                                        THEMIS_SESSION_WAITING_FOR_3,
                                        THEMIS_SESSION_ESTABLISHED};
    const int status = step(operation->kind);
    if (status == THEMIS_SEND_OUTPUT_TO_PEER) {
        return THEMIS_SUCCESS;
    }
    if (status != THEMIS_SUCCESS &&
        (stage.out_len != 0 ||
         themis_session_state(stage.client) != before_client[operation->kind] ||
         themis_session_state(stage.server) != before_server[operation->kind])) {
        stage_fail("to leave a session as it was");
    }
    return status;
}

/* Whether the two come to an end together, and understand each other. */
static bool is_negotiated(const struct operation *operation)
{
    uint8_t wrapped[TEXT_SIZE + THEMIS_SESSION_OVERHEAD];
    uint8_t opened[TEXT_SIZE];
    for (int number = operation->kind + 1; number <= 4; number++) {
        memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
        must(step(number), "to go on negotiating");
    }
    return themis_session_state(stage.client) == THEMIS_SESSION_ESTABLISHED &&
           themis_session_state(stage.server) == THEMIS_SESSION_ESTABLISHED &&
           themis_session_wrap(stage.client,
                               0,
                               text,
                               TEXT_SIZE,
                               wrapped,
                               TEXT_SIZE + THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS &&
           themis_session_unwrap(stage.server,
                                 0,
                                 wrapped,
                                 sizeof wrapped,
                                 opened,
                                 sizeof wrapped - THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0 &&
           themis_session_wrap(stage.server,
                               0,
                               text,
                               TEXT_SIZE,
                               wrapped,
                               TEXT_SIZE + THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS &&
           themis_session_unwrap(stage.client,
                                 0,
                                 wrapped,
                                 sizeof wrapped,
                                 opened,
                                 sizeof wrapped - THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

/* The first message stands where it was read. */
static int run_claimed_peer(const struct operation *operation)
{
    size_t offset = 0;
    size_t len = 0;
    const int status = themis_session_claimed_peer(stage.in, stage.in_len, &offset, &len);
    (void)operation;
    if (status == THEMIS_SUCCESS) {
        memcpy(stage.out, stage.in + offset, stage.out_len = len);
    }
    return status;
}

static bool is_client(const struct operation *operation)
{
    (void)operation;
    return stage.out_len == sizeof client_id - 1 &&
           memcmp(stage.out, client_id, sizeof client_id - 1) == 0;
}

static const struct operation established = {.kind = 5, .flag = 1};

static void set_up_session_text(const struct operation *operation)
{
    (void)operation;
    set_up_negotiation(&established);
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_session_wrap(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE + THEMIS_SESSION_OVERHEAD;
    return themis_session_wrap(stage.client,
                               0,
                               stage.in,
                               stage.in_len,
                               stage.out,
                               stage.in_len + THEMIS_SESSION_OVERHEAD);
}

static bool is_session_wrapped(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return themis_session_unwrap(stage.server,
                                 0,
                                 stage.out,
                                 TEXT_SIZE + THEMIS_SESSION_OVERHEAD,
                                 opened,
                                 TEXT_SIZE + THEMIS_SESSION_OVERHEAD - THEMIS_SESSION_OVERHEAD) ==
               THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

static void set_up_session_wrapped(const struct operation *operation)
{
    set_up_session_text(operation);
    stage.in_len = TEXT_SIZE + THEMIS_SESSION_OVERHEAD;
    must(themis_session_wrap(stage.client,
                             0,
                             text,
                             TEXT_SIZE,
                             stage.in,
                             TEXT_SIZE + THEMIS_SESSION_OVERHEAD),
         "to wrap");
}

static int run_session_unwrap(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_session_unwrap(stage.server,
                                 0,
                                 stage.in,
                                 stage.in_len,
                                 stage.out,
                                 stage.in_len - THEMIS_SESSION_OVERHEAD);
}

/* Dead: it says so to whatever one asks of it. */
static bool is_session_dead(const struct operation *operation)
{
    uint8_t out[TEXT_SIZE + THEMIS_SESSION_OVERHEAD];
    themis_session *session = operation->run == run_session_wrap ? stage.client : stage.server;
    size_t len;
    return themis_session_state(session) == THEMIS_SESSION_FAILED &&
           themis_session_wrap(session,
                               0,
                               text,
                               TEXT_SIZE,
                               out,
                               TEXT_SIZE + THEMIS_SESSION_OVERHEAD) == THEMIS_ENGINE_FAIL &&
           themis_session_remote_id(session, &len) == NULL;
}

#define NEGOTIATION(title, number, planned)                                                        \
    {.name = title,                                                                                \
     .set_up = set_up_negotiation,                                                                 \
     .run = run_step,                                                                              \
     .is_right = is_negotiated,                                                                    \
     .kind = (number),                                                                             \
     .flag = (planned)}

const struct operation session_operations[] = {
    {.name = "session_new", .run = run_session_new, .is_right = has_session, .makes = true},
    NEGOTIATION("connect request", 0, 0),
    NEGOTIATION("negotiate 1", 1, 0),
    NEGOTIATION("negotiate 2", 2, 0),
    NEGOTIATION("negotiate 3", 3, 0),
    NEGOTIATION("negotiate 4", 4, 0),
    NEGOTIATION("planned connect request", 0, 1),
    NEGOTIATION("planned negotiate 1", 1, 1),
    NEGOTIATION("planned negotiate 2", 2, 1),
    NEGOTIATION("planned negotiate 3", 3, 1),
    NEGOTIATION("planned negotiate 4", 4, 1),
    {.name = "claimed peer",
     .set_up = set_up_negotiation,
     .run = run_claimed_peer,
     .is_right = is_client,
     .kind = 1,
     .flag = 1},
    {.name = "session wrap",
     .set_up = set_up_session_text,
     .run = run_session_wrap,
     .is_right = is_session_wrapped,
     .is_dead = is_session_dead},
    {.name = "session unwrap",
     .set_up = set_up_session_wrapped,
     .run = run_session_unwrap,
     .is_right = is_opened,
     .is_dead = is_session_dead},
    {.name = NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Session: the object, its state machine and its messages (specification, section 5). */
#include <stdlib.h>
#include <string.h>

#include "soter/key_container.h"
#include "soter/locked.h"
#include "themis.h"
#include "themis/session_handshake.h"
#include "themis/session_peer.h"
#include "themis/session_state.h"

/* Prepares the identity key for signing, and keeps it for knowing it again. */
static soter_status
prepare_identity(themis_session *session, const uint8_t *private_key, size_t private_key_len)
{
    const struct soter_key_kind *kind;
    soter_status status = soter_key_inspect(private_key, private_key_len, &kind);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (kind->algorithm != SOTER_KEY_EC) {
        return SOTER_NOT_SUPPORTED;
    }
    status = soter_key_read_half(private_key, private_key_len, true, &session->identity);
    return status == SOTER_SUCCESS ? soter_sign_key_new(session->identity, &session->signer)
                                   : status;
}

int themis_session_new(const uint8_t *id,
                       size_t id_len,
                       const uint8_t *private_key,
                       size_t private_key_len,
                       int options,
                       themis_session **out)
{
    soter_status status;
    themis_session *session;
    if (id_len == 0 || (uint64_t)id_len > UINT32_MAX - THEMIS_SESSION_WIRE_SIZE(0) || options < 0 ||
        options > THEMIS_SESSION_OPTIONS) {
        return SOTER_INVALID_PARAMETER;
    }
    session = soter_locked_new(sizeof *session);
    if (session == NULL) {
        return SOTER_NO_MEMORY;
    }
    session->state = THEMIS_SESSION_IDLE;
    session->reject_duplicates = (options & THEMIS_SESSION_REJECT_DUPLICATES) != 0;
    session->allow_own_identity = (options & THEMIS_SESSION_ALLOW_OWN_IDENTITY) != 0;
    session->id = malloc(id_len);
    session->id_len = id_len;
    if (session->id == NULL) {
        status = SOTER_NO_MEMORY;
        goto out;
    }
    memcpy(session->id, id, id_len);
    status = prepare_identity(session, private_key, private_key_len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = session;
    session = NULL;
out:
    themis_session_free(session);
    return status;
}

void themis_session_free(themis_session *session)
{
    if (session != NULL) {
        themis_session_forget(session);
        themis_session_channel_free(session->channel);
        soter_sign_key_free(session->signer);
        free(session->id);
        free(session->peer.id);
        soter_locked_free(session, sizeof *session);
    }
}

int themis_session_state(const themis_session *session)
{
    return session->state;
}

const uint8_t *themis_session_remote_id(const themis_session *session, size_t *id_len)
{
    if (session->state != THEMIS_SESSION_ESTABLISHED) {
        *id_len = 0;
        return NULL;
    }
    *id_len = session->peer.id_len;
    return session->peer.id;
}

int themis_session_claimed_peer(const uint8_t *message,
                                size_t message_len,
                                size_t *id_offset,
                                size_t *id_len)
{
    struct themis_session_hello hello;
    soter_status status = themis_session_read_hello(message, message_len, &hello);
    if (status == SOTER_SUCCESS) {
        *id_offset = (size_t)(hello.id.data - message);
        *id_len = hello.id.len;
    }
    return status;
}

size_t themis_session_negotiation_size(const themis_session *session)
{
    return THEMIS_SESSION_WIRE_SIZE(session->id_len);
}

int themis_session_connect_request(themis_session *session, uint8_t *out, size_t *out_len)
{
    struct themis_session_out request = {out, *out_len, 0};
    soter_status status;
    *out_len = 0;
    if (session->state != THEMIS_SESSION_IDLE) {
        return themis_session_refuse(SOTER_INVALID_PARAMETER,
                                     "a session negotiates once: make a new one to connect again");
    }
    status = themis_session_client_start(session, &request);
    *out_len = request.len;
    return status;
}

int themis_session_negotiate(themis_session *session,
                             const uint8_t *message,
                             size_t message_len,
                             const uint8_t *peer_key,
                             size_t peer_key_len,
                             uint8_t *reply,
                             size_t *reply_len)
{
    const struct themis_session_in in = {{message, message_len}, {peer_key, peer_key_len}};
    struct themis_session_out out = {reply, *reply_len, 0};
    soter_status status = SOTER_INVALID_PARAMETER;
    *reply_len = 0;
    switch (session->state) {
    case THEMIS_SESSION_IDLE:
        status = themis_session_server_answer(session, &in, &out);
        break;
    case THEMIS_SESSION_WAITING_FOR_2:
        status = themis_session_client_prove(session, &in, &out);
        break;
    case THEMIS_SESSION_WAITING_FOR_3:
        status = themis_session_server_finish(session, &in, &out);
        break;
    case THEMIS_SESSION_WAITING_FOR_4:
        status = themis_session_client_finish(session, &in);
        break;
    default:
        return themis_session_refuse(status, "negotiation is over");
    }
    if (status != SOTER_SUCCESS) {
        return status;
    }
    *reply_len = out.len;
    return out.len != 0 ? SOTER_SEND_OUTPUT_TO_PEER : SOTER_SUCCESS;
}

static soter_status refuse_data(const themis_session *session)
{
    return session->state == THEMIS_SESSION_FAILED
               ? themis_session_refuse(SOTER_ENGINE_FAIL,
                                       "the session failed and its keys are wiped; make a new one")
               : themis_session_refuse(SOTER_SSESSION_KA_NOT_FINISHED,
                                       "the session is not established yet");
}

static soter_status refuse_room(void)
{
    return themis_session_refuse(SOTER_BUFFER_TOO_SMALL, "the buffer is too small for the result");
}

/* A failure of the cryptographic library itself, in the middle of a message, ends a session: its
 * ciphers are not trusted with another one. */
static soter_status after_data(themis_session *session, soter_status status, const char *why)
{
    if (status == SOTER_SUCCESS) {
        return status;
    }
    if (themis_session_channel_is_broken(session->channel)) {
        themis_session_channel_free(session->channel);
        session->channel = NULL;
        session->state = THEMIS_SESSION_FAILED;
    }
    return themis_session_refuse(status, why);
}

int themis_session_wrap(themis_session *session,
                        uint64_t now,
                        const uint8_t *message,
                        size_t message_len,
                        uint8_t *wrapped,
                        size_t wrapped_len)
{
    const char *why = NULL;
    soter_status status;
    if (session->state != THEMIS_SESSION_ESTABLISHED) {
        return refuse_data(session);
    }
    if (wrapped_len < THEMIS_SESSION_OVERHEAD ||
        wrapped_len - THEMIS_SESSION_OVERHEAD < message_len) {
        return refuse_room();
    }
    status =
        themis_session_channel_wrap(session->channel, now, message, message_len, wrapped, &why);
    return after_data(session, status, why);
}

int themis_session_unwrap(themis_session *session,
                          uint64_t now,
                          const uint8_t *wrapped,
                          size_t wrapped_len,
                          uint8_t *message,
                          size_t message_len)
{
    const char *why = NULL;
    soter_status status;
    if (session->state != THEMIS_SESSION_ESTABLISHED) {
        return refuse_data(session);
    }
    if (wrapped_len > THEMIS_SESSION_OVERHEAD &&
        message_len < wrapped_len - THEMIS_SESSION_OVERHEAD) {
        return refuse_room();
    }
    status =
        themis_session_channel_unwrap(session->channel, now, wrapped, wrapped_len, message, &why);
    return after_data(session, status, why);
}

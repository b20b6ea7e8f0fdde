/* SPDX-License-Identifier: Apache-2.0 */
/* Within reach of known answers: what a session derives, with keys and numbers that are given. */
#include <assert.h>
#include <string.h>

#include "soter/ecdh.h"
#include "soter/key_container.h"
#include "soter/wipe.h"
#include "themis.h"
#include "themis/session_state.h"

static_assert(THEMIS_TESTING_SESSION_SECRETS_SIZE ==
                  THEMIS_SESSION_SID_SIZE + 3 * THEMIS_SESSION_KEY_SIZE + 2 * 4,
              "the secrets in a row");

static bool write_secrets(const struct themis_session_secrets *secrets, uint8_t *out)
{
    struct soter_writer writer;
    soter_writer_init(&writer, out, THEMIS_TESTING_SESSION_SECRETS_SIZE);
    return soter_write_bytes(&writer, secrets->sid, sizeof secrets->sid) &&
           soter_write_bytes(&writer, secrets->master, sizeof secrets->master) &&
           soter_write_bytes(&writer, secrets->client_key, sizeof secrets->client_key) &&
           soter_write_bytes(&writer, secrets->server_key, sizeof secrets->server_key) &&
           soter_write_u32be(&writer, secrets->client_number) &&
           soter_write_u32be(&writer, secrets->server_number);
}

int themis_testing_session_secrets(const uint8_t *private_ephemeral,
                                   size_t private_ephemeral_len,
                                   int is_client,
                                   const uint8_t *peer_ephemeral,
                                   size_t peer_ephemeral_len,
                                   const uint8_t *client_id,
                                   size_t client_id_len,
                                   const uint8_t *server_id,
                                   size_t server_id_len,
                                   uint8_t out[THEMIS_TESTING_SESSION_SECRETS_SIZE])
{
    uint8_t container[SOTER_P256_PUBLIC_SIZE]; /* public */
    uint8_t shared[SOTER_ECDH_P256_SIZE] = {0};
    struct themis_session_secrets secrets = {{0}, {0}, {0}, {0}, 0, 0};
    const struct soter_slice own = {container, sizeof container};
    const struct soter_slice theirs = {peer_ephemeral, peer_ephemeral_len};
    const struct themis_session_parties parties = {is_client != 0 ? own : theirs,
                                                   is_client != 0 ? theirs : own,
                                                   {client_id, client_id_len},
                                                   {server_id, server_id_len}};
    soter_key *private_key = NULL;
    soter_key *public_key = NULL;
    soter_status status = soter_key_read(private_ephemeral, private_ephemeral_len, &private_key);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_key_read(peer_ephemeral, peer_ephemeral_len, &public_key);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_key_write_public(private_key, SOTER_COMPRESSED, container, sizeof container);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_ecdh(private_key, public_key, shared, sizeof shared);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = themis_session_derive(&parties, shared, sizeof shared, &secrets);
    if (status == SOTER_SUCCESS && !write_secrets(&secrets, out)) {
        status = SOTER_BUFFER_TOO_SMALL;
    }
out:
    soter_wipe(&secrets, sizeof secrets);
    soter_wipe(shared, sizeof shared);
    soter_key_free(private_key);
    soter_key_free(public_key);
    return status;
}

int themis_testing_session_ephemeral(themis_session *session,
                                     const uint8_t *private_key,
                                     size_t private_key_len)
{
    if (session->state != THEMIS_SESSION_IDLE || private_key_len != sizeof session->planned) {
        return SOTER_INVALID_PARAMETER;
    }
    memcpy(session->planned, private_key, private_key_len);
    session->has_planned = true;
    return SOTER_SUCCESS;
}

int themis_testing_session_numbers(themis_session *session,
                                   uint32_t next_written,
                                   uint32_t next_read)
{
    if (session->state != THEMIS_SESSION_ESTABLISHED) {
        return SOTER_INVALID_PARAMETER;
    }
    themis_session_channel_set_numbers(session->channel, next_written, next_read);
    return SOTER_SUCCESS;
}

int themis_testing_session_counts(themis_session *session, uint64_t written, uint64_t moved)
{
    if (session->state != THEMIS_SESSION_ESTABLISHED) {
        return SOTER_INVALID_PARAMETER;
    }
    themis_session_channel_set_counts(session->channel, written, moved);
    return SOTER_SUCCESS;
}

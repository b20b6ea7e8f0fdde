/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of negotiation. Each makes everything that it needs in variables of its own, and moves
 * it into the session when nothing can fail any more. */
#include "themis/session_handshake.h"

#include <stddef.h>

#include "soter/ecdh.h"
#include "soter/wipe.h"
#include "themis/session_peer.h"

static const char *const bad_checksum = "the negotiation message is corrupted: a checksum is wrong";
static const char *const bad_mac = "the peer's proof does not match: the message is corrupted, "
                                   "forged, or from another negotiation";

static struct soter_slice own_id(const themis_session *session)
{
    return (struct soter_slice){session->id, session->id_len};
}

static struct soter_slice own_container(const struct themis_session_ephemeral *own)
{
    return (struct soter_slice){own->container, sizeof own->container};
}

/* Client and server, given our ephemeral key and what the other side sent. */
static struct themis_session_parties parties_of(const themis_session *session,
                                                const struct themis_session_ephemeral *own,
                                                struct soter_slice peer_container,
                                                struct soter_slice peer_id)
{
    struct themis_session_parties parties;
    if (session->is_client) {
        parties.client_ephemeral = own_container(own);
        parties.client_id = own_id(session);
        parties.server_ephemeral = peer_container;
        parties.server_id = peer_id;
    } else {
        parties.client_ephemeral = peer_container;
        parties.client_id = peer_id;
        parties.server_ephemeral = own_container(own);
        parties.server_id = own_id(session);
    }
    return parties;
}

static struct themis_session_parties parties_of_peer(const themis_session *session,
                                                     const struct themis_session_ephemeral *own,
                                                     const struct themis_session_peer *peer)
{
    return parties_of(session,
                      own,
                      (struct soter_slice){peer->container, peer->container_len},
                      (struct soter_slice){peer->id, peer->id_len});
}

#define SIGNED_PARTS 4

/* What message 2 signs. */
static void parts_of_2(const struct themis_session_parties *parties,
                       struct soter_slice out[SIGNED_PARTS])
{
    out[0] = parties->server_ephemeral;
    out[1] = parties->client_ephemeral;
    out[2] = parties->server_id;
    out[3] = parties->client_id;
}

/* What message 3 signs. */
static void parts_of_3(const struct themis_session_parties *parties,
                       struct soter_slice out[SIGNED_PARTS])
{
    out[0] = parties->client_ephemeral;
    out[1] = parties->server_ephemeral;
    out[2] = parties->client_id;
    out[3] = parties->server_id;
}

/* Signs, and writes message 1 or 2. */
static soter_status send_hello(const themis_session *session,
                               const struct themis_session_ephemeral *own,
                               const struct soter_slice *parts,
                               size_t count,
                               struct themis_session_out *out)
{
    uint8_t signature[SOTER_EC_SIGNATURE_MAX_SIZE]; /* public */
    struct themis_session_hello hello = {own_id(session), own_container(own), {signature, 0}};
    soter_status status =
        soter_sign(session->signer, parts, count, signature, &hello.signature.len);
    return status == SOTER_SUCCESS ? themis_session_write_hello(&hello, out) : status;
}

static soter_status derive(const themis_session *session,
                           const struct themis_session_ephemeral *own,
                           const struct themis_session_peer *peer,
                           struct themis_session_secrets *out)
{
    const struct themis_session_parties parties = parties_of_peer(session, own, peer);
    uint8_t shared[SOTER_ECDH_P256_SIZE] = {0};
    soter_status status = soter_ecdh(own->key, peer->ephemeral, shared, sizeof shared);
    if (status == SOTER_SUCCESS) {
        status = themis_session_derive(&parties, shared, sizeof shared, out);
    }
    soter_wipe(shared, sizeof shared);
    return status;
}

/* Whether the MAC that the peer sent proves that it knows the secrets. */
static soter_status check_mac(const themis_session *session,
                              const struct themis_session_secrets *secrets,
                              const uint8_t *mac)
{
    uint8_t expected[THEMIS_SESSION_MAC_SIZE] = {0};
    soter_status status = themis_session_mac(secrets, own_container(&session->own), expected);
    if (status != SOTER_SUCCESS) {
        status = themis_session_refuse(status, NULL);
    } else if (!soter_equal(expected, mac, sizeof expected)) {
        status = themis_session_refuse(SOTER_FAIL, bad_mac);
    }
    soter_wipe(expected, sizeof expected);
    return status;
}

static soter_status refuse_format(soter_status status, const char *refusal)
{
    return themis_session_refuse(status, status == SOTER_DATA_CORRUPT ? bad_checksum : refusal);
}

soter_status themis_session_client_start(themis_session *session, struct themis_session_out *out)
{
    struct themis_session_ephemeral own = {NULL, {0}};
    struct soter_slice part;
    soter_status status = themis_session_ephemeral_make(session, &own);
    if (status != SOTER_SUCCESS) {
        return themis_session_refuse(status, NULL);
    }
    part = own_container(&own);
    status = send_hello(session, &own, &part, 1, out);
    if (status != SOTER_SUCCESS) {
        themis_session_ephemeral_clear(&own);
        return themis_session_refuse(status, NULL);
    }
    session->own = own;
    session->is_client = true;
    session->state = THEMIS_SESSION_WAITING_FOR_2;
    return SOTER_SUCCESS;
}

soter_status themis_session_server_answer(themis_session *session,
                                          const struct themis_session_in *in,
                                          struct themis_session_out *out)
{
    struct themis_session_hello hello;
    struct themis_session_ephemeral own = {NULL, {0}};
    struct themis_session_peer peer = {0};
    struct themis_session_parties parties;
    struct soter_slice parts[SIGNED_PARTS]; /* public */
    soter_status status = themis_session_read_hello(in->message.data, in->message.len, &hello);
    if (status != SOTER_SUCCESS) {
        return refuse_format(status, "this is not a connect request, which a new session expects");
    }
    status = themis_session_peer_make(session, &hello, in->peer_key, &hello.ephemeral, 1, &peer);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = themis_session_ephemeral_make(session, &own);
    if (status == SOTER_SUCCESS) {
        parties = parties_of_peer(session, &own, &peer);
        parts_of_2(&parties, parts);
        status = send_hello(session, &own, parts, SIGNED_PARTS, out);
    }
    if (status != SOTER_SUCCESS) {
        themis_session_ephemeral_clear(&own);
        themis_session_peer_clear(&peer);
        return themis_session_refuse(status, NULL);
    }
    session->own = own;
    session->peer = peer;
    session->state = THEMIS_SESSION_WAITING_FOR_3;
    return SOTER_SUCCESS;
}

/* Message 3: the signature over both keys and ids, and the MAC over the server's key. */
static soter_status send_proof(const themis_session *session,
                               const struct themis_session_peer *peer,
                               const struct themis_session_secrets *secrets,
                               struct themis_session_out *out)
{
    uint8_t signature[SOTER_EC_SIGNATURE_MAX_SIZE]; /* public */
    uint8_t mac[THEMIS_SESSION_MAC_SIZE];           /* public */
    struct themis_session_proof proof = {{signature, 0}, mac};
    struct themis_session_parties parties = parties_of_peer(session, &session->own, peer);
    struct soter_slice parts[SIGNED_PARTS]; /* public */
    soter_status status = themis_session_mac(secrets, parties.server_ephemeral, mac);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    parts_of_3(&parties, parts);
    status = soter_sign(session->signer, parts, SIGNED_PARTS, signature, &proof.signature.len);
    return status == SOTER_SUCCESS ? themis_session_write_proof(&proof, out) : status;
}

soter_status themis_session_client_prove(themis_session *session,
                                         const struct themis_session_in *in,
                                         struct themis_session_out *out)
{
    struct themis_session_hello hello;
    struct themis_session_peer peer = {0};
    struct themis_session_secrets secrets = {{0}, {0}, {0}, {0}, 0, 0};
    struct themis_session_parties parties;
    struct soter_slice parts[SIGNED_PARTS]; /* public */
    soter_status status = themis_session_read_hello(in->message.data, in->message.len, &hello);
    if (status != SOTER_SUCCESS) {
        return refuse_format(status, "this is not the server's answer, which the session expects");
    }
    parties = parties_of(session, &session->own, hello.ephemeral, hello.id);
    parts_of_2(&parties, parts);
    status = themis_session_peer_make(session, &hello, in->peer_key, parts, SIGNED_PARTS, &peer);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = derive(session, &session->own, &peer, &secrets);
    if (status == SOTER_SUCCESS) {
        status = send_proof(session, &peer, &secrets, out);
    }
    if (status != SOTER_SUCCESS) {
        themis_session_peer_clear(&peer);
        status = themis_session_refuse(status, NULL);
        goto out;
    }
    session->peer = peer;
    themis_session_forget(session); /* the keys have done their work */
    session->secrets = secrets;
    session->state = THEMIS_SESSION_WAITING_FOR_4;
out:
    soter_wipe(&secrets, sizeof secrets);
    return status;
}

/* Goes over to data messages; the only failure is one of memory or of the library. */
static soter_status establish(themis_session *session, const struct themis_session_secrets *secrets)
{
    soter_status status = themis_session_channel_new(secrets,
                                                     session->is_client,
                                                     session->reject_duplicates,
                                                     &session->channel);
    if (status != SOTER_SUCCESS) {
        return themis_session_refuse(status, NULL);
    }
    themis_session_forget(session);
    session->state = THEMIS_SESSION_ESTABLISHED;
    return SOTER_SUCCESS;
}

static soter_status send_finish(const themis_session *session,
                                const struct themis_session_secrets *secrets,
                                struct themis_session_out *out)
{
    const struct soter_slice client_ephemeral = {session->peer.container,
                                                 session->peer.container_len};
    uint8_t mac[THEMIS_SESSION_MAC_SIZE]; /* public */
    soter_status status = themis_session_mac(secrets, client_ephemeral, mac);
    return status == SOTER_SUCCESS ? themis_session_write_finish(mac, out) : status;
}

soter_status themis_session_server_finish(themis_session *session,
                                          const struct themis_session_in *in,
                                          struct themis_session_out *out)
{
    const struct themis_session_parties parties =
        parties_of_peer(session, &session->own, &session->peer);
    struct themis_session_proof proof;
    struct themis_session_secrets secrets = {{0}, {0}, {0}, {0}, 0, 0};
    struct soter_slice parts[SIGNED_PARTS]; /* public */
    soter_status status = themis_session_read_proof(in->message.data, in->message.len, &proof);
    if (status != SOTER_SUCCESS) {
        return refuse_format(status, "this is not the client's proof, which the session expects");
    }
    parts_of_3(&parties, parts);
    status = soter_verify(session->peer.verifier,
                          parts,
                          SIGNED_PARTS,
                          proof.signature.data,
                          proof.signature.len);
    if (status != SOTER_SUCCESS) {
        return themis_session_refuse_signature(status);
    }
    status = derive(session, &session->own, &session->peer, &secrets);
    if (status != SOTER_SUCCESS) {
        status = themis_session_refuse(status, NULL);
        goto out;
    }
    status = check_mac(session, &secrets, proof.mac);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = send_finish(session, &secrets, out);
    if (status != SOTER_SUCCESS) {
        status = themis_session_refuse(status, NULL);
        goto out;
    }
    status = establish(session, &secrets);
out:
    soter_wipe(&secrets, sizeof secrets);
    return status;
}

soter_status themis_session_client_finish(themis_session *session,
                                          const struct themis_session_in *in)
{
    const uint8_t *mac;
    soter_status status = themis_session_read_finish(in->message.data, in->message.len, &mac);
    if (status != SOTER_SUCCESS) {
        return refuse_format(
            status,
            "this is not the server's last negotiation message, which the session expects");
    }
    status = check_mac(session, &session->secrets, mac);
    return status == SOTER_SUCCESS ? establish(session, &session->secrets) : status;
}

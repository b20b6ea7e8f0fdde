/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/session_peer.h"

#include <stdlib.h>
#include <string.h>

#include "soter/key_container.h"

void themis_session_ephemeral_clear(struct themis_session_ephemeral *own)
{
    soter_key_free(own->key);
    own->key = NULL;
}

static soter_status ephemeral_key(const themis_session *session, soter_key **out)
{
#ifdef THEMIS_TESTING
    if (session->has_planned) {
        return soter_key_read(session->planned, sizeof session->planned, out);
    }
#else
    (void)session;
#endif
    return soter_ec_key_generate(256, out);
}

soter_status themis_session_ephemeral_make(const themis_session *session,
                                           struct themis_session_ephemeral *out)
{
    soter_status status = ephemeral_key(session, &out->key);
    if (status == SOTER_SUCCESS) {
        status = soter_key_write_public(out->key,
                                        SOTER_COMPRESSED,
                                        out->container,
                                        sizeof out->container);
    }
    if (status != SOTER_SUCCESS) {
        themis_session_ephemeral_clear(out);
    }
    return status;
}

soter_status themis_session_refuse_signature(soter_status status)
{
    return themis_session_refuse(
        status,
        status == SOTER_INVALID_SIGNATURE
            ? "the peer's signature does not match: the message is corrupted, forged, or from "
              "another negotiation, or get_pub_key_by_id returned another key than the peer's"
            : NULL);
}

void themis_session_peer_clear(struct themis_session_peer *peer)
{
    free(peer->id);
    soter_sign_key_free(peer->verifier);
    soter_key_free(peer->ephemeral);
    memset(peer, 0, sizeof *peer);
}

/* The public half of a key, compressed, and zeros after it. */
static soter_status public_half(const soter_key *key, uint8_t out[SOTER_EC_PUBLIC_MAX_SIZE])
{
    const struct soter_key_kind *kind = soter_key_kind(key);
    kind = soter_key_find_kind(SOTER_KEY_EC, false, kind->bits);
    memset(out, 0, SOTER_EC_PUBLIC_MAX_SIZE);
    return soter_key_write_public(key,
                                  SOTER_COMPRESSED,
                                  out,
                                  soter_key_size(kind, SOTER_COMPRESSED));
}

/* A peer that proves our own id with our own key may be ourselves: what we wrote to another peer,
 * sent back to us. (Our public half is computed here: that takes as long as a signature, and
 * another id is the rule.) */
static soter_status
refuse_own_identity(const themis_session *session, struct soter_slice id, const soter_key *key)
{
    uint8_t theirs[SOTER_EC_PUBLIC_MAX_SIZE]; /* public */
    uint8_t ours[SOTER_EC_PUBLIC_MAX_SIZE];   /* public */
    soter_status status;
    if (session->allow_own_identity || id.len != session->id_len ||
        memcmp(id.data, session->id, id.len) != 0) {
        return SOTER_SUCCESS;
    }
    status = public_half(key, theirs);
    if (status == SOTER_SUCCESS) {
        status = public_half(session->identity, ours);
    }
    if (status != SOTER_SUCCESS) {
        return themis_session_refuse(status, NULL);
    }
    if (memcmp(theirs, ours, sizeof theirs) != 0) {
        return SOTER_SUCCESS;
    }
    return themis_session_refuse(
        SOTER_FAIL,
        "the peer has our own id and our own key: our message was reflected back; if two parties "
        "share one identity, pass allow_own_identity=True");
}

/* Prepares the public key that the application knows for the peer. */
static soter_status read_peer_key(const themis_session *session,
                                  struct soter_slice id,
                                  struct soter_slice bytes,
                                  soter_sign_key **out)
{
    soter_key *key = NULL;
    soter_status status = soter_key_read_half(bytes.data, bytes.len, false, &key);
    if (status == SOTER_SUCCESS && soter_key_is_ec(key, false)) {
        status = refuse_own_identity(session, id, key);
        if (status != SOTER_SUCCESS) {
            goto out;
        }
        status = soter_sign_key_new(key, out);
    } else if (status != SOTER_NO_MEMORY && status != SOTER_ENGINE_FAIL) {
        status = themis_session_refuse(
            SOTER_SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR,
            "get_pub_key_by_id returned something that is not the public EC key of the peer's id");
        goto out;
    }
    if (status != SOTER_SUCCESS) {
        status = themis_session_refuse(status, NULL);
    }
out:
    soter_key_free(key);
    return status;
}

soter_status themis_session_peer_make(const themis_session *session,
                                      const struct themis_session_hello *hello,
                                      struct soter_slice peer_key,
                                      const struct soter_slice *parts,
                                      size_t count,
                                      struct themis_session_peer *out)
{
    soter_status status = read_peer_key(session, hello->id, peer_key, &out->verifier);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_verify(out->verifier, parts, count, hello->signature.data, hello->signature.len);
    if (status != SOTER_SUCCESS) {
        status = themis_session_refuse_signature(status);
        goto out;
    }
    status = soter_key_read(hello->ephemeral.data, hello->ephemeral.len, &out->ephemeral);
    if (status != SOTER_SUCCESS) {
        status = themis_session_refuse(status,
                                       status == SOTER_DATA_CORRUPT
                                           ? "the peer's ephemeral key is not a point on P-256"
                                           : NULL);
        goto out;
    }
    out->id = malloc(hello->id.len);
    if (out->id == NULL) {
        status = themis_session_refuse(SOTER_NO_MEMORY, NULL);
        goto out;
    }
    memcpy(out->id, hello->id.data, hello->id.len);
    out->id_len = hello->id.len;
    memcpy(out->container, hello->ephemeral.data, hello->ephemeral.len);
    out->container_len = hello->ephemeral.len;
out:
    if (status != SOTER_SUCCESS) {
        themis_session_peer_clear(out);
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of Secure Session share: the session object and its negotiation steps. */
#ifndef THEMIS_SESSION_H
#define THEMIS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/ec_key.h"
#include "soter/key.h"
#include "soter/sign.h"
#include "soter/status.h"
#include "themis.h"
#include "themis/session_channel.h"
#include "themis/session_keys.h"
#include "themis/session_wire.h"

/* Our key for this one session. */
struct themis_session_ephemeral {
    soter_key *key; /* private; NULL once the secrets are derived */
    uint8_t container[SOTER_P256_PUBLIC_SIZE];
};

/* The other side, once its first message was proved to be its own. */
struct themis_session_peer {
    uint8_t *id;
    size_t id_len;
    soter_sign_key *verifier;
    soter_key *ephemeral;
    uint8_t container[SOTER_P256_PUBLIC_UNCOMPRESSED_SIZE]; /* of the ephemeral key, as sent */
    size_t container_len;
};

struct themis_session {
    int state;
    bool is_client;
    bool reject_duplicates;
    bool allow_own_identity;
    const char *refusal;
    soter_sign_key *signer;
    uint8_t *id;
    size_t id_len;
    uint8_t public_key[SOTER_EC_PUBLIC_MAX_SIZE]; /* of our identity, compressed, then zeros */
    struct themis_session_ephemeral own;
    struct themis_session_peer peer;
    struct themis_session_secrets secrets; /* of a client that waits for message 4 */
    themis_session_channel *channel;       /* of an established session */
#ifdef THEMIS_TESTING
    bool has_planned; /* the ephemeral key to take in place of a generated one */
    uint8_t planned[SOTER_P256_PRIVATE_SIZE];
#endif
};

/* A message from the peer, and the public key of the id that it claims. */
struct themis_session_in {
    struct soter_slice message;
    struct soter_slice peer_key;
};

/* A new ephemeral key. A failure leaves `out` clear. */
SOTER_MUST_USE soter_status themis_session_ephemeral_make(const themis_session *session,
                                                          struct themis_session_ephemeral *out);
void themis_session_ephemeral_clear(struct themis_session_ephemeral *own);

/* Writes the public half of an identity in the one form that is compared. */
SOTER_MUST_USE soter_status themis_session_public_key(const soter_key *key,
                                                      uint8_t out[SOTER_EC_PUBLIC_MAX_SIZE]);

/* Believes message 1 or 2 if its signature over the parts is the peer's. A failure leaves `out`
 * clear, and a refusal in words. */
SOTER_MUST_USE soter_status themis_session_peer_make(themis_session *session,
                                                     const struct themis_session_hello *hello,
                                                     struct soter_slice peer_key,
                                                     const struct soter_slice *parts,
                                                     size_t count,
                                                     struct themis_session_peer *out);
void themis_session_peer_clear(struct themis_session_peer *peer);

/* The steps of negotiation. Each either takes the session to its next state or, on any other
 * answer than SUCCESS, leaves it as it was with a refusal in words. */
SOTER_MUST_USE soter_status themis_session_client_start(themis_session *session,
                                                        struct themis_session_out *out);
SOTER_MUST_USE soter_status themis_session_server_answer(themis_session *session,
                                                         const struct themis_session_in *in,
                                                         struct themis_session_out *out);
SOTER_MUST_USE soter_status themis_session_client_prove(themis_session *session,
                                                        const struct themis_session_in *in,
                                                        struct themis_session_out *out);
SOTER_MUST_USE soter_status themis_session_server_finish(themis_session *session,
                                                         const struct themis_session_in *in,
                                                         struct themis_session_out *out);
SOTER_MUST_USE soter_status themis_session_client_finish(themis_session *session,
                                                         const struct themis_session_in *in);

/* Keeps in words why the session answers this status; gives the status back. */
soter_status
themis_session_refuse(themis_session *session, soter_status status, const char *refusal);

/* The same for what soter_verify answered. */
soter_status themis_session_refuse_signature(themis_session *session, soter_status status);

/* Forgets everything secret but the identity key. */
void themis_session_forget(themis_session *session);

#endif

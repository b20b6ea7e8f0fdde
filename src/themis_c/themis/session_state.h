/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a session, for the parts of Secure Session. */
#ifndef THEMIS_SESSION_STATE_H
#define THEMIS_SESSION_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/ec_key.h"
#include "soter/key.h"
#include "soter/sign.h"
#include "soter/status.h"
#include "themis.h"
#include "themis/session_channel.h"
#include "themis/session_keys.h"

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
    soter_key *identity; /* until the peer is known */
    soter_sign_key *signer;
    uint8_t *id;
    size_t id_len;
    struct themis_session_ephemeral own;
    struct themis_session_peer peer;
    struct themis_session_secrets secrets; /* of a client that waits for message 4 */
    themis_session_channel *channel;       /* of an established session */
#ifdef THEMIS_TESTING
    bool has_planned; /* the ephemeral key to take in place of a generated one */
    uint8_t planned[SOTER_P256_PRIVATE_SIZE];
#endif
};

/* Records for this thread why a session returns this status; returns the status. */
soter_status themis_session_refuse(soter_status status, const char *refusal);

/* Forgets everything secret but the key that signs. */
void themis_session_forget(themis_session *session);

#endif

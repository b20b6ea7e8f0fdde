/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of negotiation. */
#ifndef THEMIS_SESSION_HANDSHAKE_H
#define THEMIS_SESSION_HANDSHAKE_H

#include "soter/bytes.h"
#include "soter/status.h"
#include "themis/session_state.h"
#include "themis/session_wire.h"

/* A message from the peer, and the public key of the id that it claims. */
struct themis_session_in {
    struct soter_slice message;
    struct soter_slice peer_key;
};

/* Each either takes the session to its next state or, on any other
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

#endif

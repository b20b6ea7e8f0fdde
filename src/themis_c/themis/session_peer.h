/* SPDX-License-Identifier: Apache-2.0 */
/* The two sides of a negotiation: our ephemeral key, and what is known of the peer. */
#ifndef THEMIS_SESSION_PEER_H
#define THEMIS_SESSION_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/ec_key.h"
#include "soter/key.h"
#include "soter/status.h"
#include "themis/session_state.h"
#include "themis/session_wire.h"

/* A new ephemeral key. A failure leaves `out` clear. */
SOTER_MUST_USE soter_status themis_session_ephemeral_make(const themis_session *session,
                                                          struct themis_session_ephemeral *out);
void themis_session_ephemeral_clear(struct themis_session_ephemeral *own);

/* Believes message 1 or 2 if its signature over the parts is the peer's. A failure leaves `out`
 * clear, and a refusal in words. */
SOTER_MUST_USE soter_status themis_session_peer_make(const themis_session *session,
                                                     const struct themis_session_hello *hello,
                                                     struct soter_slice peer_key,
                                                     const struct soter_slice *parts,
                                                     size_t count,
                                                     struct themis_session_peer *out);
void themis_session_peer_clear(struct themis_session_peer *peer);

/* themis_session_refuse for what soter_verify answered. */
soter_status themis_session_refuse_signature(soter_status status);

#endif

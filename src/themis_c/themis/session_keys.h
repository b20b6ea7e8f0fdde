/* SPDX-License-Identifier: Apache-2.0 */
/* The key schedule of Secure Session (specification, section 5). */
#ifndef THEMIS_SESSION_KEYS_H
#define THEMIS_SESSION_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/kdf.h"
#include "soter/status.h"

#define THEMIS_SESSION_SID_SIZE 4
#define THEMIS_SESSION_KEY_SIZE 32
#define THEMIS_SESSION_MAC_SIZE SOTER_HMAC_SIZE

/* What both sides of a negotiation know: the ephemeral public keys (whole containers) and ids. */
struct themis_session_parties {
    struct soter_slice client_ephemeral;
    struct soter_slice server_ephemeral;
    struct soter_slice client_id;
    struct soter_slice server_id;
};

/* What both sides derive. The first sequence numbers are those of the messages they write. */
struct themis_session_secrets {
    uint8_t sid[THEMIS_SESSION_SID_SIZE];
    uint8_t master[THEMIS_SESSION_KEY_SIZE];
    uint8_t client_key[THEMIS_SESSION_KEY_SIZE];
    uint8_t server_key[THEMIS_SESSION_KEY_SIZE];
    uint32_t client_number;
    uint32_t server_number;
};

/* `shared` is the secret that the ephemeral keys agree on. A failure leaves `out` wiped. */
SOTER_MUST_USE soter_status themis_session_derive(const struct themis_session_parties *parties,
                                                  const uint8_t *shared,
                                                  size_t shared_len,
                                                  struct themis_session_secrets *out);

/* The proof of knowing the secrets: of the client over the server's ephemeral key, and reverse. */
SOTER_MUST_USE soter_status themis_session_mac(const struct themis_session_secrets *secrets,
                                               struct soter_slice ephemeral,
                                               uint8_t mac[THEMIS_SESSION_MAC_SIZE]);

#endif

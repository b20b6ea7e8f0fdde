/* SPDX-License-Identifier: Apache-2.0 */
/* The four negotiation messages, taken apart and put together (specification, section 5):
 *
 *   1 and 2   TSPM( TSID( id ) || UEC2( ephemeral key ) || signature )
 *   3         TSPM( signature || MAC )
 *   4         TSPM( MAC )
 *
 * Bytes after the outer container are ignored, because some wrappers send a few; inside,
 * everything must fit. Reading proves nothing. */
#ifndef THEMIS_SESSION_WIRE_H
#define THEMIS_SESSION_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/container.h"
#include "soter/ec_key.h"
#include "soter/sign.h"
#include "soter/status.h"
#include "themis/session_keys.h"

/* The most bytes of a message that we write, with an id of id_len bytes: a first or second one. */
#define THEMIS_SESSION_WIRE_SIZE(id_len)                                                           \
    (2 * (size_t)SOTER_CONTAINER_HEADER_SIZE + (id_len) + SOTER_P256_PUBLIC_SIZE +                 \
     SOTER_EC_SIGNATURE_MAX_SIZE)

/* Message 1 or 2; the parts are borrowed from it. */
struct themis_session_hello {
    struct soter_slice id;
    struct soter_slice ephemeral; /* a whole container, of one of the two sizes of P-256 */
    struct soter_slice signature;
};

/* Message 3. */
struct themis_session_proof {
    struct soter_slice signature;
    const uint8_t *mac; /* THEMIS_SESSION_MAC_SIZE bytes */
};

/* These answer INVALID_PARAMETER: not such a message; DATA_CORRUPT: a checksum is wrong. */
SOTER_MUST_USE soter_status themis_session_read_hello(const uint8_t *message,
                                                      size_t message_len,
                                                      struct themis_session_hello *out);
SOTER_MUST_USE soter_status themis_session_read_proof(const uint8_t *message,
                                                      size_t message_len,
                                                      struct themis_session_proof *out);
SOTER_MUST_USE soter_status themis_session_read_finish(const uint8_t *message,
                                                       size_t message_len,
                                                       const uint8_t **mac);

/* A message to send, in a buffer of its writer's. */
struct themis_session_out {
    uint8_t *bytes;
    size_t room;
    size_t len; /* what was written */
};

SOTER_MUST_USE soter_status themis_session_write_hello(const struct themis_session_hello *hello,
                                                       struct themis_session_out *out);
SOTER_MUST_USE soter_status themis_session_write_proof(const struct themis_session_proof *proof,
                                                       struct themis_session_out *out);
SOTER_MUST_USE soter_status themis_session_write_finish(const uint8_t mac[THEMIS_SESSION_MAC_SIZE],
                                                        struct themis_session_out *out);

#endif

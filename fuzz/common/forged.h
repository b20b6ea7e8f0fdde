/* SPDX-License-Identifier: Apache-2.0 */
/* Negotiation messages of a peer who has the right identity key and means harm. */
#ifndef FORGED_H
#define FORGED_H

#include "common/parties.h"

/* A first message (answering nothing) or a second one (answering `first`), with an ephemeral key
 * and an id of the input's choice, and a true signature. Tells whether it is to be accepted. */
bool forge_hello(fuzz_input *input, const struct fuzz_message *first, struct fuzz_message *out);

/* Demands the fitting answer to such a message; tells whether it was accepted. */
bool offer_forged(themis_session *session,
                  struct soter_slice peer_key,
                  const struct fuzz_message *message,
                  bool acceptable);

#endif

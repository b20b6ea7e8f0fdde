/* SPDX-License-Identifier: Apache-2.0 */
/* A client and a server who know each other's keys, and someone between them. */
#ifndef PARTIES_H
#define PARTIES_H

#include "common/fuzz.h"

#define CLIENT_ID ((struct soter_slice){(const uint8_t *)"client", 6})
#define SERVER_ID ((struct soter_slice){(const uint8_t *)"the server", 10})

struct parties {
    themis_session *client;
    themis_session *server;
    struct fuzz_message sent[4]; /* the honest negotiation, as far as it has come */
    int count;
};

/* Two sessions that are idle; the keys are of the curve that `bits` names. */
void parties_init(struct parties *parties, int bits, bool reject_duplicates);
void parties_free(struct parties *parties);

/* The public key that goes with the id of that side. */
struct soter_slice parties_key(int bits, bool of_client);

/* Negotiates honestly until `count` messages have been sent; the last was not handed over. */
void parties_negotiate(struct parties *parties, int bits, int count);
/* Hands the fourth over too; and both sides can talk. */
void parties_finish(struct parties *parties, int bits);

/* Sends a message in each direction. */
void parties_talk(const struct parties *parties);

/* Makes of a message whatever the input says: an edit of it, of an earlier one, or bytes of the
 * input's own; with checksums mended, inside and outside, if it wants. */
void parties_tamper(fuzz_input *input, const struct parties *parties, struct fuzz_message *message);

/* Hands `attack` to a session that waits for `honest`. Unless it is that message, perhaps with
 * something behind it, it must be refused, and the session be as before. With the wrong key for the
 * peer so must be the honest one, where it is a first or second message. */
void parties_attack(themis_session *session,
                    struct soter_slice peer_key,
                    bool wrong_key,
                    const struct fuzz_message *honest,
                    const struct fuzz_message *attack);

#endif

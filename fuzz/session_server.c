/* SPDX-License-Identifier: Apache-2.0 */
/* A server that negotiates with a client it knows, while someone changes what the client sends; or
 * with a client that itself means harm. Input: flags, then an attack on the message 1 and one on
 * the message 3; or the parts of a forged message 1.
 *
 * Promises: nothing but the client's messages takes the server further; what is refused leaves it
 * as it was, so that the negotiation succeeds afterwards. */
#include "common/forged.h"

enum { FLAG_ONCE = 1, FLAG_FORGE = 2, FLAG_P384 = 4, FLAG_WRONG_KEY = 8 };

static void attack(fuzz_input *input, struct parties *parties, int bits, bool wrong_key)
{
    static struct fuzz_message changed;
    for (int number = 1; number <= 3; number += 2) {
        parties_negotiate(parties, bits, number);
        parties_tamper(input, parties, &changed);
        parties_attack(parties->server,
                       parties_key(bits, !wrong_key),
                       wrong_key,
                       &parties->sent[number - 1],
                       &changed);
    }
    parties_finish(parties, bits);
}

/* A client whose key is ours to know, and whose message 3 proves nothing. */
static void forge(fuzz_input *input, struct parties *parties)
{
    static struct fuzz_message message;
    const bool acceptable = forge_hello(input, NULL, &message);
    if (!offer_forged(parties->server, parties_key(256, true), &message, acceptable)) {
        parties_finish(parties, 256);
        return;
    }
    parties_negotiate(parties, 256, 1);
    parties_tamper(input, parties, &message);
    parties_attack(parties->server, parties_key(256, true), false, &parties->sent[0], &message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct parties parties;
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    const int bits = (flags & (FLAG_P384 | FLAG_FORGE)) == FLAG_P384 ? 384 : 256;
    parties_init(&parties, bits, (flags & FLAG_ONCE) != 0);
    if ((flags & FLAG_FORGE) != 0) {
        forge(&input, &parties);
    } else {
        attack(&input, &parties, bits, (flags & FLAG_WRONG_KEY) != 0);
    }
    parties_free(&parties);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"
#include "themis/cell_gcm.c"
#include "themis/cell_passphrase.c"

/* fault: themis/cell_passphrase.c: return reader.left == 0 => return true */
bool passphrase_head(void)
{
    const uint64_t head = 48 + (uint64_t)le(16);
    const bool holds = themis_cell_key_len(le(0), 0x41010000) != 0 && le(4) == 12 && le(8) == 16 &&
                       le(12) != 0 && head >= 54 && head <= in_len && le(48) >= 1 &&
                       le(48) <= THEMIS_PASSPHRASE_ITERATIONS_LIMIT &&
                       head == 54U + in[52] + in[53] * 256U;
    const bool is_whole = holds && in_len == head + le(12);
    const uint64_t whole = nondet_ulong();
    const uint32_t text = nondet_uint();
    const themis_stretch stretch = {.iterations = nondet_uint()};
    uint8_t token[THEMIS_PASSPHRASE_TOKEN_SIZE], *nonce, *tag;
    struct sealed_parts parts;
    soter_status status;
    CLAIM((read_start(in, in_len, whole, &parts) == SOTER_SUCCESS) ==
          (holds && whole == head + le(12)));
    CLAIM((read_parts(in, in_len, &parts) == SOTER_SUCCESS) == is_whole);
    if (is_whole) {
        CLAIM(parts.encrypted == in + head && parts.token.message_len == le(12));
        CLAIM(parts.token.nonce == in + 20 && parts.token.tag == in + 32);
        CLAIM(parts.salt.data == in + 54 && parts.salt.len == head - 54);
        CLAIM(parts.iterations == le(48));
    }
    CLAIM(write_token(&stretch, token, text, &nonce, &tag) == SOTER_SUCCESS);
    CLAIM(nonce == token + 20 && tag == token + 32);
    status = read_start(token, sizeof token, sizeof token + (uint64_t)text, &parts);
    CLAIM((status == SOTER_SUCCESS) == (text != 0 && stretch.iterations >= 1 &&
                                        stretch.iterations <= THEMIS_PASSPHRASE_ITERATIONS_LIMIT));
    if (status == SOTER_SUCCESS) {
        CLAIM(parts.iterations == stretch.iterations && parts.token.key_len == 32);
        CLAIM(parts.salt.len == 16 && memcmp(parts.salt.data, stretch.salt, 16) == 0);
    }
    return is_whole && status == SOTER_SUCCESS;
}

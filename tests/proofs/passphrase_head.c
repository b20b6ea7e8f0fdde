/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/cell_passphrase.c: return reader.left == 0 => return true
 *
 * What stands before the ciphertext of a passphrase cell is read if and only if section 3 allows
 * it, and what is written is read. */
#include "cell_contract.h"
#include "soter/bytes.c"
#include "themis/cell_passphrase.c"

static bool is_head(const uint8_t *bytes, size_t len)
{
    const size_t kdf = len >= 48 ? soter_get_u32le(bytes + 16) : 0;
    const uint32_t descriptor = len >= 48 ? soter_get_u32le(bytes) : 0;
    const uint32_t rounds = kdf >= 6 && len >= 54 ? soter_get_u32le(bytes + 48) : 0;
    return kdf >= 6 && len >= 48 + kdf && themis_cell_key_len(descriptor, 0x41010000) != 0 &&
           soter_get_u32le(bytes + 4) == 12 && soter_get_u32le(bytes + 8) == 16 && rounds >= 1 &&
           rounds <= THEMIS_PASSPHRASE_ITERATIONS_LIMIT &&
           kdf == 6U + bytes[52] + bytes[53] * 256U && soter_get_u32le(bytes + 12) != 0;
}

int main(void)
{
    const size_t len = any_len(MOST);
    const uint8_t *data = any_bytes(len);
    const bool holds = is_head(data, len);
    const size_t head = holds ? 48 + soter_get_u32le(data + 16) : 0;
    const uint32_t text = holds ? soter_get_u32le(data + 12) : 0;
    struct themis_stretch stretch = {.iterations = nondet_u32()};
    uint8_t token[THEMIS_PASSPHRASE_TOKEN_SIZE];
    struct sealed_parts parts;
    uint8_t *nonce;
    uint8_t *tag;
    CLAIM((read_parts(data, len, &parts) == SOTER_SUCCESS) ==
          (holds && len == head + (uint64_t)text));
    if (holds && len == head + (uint64_t)text) {
        CLAIM(parts.encrypted == data + head && parts.token.message_len == text);
        CLAIM(parts.token.nonce == data + 20 && parts.token.tag == data + 32);
        CLAIM(parts.salt.data == data + 54 && parts.salt.len == head - 54);
        CLAIM(parts.iterations == soter_get_u32le(data + 48));
    }
    CLAIM(write_token(&stretch, token, text, &nonce, &tag) == SOTER_SUCCESS);
    CLAIM(nonce == token + 20 && tag == token + 32);
    if (text != 0 && stretch.iterations >= 1 &&
        stretch.iterations <= THEMIS_PASSPHRASE_ITERATIONS_LIMIT) {
        CLAIM(is_head(token, sizeof token) && soter_get_u32le(token + 12) == text);
        REACHED();
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/cell.c: tag_len != SOTER_AEAD_TAG_SIZE || => tag_len == 0 ||
 *
 * Seal and Token Protect, compat included, empty contexts and in place too: a token is taken if and
 * only if section 3 allows it, one that is written is taken, and only the room that there is is
 * written to. */
#include "proof.h"
#include "soter/bytes.c"
#include "themis/cell.c"

static soter_status work(const struct themis_cell_text *text, uint8_t *out)
{
    touch(text->data, text->len);
    touch(text->context, text->context_len);
    fill(out, text->len);
    return any_status();
}

soter_status themis_cell_encrypt(struct themis_cell_key *key,
                                 const struct themis_cell_text *text,
                                 uint8_t *out,
                                 uint8_t *nonce,
                                 uint8_t *tag)
{
    fill(nonce, 12);
    fill(tag, 16);
    return work(text, out);
}

soter_status themis_cell_decrypt(struct themis_cell_key *key,
                                 const struct themis_cell_token *token,
                                 const struct themis_cell_text *text,
                                 uint8_t *out)
{
    CLAIM(token->key_len == 16 || token->key_len == 24 || token->key_len == 32);
    touch(token->nonce, 12);
    touch(token->tag, 16);
    return work(text, out);
}

bool themis_cell_fits(size_t len)
{
    return len >= 1 && len <= UINT32_MAX;
}

size_t themis_cell_key_len(uint32_t descriptor, uint32_t algorithm)
{
    const uint32_t bits = descriptor ^ algorithm;
    return bits == 128 || bits == 192 || bits == 256 ? bits / 8 : 0;
}

int main(void)
{
    const size_t len = any_len(MOST);
    const size_t context_len = any_len(MOST);
    const size_t room = any_len(MOST);
    const bool in_place = nondet_bool();
    themis_cell cell = {.compat_096 = nondet_bool()};
    uint8_t *token = any_bytes(44);
    uint8_t *data = any_bytes(len);
    uint8_t *out = in_place && room <= len ? data : any_bytes(room);
    const uint8_t *context = any_bytes(context_len);
    const uint32_t bits = soter_get_u32le(token) ^ 0x40010000;
    const bool fits = (bits == 128 || bits == 192 || bits == 256) &&
                      soter_get_u32le(token + 4) == 12 && soter_get_u32le(token + 8) == 16 &&
                      soter_get_u32le(token + 12) == len;
    struct themis_cell_token fields;
    CLAIM((read_token(token, len, &fields) == SOTER_SUCCESS) == fits);
    if (themis_cell_unprotect(&cell, data, len, token, context, context_len, out, room) == 0) {
        CLAIM(fits && len != 0 && len <= room);
    }
    if (themis_cell_protect(&cell, data, len, context, context_len, out, room, token) == 0) {
        CLAIM(len != 0 && len <= room);
        CLAIM(read_token(token, len, &fields) == SOTER_SUCCESS && fields.key_len == 32);
        REACHED();
    }
}

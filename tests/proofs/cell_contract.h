/* SPDX-License-Identifier: Apache-2.0 */
/* What cell_cipher.c of these proofs has proved of themis/cell_gcm.c, for the proofs of its users.
 */
#ifndef CELL_CONTRACT_H
#define CELL_CONTRACT_H

#include "proof.h"
#include "themis/cell_gcm.h"

static soter_status crypt(const struct themis_cell_text *text, uint8_t *out)
{
    touch(text->data, text->len);
    touch(text->context, text->context_len);
    fill(out, text->len);
    return any_status();
}

soter_status themis_cell_encrypt(struct themis_cell_key *key, const struct themis_cell_text *text,
                                 uint8_t *out, uint8_t *nonce, uint8_t *tag)
{
    fill(nonce, 12);
    fill(tag, 16);
    return crypt(text, out);
}

soter_status themis_cell_decrypt(struct themis_cell_key *key, const struct themis_cell_token *token,
                                 const struct themis_cell_text *text, uint8_t *out)
{
    CLAIM(token->key_len == 16 || token->key_len == 24 || token->key_len == 32);
    touch(token->nonce, 12);
    touch(token->tag, 16);
    return crypt(text, out);
}

bool themis_cell_fits(size_t len) { return len >= 1 && len <= UINT32_MAX; }

size_t themis_cell_key_len(uint32_t descriptor, uint32_t algorithm)
{
    const uint32_t bits = descriptor ^ algorithm;
    return bits == 128 || bits == 192 || bits == 256 ? bits / 8 : 0;
}

#endif

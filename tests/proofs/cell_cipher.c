/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/cell_gcm.c: context.len > sizeof subject->context => context.len > 65
 *
 * What encrypts and decrypts a cell, of any key length and either width of its length, with the
 * cipher that an operation before left or with none. The descriptor of a token names a key length
 * if and only if section 3 has it. */
#define EXACT 1 /* byte of a context is compared, then any outcome */
#include "ciphers.h"
#include "soter/bytes.c"
#include "themis/cell_gcm.c"

int main(void)
{
    const size_t len = any_len(MOST);
    const size_t context_len = any_len(MOST);
    const uint32_t bits = nondet_u32();
    const uint8_t *nonce = any_bytes(12);
    const uint8_t *tag = any_bytes(16);
    const struct themis_cell_text text = {any_bytes(len), len, any_bytes(context_len), context_len};
    const struct themis_cell_token token = {themis_cell_key_len(0x40010000 ^ bits, 0x40010000),
                                            nondet_bool() ? 4 : 8, (uint32_t)len, nonce, tag};
    struct themis_cell_key key = {NULL, {malloc(sizeof(struct cipher))}};
    struct cipher *left = key.cipher.kept;
    uint8_t *out = nondet_bool() ? (uint8_t *)text.data : any_bytes(len);
    CLAIM(token.key_len == (bits == 128 || bits == 192 || bits == 256 ? bits / 8 : 0));
    __ESBMC_assume(left == NULL || left->subject.context_len <= sizeof left->subject.context);
    if (token.key_len != 0 && themis_cell_decrypt(&key, &token, &text, out) == SOTER_SUCCESS &&
        themis_cell_encrypt(&key, &text, out, (uint8_t *)nonce, (uint8_t *)tag) == SOTER_SUCCESS) {
        REACHED();
    }
    CLAIM(themis_cell_fits(len) == (len != 0));
}

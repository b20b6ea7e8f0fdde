/* SPDX-License-Identifier: Apache-2.0 */
/* The cipher of the authenticated modes: AES-GCM under a key of the message's own. */
#include "soter/rand.h"
#include "soter/wipe.h"
#include "themis/cell.h"

#define KEY_MAX_SIZE 32

bool themis_cell_fits(size_t message_len)
{
    return message_len >= 1 && (uint64_t)message_len <= UINT32_MAX;
}

size_t themis_cell_key_len(uint32_t descriptor, uint32_t algorithm)
{
    switch (descriptor ^ algorithm) { /* what is left is the key length in bits */
    case 128:
        return 16;
    case 192:
        return 24;
    case 256:
        return 32;
    default:
        return 0;
    }
}

/* k = KDF(master key, label, [message length, context]) */
static soter_status message_key(const soter_hmac_key *key,
                                const struct themis_cell_text *text,
                                size_t length_width,
                                uint8_t *out,
                                size_t out_len)
{
    uint8_t length[8]; /* public */
    const struct soter_slice contexts[2] = {{length, length_width},
                                            {text->context, text->context_len}};
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("Themis secure cell message key"),
                                              contexts,
                                              2};
    soter_put_u64le(length, text->len); /* its first four bytes are the length as u32le */
    return soter_kdf(key, &purpose, out, out_len);
}

soter_status themis_cell_encrypt(const soter_hmac_key *key,
                                 const struct themis_cell_text *text,
                                 uint8_t *out,
                                 uint8_t nonce[SOTER_AEAD_NONCE_SIZE],
                                 uint8_t tag[SOTER_AEAD_TAG_SIZE])
{
    uint8_t derived[KEY_MAX_SIZE] = {0};
    soter_aead *aead = NULL;
    soter_status status =
        message_key(key, text, THEMIS_CELL_LENGTH_WIDTH, derived, THEMIS_CELL_KEY_BITS / 8);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_rand_public(nonce, SOTER_AEAD_NONCE_SIZE);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_aead_new_encrypt(derived, THEMIS_CELL_KEY_BITS / 8, &aead);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_aead_start(aead, nonce, text->context, text->context_len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_aead_encrypt(aead, text->data, text->len, out, tag);
out:
    soter_wipe(derived, sizeof derived);
    soter_aead_free(aead);
    return status;
}

soter_status themis_cell_decrypt(const soter_hmac_key *key,
                                 const struct themis_cell_token *token,
                                 const struct themis_cell_text *text,
                                 uint8_t *out)
{
    uint8_t derived[KEY_MAX_SIZE] = {0};
    soter_aead *aead = NULL;
    soter_status status = message_key(key, text, token->length_width, derived, token->key_len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_aead_new_decrypt(derived, token->key_len, &aead);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_aead_start(aead, token->nonce, text->context, text->context_len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_aead_decrypt(aead, text->data, text->len, token->tag, out);
out:
    soter_wipe(derived, sizeof derived);
    soter_aead_free(aead);
    return status;
}

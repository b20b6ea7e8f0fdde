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

soter_status
themis_cell_key_init(struct themis_cell_key *key, const uint8_t *bytes, size_t bytes_len)
{
    key->master = NULL;
    key->aead.kept = NULL;
    return soter_hmac_key_new(bytes, bytes_len, &key->master);
}

void themis_cell_key_clear(struct themis_cell_key *key)
{
    soter_hmac_key_free(key->master);
    soter_aead_free(soter_spare_take(&key->aead));
}

static soter_status take_aead(struct themis_cell_key *key, soter_aead **out)
{
    *out = soter_spare_take(&key->aead);
    return *out != NULL ? SOTER_SUCCESS : soter_aead_new(out);
}

static void leave_aead(struct themis_cell_key *key, soter_aead *aead)
{
    soter_aead_free(soter_spare_leave(&key->aead, aead));
}

/* k = KDF(master key, label, [message length, context]) */
static soter_status message_key(soter_hmac_key *key,
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

soter_status themis_cell_encrypt(struct themis_cell_key *key,
                                 const struct themis_cell_text *text,
                                 uint8_t *out,
                                 uint8_t nonce[SOTER_AEAD_NONCE_SIZE],
                                 uint8_t tag[SOTER_AEAD_TAG_SIZE])
{
    uint8_t derived[THEMIS_CELL_KEY_BITS / 8] = {0};
    const struct soter_aead_key aead_key = {derived, sizeof derived, true};
    soter_aead *aead = NULL;
    soter_status status = take_aead(key, &aead);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = message_key(key->master, text, THEMIS_CELL_LENGTH_WIDTH, derived, sizeof derived);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_rand_public(nonce, SOTER_AEAD_NONCE_SIZE);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_aead_start(aead, &aead_key, nonce, text->context, text->context_len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_aead_encrypt(aead, text->data, text->len, out, tag);
out:
    soter_wipe(derived, sizeof derived);
    leave_aead(key, aead);
    return status;
}

soter_status themis_cell_decrypt(struct themis_cell_key *key,
                                 const struct themis_cell_token *token,
                                 const struct themis_cell_text *text,
                                 uint8_t *out)
{
    uint8_t derived[KEY_MAX_SIZE] = {0};
    const struct soter_aead_key aead_key = {derived, token->key_len, false};
    soter_aead *aead = NULL;
    soter_status status = take_aead(key, &aead);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = message_key(key->master, text, token->length_width, derived, token->key_len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_aead_start(aead, &aead_key, token->nonce, text->context, text->context_len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_aead_decrypt(aead, text->data, text->len, token->tag, out);
out:
    soter_wipe(derived, sizeof derived);
    leave_aead(key, aead);
    return status;
}

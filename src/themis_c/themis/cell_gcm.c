/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/cell_gcm.h"

#include <stdlib.h>
#include <string.h>

#include "soter/kdf.h"
#include "soter/rand.h"
#include "soter/wipe.h"

#define KEY_MAX_SIZE 32

/* What an operation works with, and leaves for the next. */
struct cipher {
    soter_aead *aead;
    struct themis_cell_subject subject; /* of the key in it */
};

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

void themis_cell_put_start(uint8_t start[THEMIS_CELL_START_SIZE], uint32_t message_len)
{
    soter_put_u32le(start, THEMIS_CELL_ALGORITHM | THEMIS_CELL_KEY_BITS);
    soter_put_u32le(start + 4, SOTER_AEAD_NONCE_SIZE);
    soter_put_u32le(start + 8, SOTER_AEAD_TAG_SIZE);
    soter_put_u32le(start + 12, message_len);
}

bool themis_cell_subject_is(const struct themis_cell_subject *subject,
                            const struct themis_cell_text *text,
                            size_t length_width,
                            size_t key_len)
{
    return subject->key_len == key_len && subject->length_width == length_width &&
           subject->message_len == text->len && subject->context_len == text->context_len &&
           (text->context_len == 0 ||
            memcmp(subject->context, text->context, text->context_len) == 0);
}

struct soter_slice themis_cell_subject_set(struct themis_cell_subject *subject,
                                           const struct themis_cell_text *text,
                                           size_t length_width,
                                           size_t key_len)
{
    struct soter_slice context = {text->context, text->context_len};
    subject->key_len = 0;
    if (context.len > sizeof subject->context) {
        return context;
    }
    if (context.len != 0) {
        memcpy(subject->context, context.data, context.len);
    }
    subject->context_len = context.len;
    subject->message_len = text->len;
    subject->length_width = length_width;
    subject->key_len = key_len;
    context.data = subject->context;
    return context;
}

static void cipher_free(struct cipher *cipher)
{
    if (cipher != NULL) {
        soter_aead_free(cipher->aead);
        soter_wipe_free(cipher, sizeof *cipher);
    }
}

static soter_status cipher_new(struct cipher **out)
{
    soter_status status;
    struct cipher *cipher = calloc(1, sizeof *cipher);
    if (cipher == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_aead_new(&cipher->aead);
    if (status != SOTER_SUCCESS) {
        cipher_free(cipher);
        return status;
    }
    *out = cipher;
    return SOTER_SUCCESS;
}

soter_status
themis_cell_key_init(struct themis_cell_key *key, const uint8_t *bytes, size_t bytes_len)
{
    key->master = NULL;
    key->cipher.kept = NULL;
    return soter_hmac_key_new(bytes, bytes_len, &key->master);
}

void themis_cell_key_clear(struct themis_cell_key *key)
{
    soter_hmac_key_free(key->master);
    cipher_free(soter_reuse_take(&key->cipher));
}

void themis_cell_key_borrow(struct themis_cell_key *shared, struct themis_cell_key *own)
{
    own->master = shared->master;
    own->cipher.kept = soter_reuse_take(&shared->cipher);
}

void themis_cell_key_return(struct themis_cell_key *shared, struct themis_cell_key *own)
{
    cipher_free(soter_reuse_leave(&shared->cipher, soter_reuse_take(&own->cipher)));
}

static soter_status take_cipher(struct themis_cell_key *key, struct cipher **out)
{
    *out = soter_reuse_take(&key->cipher);
    return *out != NULL ? SOTER_SUCCESS : cipher_new(out);
}

/* What failed is not reused; a message that is not authentic is no failure of the cipher. */
static void leave_cipher(struct themis_cell_key *key, struct cipher *cipher, soter_status status)
{
    cipher_free(status == SOTER_SUCCESS || status == SOTER_FAIL
                    ? soter_reuse_leave(&key->cipher, cipher)
                    : cipher);
}

/* k = KDF(master key, label, [message length, context]) */
static soter_status message_key(soter_hmac_key *master,
                                struct themis_cell_subject *subject,
                                const struct themis_cell_token *token,
                                const struct themis_cell_text *text,
                                uint8_t *out)
{
    uint8_t length[8]; /* public */
    const struct soter_slice contexts[2] = {
        {length, token->length_width},
        themis_cell_subject_set(subject, text, token->length_width, token->key_len)};
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("Themis secure cell message key"),
                                              contexts,
                                              2};
    soter_put_u64le(length, text->len); /* its first four bytes are the length as u32le */
    return soter_kdf(master, &purpose, out, token->key_len);
}

soter_status themis_cell_key_derive(const struct themis_cell_key *key,
                                    const struct themis_cell_text *text,
                                    uint8_t *out,
                                    size_t out_len)
{
    struct themis_cell_subject unused;
    const struct themis_cell_token token = {.key_len = out_len,
                                            .length_width = THEMIS_CELL_LENGTH_WIDTH};
    return message_key(key->master, &unused, &token, text, out);
}

static soter_status start(soter_hmac_key *master,
                          struct cipher *cipher,
                          const struct themis_cell_token *token,
                          const struct themis_cell_text *text,
                          bool encrypts)
{
    uint8_t derived[KEY_MAX_SIZE] = {0};
    struct soter_aead_key key = {NULL, token->key_len, encrypts};
    soter_status status = SOTER_SUCCESS;
    if (!themis_cell_subject_is(&cipher->subject, text, token->length_width, token->key_len)) {
        key.bytes = derived;
        status = message_key(master, &cipher->subject, token, text, derived);
    }
    if (status == SOTER_SUCCESS) {
        status =
            soter_aead_start(cipher->aead, &key, token->nonce, text->context, text->context_len);
    }
    soter_wipe(derived, sizeof derived);
    return status;
}

soter_status themis_cell_encrypt(struct themis_cell_key *key,
                                 const struct themis_cell_text *text,
                                 uint8_t *out,
                                 uint8_t nonce[SOTER_AEAD_NONCE_SIZE],
                                 uint8_t tag[SOTER_AEAD_TAG_SIZE])
{
    /* public; used from here, because other threads may write to `nonce` */
    uint8_t drawn[SOTER_AEAD_NONCE_SIZE];
    const struct themis_cell_token token = {.key_len = THEMIS_CELL_KEY_BITS / 8,
                                            .length_width = THEMIS_CELL_LENGTH_WIDTH,
                                            .nonce = drawn};
    struct cipher *cipher = NULL;
    soter_status status = soter_rand_public(drawn, sizeof drawn);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = take_cipher(key, &cipher);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    memcpy(nonce, drawn, sizeof drawn);
    status = start(key->master, cipher, &token, text, true);
    if (status == SOTER_SUCCESS) {
        status = soter_aead_encrypt(cipher->aead, text->data, text->len, out, tag);
    }
    leave_cipher(key, cipher, status);
    return status;
}

soter_status themis_cell_decrypt(struct themis_cell_key *key,
                                 const struct themis_cell_token *token,
                                 const struct themis_cell_text *text,
                                 uint8_t *out)
{
    struct cipher *cipher = NULL;
    soter_status status = take_cipher(key, &cipher);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = start(key->master, cipher, token, text, false);
    if (status == SOTER_SUCCESS) {
        status = soter_aead_decrypt(cipher->aead, text->data, text->len, token->tag, out);
    }
    leave_cipher(key, cipher, status);
    return status;
}

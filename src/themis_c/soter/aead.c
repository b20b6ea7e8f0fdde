/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/aead.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "soter/cipher.h"
#include "soter/libcrypto.h"
#include "soter/wipe.h"

struct soter_aead {
    EVP_CIPHER_CTX *ctx;
    const EVP_CIPHER *cipher; /* that ctx has a key for; NULL before the first */
};

static const EVP_CIPHER *cipher_for(size_t key_len)
{
    switch (key_len) {
    case 16:
        return soter_libcrypto.aes128_gcm;
    case 24:
        return soter_libcrypto.aes192_gcm;
    case 32:
        return soter_libcrypto.aes256_gcm;
    default:
        return NULL;
    }
}

soter_status soter_aead_new(soter_aead **out)
{
    soter_aead *aead = calloc(1, sizeof *aead);
    if (aead == NULL) {
        return SOTER_NO_MEMORY;
    }
    aead->ctx = EVP_CIPHER_CTX_new();
    if (aead->ctx == NULL) {
        free(aead);
        return soter_libcrypto_failed(SOTER_NO_MEMORY);
    }
    *out = aead;
    return SOTER_SUCCESS;
}

void soter_aead_free(soter_aead *aead)
{
    if (aead != NULL) {
        EVP_CIPHER_CTX_free(aead->ctx); /* wipes its key schedule */
        free(aead);
    }
}

/* OpenSSL keeps what is NULL, and takes a cipher that it has already as if it were a new one. */
static soter_status
take_key(soter_aead *aead, const struct soter_aead_key *key, const uint8_t *nonce)
{
    const EVP_CIPHER *cipher = cipher_for(key->len);
    if (cipher == NULL || (key->bytes == NULL && cipher != aead->cipher)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (EVP_CipherInit_ex2(aead->ctx,
                           cipher == aead->cipher ? NULL : cipher,
                           key->bytes,
                           nonce,
                           key->encrypts ? 1 : 0,
                           NULL) != 1) {
        aead->cipher = NULL;
        return soter_libcrypto_failed(SOTER_ENGINE_FAIL);
    }
    aead->cipher = cipher;
    return SOTER_SUCCESS;
}

soter_status soter_aead_set_key(soter_aead *aead, const struct soter_aead_key *key)
{
    return take_key(aead, key, NULL);
}

soter_status soter_aead_start(soter_aead *aead,
                              const struct soter_aead_key *key,
                              const uint8_t nonce[SOTER_AEAD_NONCE_SIZE],
                              const uint8_t *associated,
                              size_t associated_len)
{
    const soter_status status = take_key(aead, key, nonce);
    return status == SOTER_SUCCESS ? soter_cipher_feed(aead->ctx, associated, associated_len, NULL)
                                   : status;
}

soter_status soter_aead_part(soter_aead *aead, const uint8_t *data, size_t data_len, uint8_t *out)
{
    return soter_cipher_feed(aead->ctx, data, data_len, out);
}

/* Final gives no data in GCM, it makes or checks the tag; where it could write we have room. */
static int aead_final(soter_aead *aead)
{
    uint8_t unused[SOTER_AEAD_TAG_SIZE]; /* public */
    int unused_len = 0;
    return EVP_CipherFinal_ex(aead->ctx, unused, &unused_len) == 1 && unused_len == 0;
}

soter_status soter_aead_encrypt(soter_aead *aead,
                                const uint8_t *data,
                                size_t data_len,
                                uint8_t *out,
                                uint8_t tag[SOTER_AEAD_TAG_SIZE])
{
    if (soter_cipher_feed(aead->ctx, data, data_len, out) != SOTER_SUCCESS || !aead_final(aead) ||
        EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_GET_TAG, SOTER_AEAD_TAG_SIZE, tag) != 1) {
        soter_wipe(out, data_len);
        return soter_libcrypto_failed(SOTER_ENGINE_FAIL);
    }
    return SOTER_SUCCESS;
}

soter_status soter_aead_decrypt(soter_aead *aead,
                                const uint8_t *data,
                                size_t data_len,
                                const uint8_t tag[SOTER_AEAD_TAG_SIZE],
                                uint8_t *out)
{
    uint8_t expected[SOTER_AEAD_TAG_SIZE]; /* public */
    memcpy(expected, tag, sizeof expected);
    if (EVP_CIPHER_CTX_ctrl(aead->ctx, EVP_CTRL_AEAD_SET_TAG, SOTER_AEAD_TAG_SIZE, expected) != 1 ||
        soter_cipher_feed(aead->ctx, data, data_len, out) != SOTER_SUCCESS) {
        soter_wipe(out, data_len);
        return soter_libcrypto_failed(SOTER_ENGINE_FAIL);
    }
    if (!aead_final(aead)) {
        soter_wipe(out, data_len);
        return SOTER_FAIL;
    }
    return SOTER_SUCCESS;
}

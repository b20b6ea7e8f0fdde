/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/aead.h"

#include <string.h>

#include "soter/cipher.h"
#include "soter/crypto.h"
#include "soter/wipe.h"

static const EVP_CIPHER *cipher_for(size_t key_len)
{
    switch (key_len) {
    case 16:
        return soter_crypto.aes128_gcm;
    case 24:
        return soter_crypto.aes192_gcm;
    case 32:
        return soter_crypto.aes256_gcm;
    default:
        return NULL;
    }
}

static soter_status aead_new(const uint8_t *key, size_t key_len, int encrypt, soter_aead **out)
{
    const EVP_CIPHER *cipher = cipher_for(key_len);
    soter_aead *aead;
    if (cipher == NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    aead = EVP_CIPHER_CTX_new();
    if (aead == NULL) {
        return SOTER_NO_MEMORY;
    }
    if (EVP_CipherInit_ex2(aead, cipher, key, NULL, encrypt, NULL) != 1) {
        soter_aead_free(aead);
        return SOTER_ENGINE_FAIL;
    }
    *out = aead;
    return SOTER_SUCCESS;
}

soter_status soter_aead_new_encrypt(const uint8_t *key, size_t key_len, soter_aead **out)
{
    return aead_new(key, key_len, 1, out);
}

soter_status soter_aead_new_decrypt(const uint8_t *key, size_t key_len, soter_aead **out)
{
    return aead_new(key, key_len, 0, out);
}

void soter_aead_free(soter_aead *aead)
{
    EVP_CIPHER_CTX_free(aead); /* wipes its key schedule */
}

soter_status soter_aead_start(soter_aead *aead,
                              const uint8_t nonce[SOTER_AEAD_NONCE_SIZE],
                              const uint8_t *associated,
                              size_t associated_len)
{
    const int same_direction = -1;
    if (EVP_CipherInit_ex2(aead, NULL, NULL, nonce, same_direction, NULL) != 1) {
        return SOTER_ENGINE_FAIL;
    }
    return soter_cipher_feed(aead, associated, associated_len, NULL);
}

soter_status soter_aead_part(soter_aead *aead, const uint8_t *data, size_t data_len, uint8_t *out)
{
    return soter_cipher_feed(aead, data, data_len, out);
}

/* Final gives no data in GCM, it makes or checks the tag; where it could write we have room. */
static int aead_final(soter_aead *aead)
{
    uint8_t unused[SOTER_AEAD_TAG_SIZE]; /* public */
    int unused_len = 0;
    return EVP_CipherFinal_ex(aead, unused, &unused_len) == 1 && unused_len == 0;
}

soter_status soter_aead_encrypt(soter_aead *aead,
                                const uint8_t *data,
                                size_t data_len,
                                uint8_t *out,
                                uint8_t tag[SOTER_AEAD_TAG_SIZE])
{
    if (soter_cipher_feed(aead, data, data_len, out) != SOTER_SUCCESS || !aead_final(aead) ||
        EVP_CIPHER_CTX_ctrl(aead, EVP_CTRL_AEAD_GET_TAG, SOTER_AEAD_TAG_SIZE, tag) != 1) {
        soter_wipe(out, data_len);
        return SOTER_ENGINE_FAIL;
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
    if (EVP_CIPHER_CTX_ctrl(aead, EVP_CTRL_AEAD_SET_TAG, SOTER_AEAD_TAG_SIZE, expected) != 1 ||
        soter_cipher_feed(aead, data, data_len, out) != SOTER_SUCCESS) {
        soter_wipe(out, data_len);
        return SOTER_ENGINE_FAIL;
    }
    if (!aead_final(aead)) {
        soter_wipe(out, data_len);
        return SOTER_FAIL;
    }
    return SOTER_SUCCESS;
}

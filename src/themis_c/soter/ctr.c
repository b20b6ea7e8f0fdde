/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/ctr.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>

#include "soter/cipher.h"
#include "soter/libcrypto.h"
#include "soter/wipe.h"

struct soter_ctr {
    EVP_CIPHER_CTX *ctx;
    bool has_key; /* and so a cipher */
};

soter_status soter_ctr_new(soter_ctr **out)
{
    soter_ctr *ctr = calloc(1, sizeof *ctr);
    if (ctr == NULL) {
        return SOTER_NO_MEMORY;
    }
    ctr->ctx = EVP_CIPHER_CTX_new();
    if (ctr->ctx == NULL) {
        free(ctr);
        return soter_libcrypto_failed(SOTER_NO_MEMORY);
    }
    *out = ctr;
    return SOTER_SUCCESS;
}

void soter_ctr_free(soter_ctr *ctr)
{
    if (ctr != NULL) {
        EVP_CIPHER_CTX_free(ctr->ctx); /* wipes its key schedule */
        free(ctr);
    }
}

static soter_status skip_over(EVP_CIPHER_CTX *ctx, size_t len)
{
    uint8_t key_stream[SOTER_CTR_BLOCK_SIZE] = {0};
    soter_status status = SOTER_SUCCESS;
    if (len != 0) {
        status = soter_cipher_feed(ctx, key_stream, len, key_stream);
        soter_wipe(key_stream, sizeof key_stream);
    }
    return status;
}

soter_status soter_ctr_crypt(soter_ctr *ctr,
                             const uint8_t *key,
                             const uint8_t counter[SOTER_CTR_BLOCK_SIZE],
                             size_t skip,
                             const uint8_t *data,
                             size_t data_len,
                             uint8_t *out)
{
    const EVP_CIPHER *cipher = ctr->has_key ? NULL : soter_libcrypto.aes256_ctr;
    soter_status status = SOTER_ENGINE_FAIL;
    if ((key == NULL && !ctr->has_key) || skip >= SOTER_CTR_BLOCK_SIZE) {
        return SOTER_INVALID_PARAMETER;
    }
    ctr->has_key = EVP_CipherInit_ex2(ctr->ctx, cipher, key, counter, 1, NULL) == 1;
    if (ctr->has_key) {
        status = skip_over(ctr->ctx, skip);
    }
    if (status == SOTER_SUCCESS) {
        status = soter_cipher_feed(ctr->ctx, data, data_len, out);
    }
    if (status != SOTER_SUCCESS) {
        soter_wipe(out, data_len);
        status = soter_libcrypto_failed(status);
    }
    return status;
}

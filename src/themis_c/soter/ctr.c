/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/ctr.h"

#include "soter/cipher.h"
#include "soter/crypto.h"
#include "soter/wipe.h"

soter_status soter_ctr(const uint8_t key[32],
                       const uint8_t counter[SOTER_CTR_BLOCK_SIZE],
                       const uint8_t *data,
                       size_t data_len,
                       uint8_t *out)
{
    soter_status status = SOTER_ENGINE_FAIL;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (ctx == NULL) {
        return SOTER_NO_MEMORY;
    }
    if (EVP_CipherInit_ex2(ctx, soter_crypto.aes256_ctr, key, counter, 1, NULL) == 1) {
        status = soter_cipher_feed(ctx, data, data_len, out);
    }
    if (status != SOTER_SUCCESS) {
        soter_wipe(out, data_len);
    }
    EVP_CIPHER_CTX_free(ctx); /* wipes its key schedule */
    return status;
}

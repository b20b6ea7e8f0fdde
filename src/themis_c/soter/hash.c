/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/hash.h"

#include "soter/crypto.h"

soter_status
soter_sha256(const struct soter_slice *parts, size_t count, uint8_t out[SOTER_SHA256_SIZE])
{
    soter_status status = SOTER_NO_MEMORY;
    unsigned int out_len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx == NULL) {
        return status;
    }
    status = SOTER_ENGINE_FAIL;
    if (EVP_DigestInit_ex2(ctx, soter_crypto.sha256, NULL) != 1) {
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        if (EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) != 1) {
            goto out;
        }
    }
    if (EVP_DigestFinal_ex(ctx, out, &out_len) != 1 || out_len != SOTER_SHA256_SIZE) {
        goto out;
    }
    status = SOTER_SUCCESS;
out:
    EVP_MD_CTX_free(ctx); /* wipes its state */
    return status;
}

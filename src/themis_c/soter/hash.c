/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/hash.h"

#include <openssl/evp.h>

#include "soter/libcrypto.h"

static soter_status new_state(const EVP_MD *algorithm, EVP_MD_CTX **out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx == NULL) {
        return soter_libcrypto_failed(SOTER_NO_MEMORY);
    }
    if (EVP_DigestInit_ex2(ctx, algorithm, NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        return soter_libcrypto_failed(SOTER_ENGINE_FAIL);
    }
    *out = ctx;
    return SOTER_SUCCESS;
}

soter_status soter_hash_finish(EVP_MD_CTX *ctx, uint8_t *out, size_t out_len)
{
    unsigned int written = 0;
    if (EVP_DigestFinal_ex(ctx, out, &written) != 1 || written != out_len) {
        return soter_libcrypto_failed(SOTER_ENGINE_FAIL);
    }
    return SOTER_SUCCESS;
}

static soter_status digest(const EVP_MD *algorithm,
                           const struct soter_slice *parts,
                           size_t count,
                           uint8_t *out,
                           size_t out_len)
{
    EVP_MD_CTX *ctx = NULL;
    soter_status status = new_state(algorithm, &ctx);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = SOTER_SUCCESS;
    for (size_t i = 0; i < count; i++) {
        if (EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) != 1) {
            status = soter_libcrypto_failed(SOTER_ENGINE_FAIL);
            goto out;
        }
    }
    status = soter_hash_finish(ctx, out, out_len);
out:
    EVP_MD_CTX_free(ctx); /* wipes its state */
    return status;
}

soter_status
soter_sha256(const struct soter_slice *parts, size_t count, uint8_t out[SOTER_SHA256_SIZE])
{
    return digest(soter_libcrypto.sha256, parts, count, out, SOTER_SHA256_SIZE);
}

soter_status
soter_sha512(const struct soter_slice *parts, size_t count, uint8_t out[SOTER_SHA512_SIZE])
{
    return digest(soter_libcrypto.sha512, parts, count, out, SOTER_SHA512_SIZE);
}

soter_status soter_sha256_new(soter_sha256_state **out)
{
    return new_state(soter_libcrypto.sha256, out);
}

soter_status soter_sha256_add(soter_sha256_state *state, const uint8_t *data, size_t data_len)
{
    return EVP_DigestUpdate(state, data, data_len) == 1 ? SOTER_SUCCESS
                                                        : soter_libcrypto_failed(SOTER_ENGINE_FAIL);
}

soter_status soter_sha256_finish(soter_sha256_state *state, uint8_t out[SOTER_SHA256_SIZE])
{
    return soter_hash_finish(state, out, SOTER_SHA256_SIZE);
}

void soter_sha256_free(soter_sha256_state *state)
{
    EVP_MD_CTX_free(state); /* wipes its state */
}

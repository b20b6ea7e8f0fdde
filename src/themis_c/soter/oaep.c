/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/oaep.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdlib.h>

#include "soter/crypto.h"
#include "soter/evp_key.h"
#include "soter/rand.h"
#include "soter/rsa_key.h"
#include "soter/wipe.h"

/* Contexts of OpenSSL that are only ever copied, as in sign.c. */
struct soter_oaep_wrapper {
    EVP_PKEY_CTX *prepared;
    size_t size;
};

struct soter_oaep_unwrapper {
    EVP_PKEY_CTX *prepared;
    size_t size;
};

static soter_status prepare(const soter_key *key, int (*init)(EVP_PKEY_CTX *), EVP_PKEY_CTX **out)
{
    soter_status status;
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = NULL;
    ERR_set_mark();
    status = soter_key_to_evp(key, &pkey);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = SOTER_ENGINE_FAIL;
    ctx = EVP_PKEY_CTX_new_from_pkey(soter_crypto.libctx, pkey, NULL);
    if (ctx == NULL || init(ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md(ctx, soter_crypto.sha1) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, soter_crypto.sha1) != 1) {
        goto out;
    }
    *out = ctx;
    ctx = NULL;
    status = SOTER_SUCCESS;
out:
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ERR_pop_to_mark();
    return status;
}

static bool is_rsa(const soter_key *key, bool is_private)
{
    return key->kind->algorithm == SOTER_KEY_RSA && key->kind->is_private == is_private;
}

soter_status soter_oaep_wrapper_new(const soter_key *public_key, soter_oaep_wrapper **out)
{
    soter_status status;
    soter_oaep_wrapper *wrapper;
    if (!is_rsa(public_key, false)) {
        return SOTER_INVALID_PARAMETER;
    }
    wrapper = calloc(1, sizeof *wrapper);
    if (wrapper == NULL) {
        return SOTER_NO_MEMORY;
    }
    wrapper->size = public_key->kind->number_size;
    status = prepare(public_key, EVP_PKEY_encrypt_init, &wrapper->prepared);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = wrapper;
    wrapper = NULL;
out:
    soter_oaep_wrapper_free(wrapper);
    return status;
}

void soter_oaep_wrapper_free(soter_oaep_wrapper *wrapper)
{
    if (wrapper != NULL) {
        EVP_PKEY_CTX_free(wrapper->prepared);
        free(wrapper);
    }
}

soter_status soter_oaep_unwrapper_new(const soter_key *private_key, soter_oaep_unwrapper **out)
{
    soter_status status;
    soter_oaep_unwrapper *unwrapper;
    if (!is_rsa(private_key, true)) {
        return SOTER_INVALID_PARAMETER;
    }
    unwrapper = calloc(1, sizeof *unwrapper);
    if (unwrapper == NULL) {
        return SOTER_NO_MEMORY;
    }
    unwrapper->size = private_key->kind->number_size;
    status = prepare(private_key, EVP_PKEY_decrypt_init, &unwrapper->prepared);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = unwrapper;
    unwrapper = NULL;
out:
    soter_oaep_unwrapper_free(unwrapper);
    return status;
}

void soter_oaep_unwrapper_free(soter_oaep_unwrapper *unwrapper)
{
    if (unwrapper != NULL) {
        EVP_PKEY_CTX_free(unwrapper->prepared);
        free(unwrapper);
    }
}

size_t soter_oaep_wrapped_size(const soter_oaep_wrapper *wrapper)
{
    return wrapper->size;
}

size_t soter_oaep_unwrapped_from_size(const soter_oaep_unwrapper *unwrapper)
{
    return unwrapper->size;
}

soter_status soter_oaep_wrap(const soter_oaep_wrapper *wrapper,
                             const uint8_t *secret,
                             size_t secret_len,
                             uint8_t *wrapped)
{
    soter_status status = SOTER_ENGINE_FAIL;
    size_t made_len = wrapper->size;
    EVP_PKEY_CTX *ctx = NULL;
    if (secret_len > SOTER_OAEP_SECRET_MAX_SIZE) {
        return SOTER_INVALID_PARAMETER;
    }
    ERR_set_mark();
    ctx = EVP_PKEY_CTX_dup(wrapper->prepared);
    if (ctx != NULL && EVP_PKEY_encrypt(ctx, wrapped, &made_len, secret, secret_len) == 1 &&
        made_len == wrapper->size) {
        status = SOTER_SUCCESS;
    }
    EVP_PKEY_CTX_free(ctx);
    ERR_pop_to_mark();
    return status;
}

/* Puts `opened` over `secret` if it was opened and has the right length, without a branch. */
static void
choose(int opened_status, size_t opened_len, const uint8_t *opened, uint8_t *secret, size_t len)
{
    const uint32_t wrong = ((uint32_t)opened_status ^ 1U) | (uint32_t)(opened_len ^ len);
    const uint8_t keep = (uint8_t)(0U - ((wrong | (0U - wrong)) >> 31)); /* FF if wrong, else 00 */
    for (size_t i = 0; i < len; i++) {
        secret[i] = (uint8_t)((secret[i] & keep) | (opened[i] & (uint8_t)~keep));
    }
}

soter_status soter_oaep_unwrap(const soter_oaep_unwrapper *unwrapper,
                               const uint8_t *wrapped,
                               size_t wrapped_len,
                               uint8_t *secret,
                               size_t secret_len)
{
    soter_status status;
    uint8_t opened[SOTER_RSA_NUMBER_MAX_SIZE] = {0}; /* OpenSSL wants room for a whole modulus */
    size_t opened_len = sizeof opened;
    int opened_status;
    EVP_PKEY_CTX *ctx = NULL;
    if (wrapped_len != unwrapper->size || secret_len > SOTER_OAEP_SECRET_MAX_SIZE) {
        return SOTER_INVALID_PARAMETER;
    }
    status = soter_rand_secret(secret, secret_len);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    ERR_set_mark();
    ctx = EVP_PKEY_CTX_dup(unwrapper->prepared);
    if (ctx == NULL) {
        status = SOTER_NO_MEMORY;
        goto out;
    }
    opened_status = EVP_PKEY_decrypt(ctx, opened, &opened_len, wrapped, wrapped_len);
    choose(opened_status, opened_len, opened, secret, secret_len);
out:
    soter_wipe(opened, sizeof opened);
    EVP_PKEY_CTX_free(ctx);
    ERR_pop_to_mark();
    return status;
}

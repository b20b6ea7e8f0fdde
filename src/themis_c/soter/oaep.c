/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/oaep.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdlib.h>

#include "soter/evp.h"
#include "soter/fork.h"
#include "soter/key_internal.h"
#include "soter/libcrypto.h"
#include "soter/rand.h"
#include "soter/rsa_key.h"
#include "soter/wipe.h"

struct soter_oaep_key {
    EVP_PKEY_CTX *prepared; /* of soter_evp_prepare */
    bool is_private;
    size_t size;
};

static const OSSL_PARAM oaep[] = {
    SOTER_TEXT_PARAM(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_OAEP),
    SOTER_TEXT_PARAM(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, "SHA1"),
    SOTER_TEXT_PARAM(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, "SHA1"),
    OSSL_PARAM_END,
};

soter_status soter_oaep_key_new(const soter_key *key, soter_oaep_key **out)
{
    const bool is_private = key->kind->is_private;
    soter_status status;
    soter_oaep_key *made;
    if (key->kind->algorithm != SOTER_KEY_RSA) {
        return SOTER_INVALID_PARAMETER;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    made->is_private = is_private;
    made->size = key->kind->number_size;
    soter_libcrypto_mark();
    soter_fork_hold_off();
    status = soter_evp_prepare(key->pkey,
                               is_private ? EVP_PKEY_decrypt_init_ex : EVP_PKEY_encrypt_init_ex,
                               oaep,
                               &made->prepared);
    soter_fork_allow();
    ERR_pop_to_mark();
    if (status == SOTER_SUCCESS) {
        *out = made;
        made = NULL;
    }
    soter_oaep_key_free(made);
    return status;
}

void soter_oaep_key_free(soter_oaep_key *key)
{
    if (key != NULL) {
        soter_fork_hold_off();
        EVP_PKEY_CTX_free(key->prepared);
        soter_fork_allow();
        free(key);
    }
}

size_t soter_oaep_wrapped_size(const soter_oaep_key *key)
{
    return key->size;
}

soter_status soter_oaep_wrap(const soter_oaep_key *key,
                             const uint8_t *secret,
                             size_t secret_len,
                             uint8_t *wrapped)
{
    soter_status status;
    size_t made_len = key->size;
    EVP_PKEY_CTX *ctx = NULL;
    if (key->is_private || secret_len > SOTER_OAEP_SECRET_MAX_SIZE) {
        return SOTER_INVALID_PARAMETER;
    }
    status = soter_rand_renew_public(); /* the padding's seed */
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = SOTER_ENGINE_FAIL;
    soter_libcrypto_mark();
    ctx = EVP_PKEY_CTX_dup(key->prepared);
    soter_fork_hold_off();
    if (ctx != NULL && EVP_PKEY_encrypt(ctx, wrapped, &made_len, secret, secret_len) == 1 &&
        made_len == key->size) {
        status = SOTER_SUCCESS;
    }
    soter_fork_allow();
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

soter_status soter_oaep_unwrap(const soter_oaep_key *key,
                               enum soter_oaep_blinding blinding,
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
    if (!key->is_private || wrapped_len != key->size || secret_len > SOTER_OAEP_SECRET_MAX_SIZE) {
        return SOTER_INVALID_PARAMETER;
    }
    status = soter_rand_secret(secret, secret_len);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    soter_libcrypto_mark();
    ctx = blinding == SOTER_OAEP_FRESH_BLINDING
              ? soter_evp_prepare_afresh(key->prepared, EVP_PKEY_decrypt_init_ex, oaep)
              : EVP_PKEY_CTX_dup(key->prepared);
    if (ctx == NULL) {
        status = SOTER_NO_MEMORY;
        goto out;
    }
    soter_fork_hold_off();
    opened_status = EVP_PKEY_decrypt(ctx, opened, &opened_len, wrapped, wrapped_len);
    soter_fork_allow();
    choose(opened_status, opened_len, opened, secret, secret_len);
out:
    soter_wipe(opened, sizeof opened);
    soter_wipe_stack();
    EVP_PKEY_CTX_free(ctx);
    ERR_pop_to_mark();
    return status;
}

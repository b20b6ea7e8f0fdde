/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/pss.h"

#include <openssl/core_names.h>
#include <stdlib.h>

#include "soter/evp.h"
#include "soter/fork.h"
#include "soter/hash.h"
#include "soter/key_internal.h"
#include "soter/libcrypto.h"
#include "soter/wipe.h"

struct soter_pss_key {
    EVP_PKEY_CTX *signing;   /* of soter_evp_prepare; NULL in a public key */
    EVP_PKEY_CTX *verifying; /* a private key verifies what it signed */
    size_t size;
};

/* The mask is made with SHA-256 too. The salt is the longest that fits, as in every version of
 * Themis; its length is found in the signature. */
static const OSSL_PARAM pss_signing[] = {
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_PSS),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_DIGEST, "SHA2-256"),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, "SHA2-256"),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, OSSL_PKEY_RSA_PSS_SALT_LEN_MAX),
    OSSL_PARAM_END,
};
static const OSSL_PARAM pss_verifying[] = {
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_PSS),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_DIGEST, "SHA2-256"),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, "SHA2-256"),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO),
    OSSL_PARAM_END,
};

soter_status soter_pss_key_new(const soter_key *key, soter_pss_key **out)
{
    soter_status status;
    soter_pss_key *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    made->size = key->kind->number_size;
    status = soter_evp_prepare(key->pkey, EVP_PKEY_verify_init_ex, pss_verifying, &made->verifying);
    if (status == SOTER_SUCCESS && key->kind->is_private) {
        status = soter_evp_prepare(key->pkey, EVP_PKEY_sign_init_ex, pss_signing, &made->signing);
    }
    if (status == SOTER_SUCCESS) {
        *out = made;
        made = NULL;
    }
    soter_pss_key_free(made);
    return status;
}

void soter_pss_key_free(soter_pss_key *key)
{
    if (key != NULL) {
        EVP_PKEY_CTX_free(key->signing);
        EVP_PKEY_CTX_free(key->verifying);
        free(key);
    }
}

/* Signs with a context, which this consumes, and verifies. */
static bool sign_and_verify(const soter_pss_key *key,
                            EVP_PKEY_CTX *ctx,
                            const uint8_t *digest,
                            uint8_t *signature)
{
    size_t made_len = key->size;
    int made;
    if (ctx == NULL) {
        return false;
    }
    soter_fork_hold_off();
    made = EVP_PKEY_sign(ctx, signature, &made_len, digest, SOTER_SHA256_SIZE);
    soter_fork_allow();
    soter_wipe_stack();
    EVP_PKEY_CTX_free(ctx);
    return made == 1 && made_len == key->size &&
           soter_pss_verify(key, digest, signature, made_len) == SOTER_SUCCESS;
}

/* A signature is verified before it leaves. OpenSSL keeps blinding factors with a key, and replaces
 * them after 32 uses. If memory runs out at that moment, it reports no error and continues with
 * factors that do not match: up to 32 signatures are wrong (observed in 3.0). A copy of the key has
 * blinding of its own. */
bool soter_pss_sign(const soter_pss_key *key,
                    const uint8_t *digest,
                    uint8_t *signature,
                    size_t *signature_len)
{
    *signature_len = key->size;
    return sign_and_verify(key, EVP_PKEY_CTX_dup(key->signing), digest, signature) ||
           sign_and_verify(
               key,
               soter_evp_prepare_afresh(key->signing, EVP_PKEY_sign_init_ex, pss_signing),
               digest,
               signature);
}

soter_status soter_pss_verify(const soter_pss_key *key,
                              const uint8_t *digest,
                              const uint8_t *signature,
                              size_t signature_len)
{
    soter_status status = SOTER_SUCCESS;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(key->verifying);
    if (ctx == NULL) {
        return SOTER_NO_MEMORY;
    }
    if (EVP_PKEY_verify(ctx, signature, signature_len, digest, SOTER_SHA256_SIZE) != 1) {
        status = soter_libcrypto_refused(SOTER_INVALID_SIGNATURE);
    }
    EVP_PKEY_CTX_free(ctx);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/ec_evp.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "soter/evp.h"
#include "soter/fork.h"
#include "soter/hash.h"
#include "soter/key_internal.h"
#include "soter/libcrypto.h"
#include "soter/wipe.h"

static const OSSL_PARAM sha256[] = {
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_DIGEST, "SHA2-256"),
    OSSL_PARAM_END,
};

soter_status soter_ec_evp_agree(const soter_key *private_key,
                                const soter_key *public_key,
                                uint8_t *secret,
                                size_t secret_len)
{
    EVP_PKEY *own = NULL;
    EVP_PKEY *peer = NULL;
    EVP_PKEY_CTX *ctx = NULL;
    size_t made_len = secret_len;
    soter_status status = soter_key_to_evp(private_key, &own);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_key_to_evp(public_key, &peer);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = SOTER_ENGINE_FAIL;
    soter_fork_hold_off();
    ctx = EVP_PKEY_CTX_new_from_pkey(soter_libcrypto.libctx, own, NULL);
    if (ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
        EVP_PKEY_derive(ctx, secret, &made_len) == 1 && made_len == secret_len) {
        status = SOTER_SUCCESS;
    }
    EVP_PKEY_CTX_free(ctx);
    soter_fork_allow();
out:
    soter_evp_free(own);
    soter_evp_free(peer);
    soter_wipe_stack();
    return status;
}

bool soter_ec_evp_sign(EVP_PKEY *key,
                       const uint8_t *digest,
                       uint8_t *signature,
                       size_t *signature_len)
{
    EVP_PKEY_CTX *ctx;
    bool done;
    soter_fork_hold_off();
    ctx = EVP_PKEY_CTX_new_from_pkey(soter_libcrypto.libctx, key, NULL);
    done = ctx != NULL && EVP_PKEY_sign_init_ex(ctx, sha256) == 1 &&
           EVP_PKEY_sign(ctx, signature, signature_len, digest, SOTER_SHA256_SIZE) == 1;
    EVP_PKEY_CTX_free(ctx);
    soter_fork_allow();
    soter_wipe_stack();
    return done && *signature_len != 0;
}

soter_status soter_ec_evp_verify(EVP_PKEY *key,
                                 const uint8_t *digest,
                                 const uint8_t *signature,
                                 size_t signature_len)
{
    soter_status status = SOTER_SUCCESS;
    EVP_PKEY_CTX *ctx;
    soter_fork_hold_off();
    ctx = EVP_PKEY_CTX_new_from_pkey(soter_libcrypto.libctx, key, NULL);
    if (ctx == NULL || EVP_PKEY_verify_init_ex(ctx, sha256) != 1) {
        status = soter_libcrypto_refused(SOTER_ENGINE_FAIL);
    } else if (EVP_PKEY_verify(ctx, signature, signature_len, digest, SOTER_SHA256_SIZE) != 1) {
        status = soter_libcrypto_refused(SOTER_INVALID_SIGNATURE);
    }
    EVP_PKEY_CTX_free(ctx);
    soter_fork_allow();
    return status;
}

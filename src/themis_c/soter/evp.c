/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/evp.h"

#include "soter/fork.h"
#include "soter/libcrypto.h"

soter_status soter_evp_make(EVP_PKEY_CTX *ctx, int selection, OSSL_PARAM *params, EVP_PKEY **out)
{
    EVP_PKEY *made = NULL;
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1) {
        return SOTER_ENGINE_FAIL;
    }
    if (EVP_PKEY_fromdata(ctx, &made, selection, params) != 1 || made == NULL) {
        return soter_libcrypto_refused(SOTER_DATA_CORRUPT);
    }
    *out = made;
    return SOTER_SUCCESS;
}

void soter_evp_free(EVP_PKEY *pkey)
{
    soter_fork_hold_off();
    EVP_PKEY_free(pkey); /* wipes private numbers */
    soter_fork_allow();
}

soter_status soter_evp_prepare(EVP_PKEY *pkey,
                               int (*init)(EVP_PKEY_CTX *ctx, const OSSL_PARAM *params),
                               const OSSL_PARAM *params,
                               EVP_PKEY_CTX **out)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(soter_libcrypto.libctx, pkey, NULL);
    if (ctx == NULL || init(ctx, params) != 1) {
        EVP_PKEY_CTX_free(ctx);
        return soter_libcrypto.is_fips ? soter_libcrypto_refused(SOTER_NOT_SUPPORTED)
                                       : SOTER_ENGINE_FAIL;
    }
    *out = ctx;
    return SOTER_SUCCESS;
}

EVP_PKEY_CTX *soter_evp_prepare_afresh(EVP_PKEY_CTX *prepared,
                                       int (*init)(EVP_PKEY_CTX *ctx, const OSSL_PARAM *params),
                                       const OSSL_PARAM *params)
{
    EVP_PKEY *copy = EVP_PKEY_dup(EVP_PKEY_CTX_get0_pkey(prepared));
    EVP_PKEY_CTX *ctx = NULL;
    if (copy == NULL || soter_evp_prepare(copy, init, params, &ctx) != SOTER_SUCCESS) {
        ctx = NULL;
    }
    EVP_PKEY_free(copy);
    return ctx;
}

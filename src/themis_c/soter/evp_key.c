/* SPDX-License-Identifier: Apache-2.0 */
/* What EC and RSA keys share on their way in and out of OpenSSL. */
#include "soter/evp_key.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <string.h>

#include "soter/fork.h"
#include "soter/libcrypto.h"
#include "soter/wipe.h"

soter_status
soter_evp_key_make(EVP_PKEY_CTX *ctx, int selection, OSSL_PARAM *params, EVP_PKEY **out)
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

void soter_evp_key_free(EVP_PKEY *pkey)
{
    soter_fork_hold_off();
    EVP_PKEY_free(pkey); /* wipes private numbers */
    soter_fork_allow();
}

soter_status soter_key_to_evp(const soter_key *key, EVP_PKEY **out)
{
    if (key->kind->algorithm == SOTER_KEY_EC) {
        return soter_ec_to_evp(key, out);
    }
    if (EVP_PKEY_up_ref(key->pkey) != 1) {
        return SOTER_ENGINE_FAIL;
    }
    *out = key->pkey;
    return SOTER_SUCCESS;
}

soter_status soter_rsa_prepare(EVP_PKEY *pkey,
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

EVP_PKEY_CTX *soter_rsa_prepare_afresh(EVP_PKEY_CTX *prepared,
                                       int (*init)(EVP_PKEY_CTX *ctx, const OSSL_PARAM *params),
                                       const OSSL_PARAM *params)
{
    EVP_PKEY *copy = EVP_PKEY_dup(EVP_PKEY_CTX_get0_pkey(prepared));
    EVP_PKEY_CTX *ctx = NULL;
    if (copy == NULL || soter_rsa_prepare(copy, init, params, &ctx) != SOTER_SUCCESS) {
        ctx = NULL;
    }
    EVP_PKEY_free(copy);
    return ctx;
}

static bool is_little_endian(void)
{
    static const uint16_t probe = 1;
    uint8_t first; /* public */
    memcpy(&first, &probe, 1);
    return first == 1;
}

void soter_native_number(const uint8_t *number, size_t len, uint8_t *out)
{
    const bool backwards = is_little_endian();
    for (size_t i = 0; i < len; i++) {
        out[backwards ? len - 1 - i : i] = number[i];
    }
}

void soter_number_from_native(uint8_t *number, size_t len)
{
    if (is_little_endian()) {
        for (size_t i = 0; i < len / 2; i++) {
            const uint8_t byte = number[i]; /* in a register */
            number[i] = number[len - 1 - i];
            number[len - 1 - i] = byte;
        }
    }
}

bool soter_number_less(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint32_t borrow = 0;
    for (size_t i = len; i-- > 0;) {
        borrow = ((uint32_t)a[i] - b[i] - borrow) >> 31;
    }
    return borrow != 0;
}

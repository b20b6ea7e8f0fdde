/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/ecdh.h"

#include <openssl/err.h>

#include "soter/crypto.h"
#include "soter/evp_key.h"
#include "soter/wipe.h"

size_t soter_ecdh_size(const soter_key *key)
{
    return key->kind->number_size;
}

soter_status soter_ecdh(const soter_key *private_key,
                        const soter_key *public_key,
                        uint8_t *secret,
                        size_t secret_len)
{
    const int check_again = 0; /* the point was judged when it was read, and cofactors are 1 */
    soter_status status = SOTER_ENGINE_FAIL;
    size_t made_len = secret_len;
    EVP_PKEY_CTX *ctx = NULL;
    if (!soter_key_is_ec(private_key, true) || !soter_key_is_ec(public_key, false) ||
        private_key->kind->bits != public_key->kind->bits ||
        secret_len != soter_ecdh_size(private_key)) {
        return SOTER_INVALID_PARAMETER;
    }
    ERR_set_mark();
    ctx = EVP_PKEY_CTX_new_from_pkey(soter_crypto.libctx, private_key->pkey, NULL);
    if (ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
        EVP_PKEY_derive_set_peer_ex(ctx, public_key->pkey, check_again) != 1 ||
        EVP_PKEY_derive(ctx, secret, &made_len) != 1 || made_len != secret_len) {
        goto out;
    }
    status = SOTER_SUCCESS;
out:
    if (status != SOTER_SUCCESS) {
        soter_wipe(secret, secret_len);
    }
    EVP_PKEY_CTX_free(ctx);
    ERR_pop_to_mark();
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/ecdh.h"

#include <openssl/err.h>
#include <string.h>

#include "soter/ec_curve.h"
#include "soter/ec_evp.h"
#include "soter/ec_point.h"
#include "soter/key_internal.h"
#include "soter/libcrypto.h"
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
    soter_status status;
    uint8_t product[SOTER_EC_POINT_MAX_SIZE] = {0};
    const struct soter_curve *curve;
    if (!soter_key_is_ec(private_key, true) || !soter_key_is_ec(public_key, false) ||
        private_key->kind->bits != public_key->kind->bits ||
        secret_len != soter_ecdh_size(private_key)) {
        return SOTER_INVALID_PARAMETER;
    }
    curve = soter_curve_find(private_key->kind->bits);
    if (curve == NULL) {
        return SOTER_ENGINE_FAIL;
    }
    soter_libcrypto_mark();
    if (soter_libcrypto.is_fips) {
        status = soter_ec_evp_agree(private_key, public_key, secret, secret_len);
    } else {
        /* Never the point at infinity: n is prime and d less than n. */
        status = soter_point_multiply(curve, private_key->d, public_key->point, product);
        memcpy(secret, product + 1, secret_len);
    }
    ERR_pop_to_mark();
    if (status != SOTER_SUCCESS) {
        soter_wipe(secret, secret_len);
    }
    soter_wipe(product, sizeof product);
    return status;
}

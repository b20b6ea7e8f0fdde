/* SPDX-License-Identifier: Apache-2.0 */
/* The keys are OpenSSL's EC_KEY, which it calls deprecated, because EVP builds the curve anew for
 * each private key, and that takes half as long as a signature. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "soter/ecdsa.h"

#include <openssl/bn.h>
#include <openssl/ec.h>

#include "soter/ec_curve.h"
#include "soter/fork.h"
#include "soter/hash.h"
#include "soter/key_internal.h"
#include "soter/libcrypto.h"
#include "soter/wipe.h"

#ifdef OPENSSL_NO_DEPRECATED_3_0
#error "pythemis signs with EC_KEY, which this OpenSSL was built without (no-deprecated)"
#endif

/* The private number alone: to compute the public half would cost as much as a signature, which
 * does not need it. */
static bool set_private(EC_KEY *made, const struct soter_curve *curve, const uint8_t *d)
{
    BIGNUM *number = BN_secure_new();
    const bool done = number != NULL && BN_bin2bn(d, (int)curve->number_size, number) != NULL &&
                      EC_KEY_set_private_key(made, number) == 1;
    BN_clear_free(number);
    return done;
}

static bool set_public(EC_KEY *made, const struct soter_curve *curve, const uint8_t *point)
{
    return EC_KEY_oct2key(made, point, 1 + 2 * curve->number_size, NULL) == 1;
}

soter_status soter_ecdsa_key_new(const soter_key *key, soter_ecdsa_key **out)
{
    const struct soter_curve *curve = soter_curve_find(key->kind->bits);
    EC_KEY *made = EC_KEY_new_ex(soter_libcrypto.libctx, NULL);
    if (curve == NULL || made == NULL || EC_KEY_set_group(made, curve->group) != 1 ||
        !(key->kind->is_private ? set_private(made, curve, key->d)
                                : set_public(made, curve, key->point))) {
        EC_KEY_free(made);
        return SOTER_ENGINE_FAIL;
    }
    *out = made;
    return SOTER_SUCCESS;
}

void soter_ecdsa_key_free(soter_ecdsa_key *key)
{
    EC_KEY_free(key); /* wipes the private number */
}

/* A signature is two numbers below n in DER: | 30 | length | 02 | length | number | and again,
 * where a number takes a byte more if its top bit would be set, and a length one from 128 on. */
size_t soter_ecdsa_max_size(const struct soter_key_kind *kind)
{
    const size_t number = kind->number_size + (kind->bits % 8 == 0 ? 1U : 0U);
    const size_t content = 2 * (2 + number);
    return content + (content < 128 ? 2U : 3U);
}

bool soter_ecdsa_sign(soter_ecdsa_key *key,
                      const uint8_t *digest,
                      uint8_t *signature,
                      size_t *signature_len)
{
    unsigned int made_len = 0;
    int made;
    soter_fork_hold_off();
    made = ECDSA_sign(0, digest, SOTER_SHA256_SIZE, signature, &made_len, key);
    soter_fork_allow();
    soter_wipe_stack();
    *signature_len = made_len;
    return made == 1 && made_len != 0;
}

soter_status soter_ecdsa_verify(soter_ecdsa_key *key,
                                const uint8_t *digest,
                                const uint8_t *signature,
                                size_t signature_len)
{
    return ECDSA_verify(0, digest, SOTER_SHA256_SIZE, signature, (int)signature_len, key) == 1
               ? SOTER_SUCCESS
               : soter_libcrypto_refused(SOTER_INVALID_SIGNATURE);
}

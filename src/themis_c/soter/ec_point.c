/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/ec_point.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "soter/fork.h"
#include "soter/libcrypto.h"
#include "soter/wipe.h"

static size_t whole_size(const struct soter_curve *curve)
{
    return 1 + 2 * curve->number_size;
}

static soter_status judge(const struct soter_curve *curve, const uint8_t *point, BN_CTX *ctx)
{
    soter_status status = SOTER_SUCCESS;
    EC_POINT *read = EC_POINT_new(curve->group);
    if (read == NULL) {
        return SOTER_NO_MEMORY;
    }
    if (EC_POINT_oct2point(curve->group, read, point, whole_size(curve), ctx) != 1) {
        status = soter_libcrypto_refused(SOTER_DATA_CORRUPT);
    }
    EC_POINT_free(read);
    return status;
}

soter_status soter_point_judge(const struct soter_curve *curve, const uint8_t *point)
{
    soter_status status;
    BN_CTX *ctx = BN_CTX_new_ex(soter_libcrypto.libctx);
    if (ctx == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = judge(curve, point, ctx);
    BN_CTX_free(ctx);
    return status;
}

/* The root of x^3 + ax + b, if that is a square, by the power (p + 1) / 4: the primes of our curves
 * are all 3 mod 4. OpenSSL does the same, and prepares its arithmetic anew each time. Nothing here
 * is secret. */
static bool
find_y(const struct soter_curve *curve, const BIGNUM *x, bool odd, BIGNUM *y, BN_CTX *ctx)
{
    const BIGNUM *p = curve->prime;
    return BN_mod_sqr(y, x, p, ctx) == 1 && BN_mod_add_quick(y, y, curve->a, p) == 1 &&
           BN_mod_mul(y, y, x, p, ctx) == 1 && BN_mod_add_quick(y, y, curve->b, p) == 1 &&
           BN_mod_exp_mont(y, y, curve->root_power, p, ctx, curve->reduction) == 1 &&
           ((BN_is_odd(y) == 1) == odd || BN_sub(y, p, y) == 1);
}

soter_status
soter_point_decompress(const struct soter_curve *curve, const uint8_t *compressed, uint8_t *point)
{
    const size_t n = curve->number_size;
    const bool odd = (compressed[0] & 1) != 0;
    soter_status status = SOTER_ENGINE_FAIL;
    BIGNUM *x;
    BIGNUM *y;
    BN_CTX *ctx = BN_CTX_new_ex(soter_libcrypto.libctx);
    if (ctx == NULL) {
        return SOTER_NO_MEMORY;
    }
    BN_CTX_start(ctx);
    x = BN_CTX_get(ctx);
    y = BN_CTX_get(ctx);
    if (x == NULL || y == NULL || BN_bin2bn(compressed + 1, (int)n, x) == NULL) {
        status = SOTER_NO_MEMORY;
        goto out;
    }
    if (BN_ucmp(x, curve->prime) >= 0) {
        status = SOTER_DATA_CORRUPT;
        goto out;
    }
    if (!find_y(curve, x, odd, y, ctx)) {
        status = soter_libcrypto_refused(SOTER_ENGINE_FAIL);
        goto out;
    }
    point[0] = SOTER_POINT_UNCOMPRESSED;
    if (BN_bn2binpad(x, point + 1, (int)n) != (int)n ||
        BN_bn2binpad(y, point + 1 + n, (int)n) != (int)n) {
        goto out;
    }
    status = judge(curve, point, ctx); /* for what is no square has no root */
out:
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    return status;
}

soter_status soter_point_multiply(const struct soter_curve *curve,
                                  const uint8_t *d,
                                  const uint8_t *point,
                                  uint8_t *product)
{
    soter_status status = SOTER_ENGINE_FAIL;
    const EC_GROUP *group = curve->group;
    const size_t size = whole_size(curve);
    int multiplied;
    BN_CTX *ctx = BN_CTX_secure_new_ex(soter_libcrypto.libctx); /* wipes what it hands out */
    BIGNUM *scalar = BN_secure_new();
    EC_POINT *factor = point != NULL ? EC_POINT_new(group) : NULL;
    EC_POINT *made = EC_POINT_new(group);
    if (ctx == NULL || scalar == NULL || made == NULL || (point != NULL && factor == NULL) ||
        BN_bin2bn(d, (int)curve->number_size, scalar) == NULL) {
        status = SOTER_NO_MEMORY;
        goto out;
    }
    if (point != NULL && EC_POINT_oct2point(group, factor, point, size, ctx) != 1) {
        goto out;
    }
    BN_set_flags(scalar, BN_FLG_CONSTTIME);
    soter_fork_hold_off(); /* coordinates are blinded */
    multiplied = EC_POINT_mul(group,
                              made,
                              point == NULL ? scalar : NULL,
                              factor,
                              point == NULL ? NULL : scalar,
                              ctx);
    soter_fork_allow();
    if (multiplied == 1 &&
        EC_POINT_point2oct(group, made, POINT_CONVERSION_UNCOMPRESSED, product, size, ctx) ==
            size) {
        status = SOTER_SUCCESS;
    }
out:
    EC_POINT_clear_free(made);
    EC_POINT_free(factor);
    BN_clear_free(scalar);
    BN_CTX_free(ctx);
    soter_wipe_stack(); /* the coordinates stay there */
    return status;
}

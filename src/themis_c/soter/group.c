/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/group.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <string.h>

#include "soter/bytes.h"
#include "soter/rand.h"
#include "soter/wipe.h"

static_assert(SOTER_POINT_SIZE == crypto_core_ed25519_BYTES, "points as libsodium has them");
static_assert(SOTER_SCALAR_SIZE == crypto_core_ed25519_SCALARBYTES, "scalars likewise");
static_assert(SOTER_SHA512_SIZE == crypto_core_ed25519_NONREDUCEDSCALARBYTES, "digests likewise");

static const struct soter_point identity = {{1}};

static const struct soter_scalar order = {{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                           0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                           0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                           0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10}};

/* B + (0, -1): of order 2L. */
static const struct soter_point mixed_order = {{0x95, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99,
                                                0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99,
                                                0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99,
                                                0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99, 0x99}};

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static bool ready;
static bool lax; /* whether this libsodium takes points of order 2L for points of order L */

static void init(void)
{
    ready = sodium_init() >= 0;
    lax = crypto_core_ed25519_is_valid_point(mixed_order.bytes) == 1;
}

soter_status soter_group_init(void)
{
    /* sodium_init ends the process where the system has no random bytes to give. OpenSSL asks the
     * same system, and answers. (libsodium's own generator is never used.) */
    uint8_t probe[1]; /* public */
    soter_status status = soter_rand_public(probe, sizeof probe);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (CRYPTO_THREAD_run_once(&once, init) != 1) {
        return SOTER_ENGINE_FAIL;
    }
    return ready ? SOTER_SUCCESS : SOTER_ENGINE_FAIL;
}

const char *soter_sodium_version(void)
{
    return sodium_version_string();
}

void soter_scalar_clamp(struct soter_scalar *scalar)
{
    scalar->bytes[0] &= 248;
    scalar->bytes[31] &= 63;
    scalar->bytes[31] |= 64;
}

soter_status soter_scalar_random(struct soter_scalar *out)
{
    soter_status status = soter_rand_secret(out->bytes, sizeof out->bytes);
    if (status == SOTER_SUCCESS) {
        soter_scalar_clamp(out);
    }
    return status;
}

void soter_scalar_of_digest(const uint8_t digest[SOTER_SHA512_SIZE], struct soter_scalar *out)
{
    crypto_core_ed25519_scalar_reduce(out->bytes, digest);
}

bool soter_scalar_is_reduced(const struct soter_scalar *scalar)
{
    uint8_t wide[SOTER_SHA512_SIZE] = {0};
    struct soter_scalar reduced;
    bool same;
    memcpy(wide, scalar->bytes, sizeof scalar->bytes);
    crypto_core_ed25519_scalar_reduce(reduced.bytes, wide);
    same = soter_equal(reduced.bytes, scalar->bytes, sizeof reduced.bytes);
    soter_wipe(wide, sizeof wide);
    soter_wipe(&reduced, sizeof reduced);
    return same;
}

void soter_scalar_multiply(const struct soter_scalar *a,
                           const struct soter_scalar *b,
                           struct soter_scalar *out)
{
    crypto_core_ed25519_scalar_mul(out->bytes, a->bytes, b->bytes);
}

void soter_scalar_multiply_add(const struct soter_scalar *a,
                               const struct soter_scalar *b,
                               const struct soter_scalar *c,
                               struct soter_scalar *out)
{
    struct soter_scalar product;
    crypto_core_ed25519_scalar_mul(product.bytes, a->bytes, b->bytes);
    /* libsodium adds in 256 bits: product < L < 2^253, and c < 2^255 */
    crypto_core_ed25519_scalar_add(out->bytes, product.bytes, c->bytes);
    soter_wipe(&product, sizeof product);
}

bool soter_point_is_identity(const struct soter_point *point)
{
    return soter_point_equal(point, &identity);
}

bool soter_point_equal(const struct soter_point *a, const struct soter_point *b)
{
    return soter_equal(a->bytes, b->bytes, sizeof a->bytes);
}

void soter_group_multiply_base(const struct soter_scalar *scalar, struct soter_point *out)
{
    /* it fails in one case: the product is the identity */
    if (crypto_scalarmult_ed25519_base_noclamp(out->bytes, scalar->bytes) != 0) {
        *out = identity;
    }
}

/* Whether L * point is the identity, for a point that libsodium finds valid. Early 1.0.18
 * accepts points of order 2L (CVE-2025-69277). Multiplication distinguishes them, because it fails
 * if and only if the product is the identity. */
static bool has_prime_order(const struct soter_point *point)
{
    struct soter_point product; /* public */
    return crypto_scalarmult_ed25519_noclamp(product.bytes, order.bytes, point->bytes) != 0;
}

static bool is_valid(const struct soter_point *point)
{
    return crypto_core_ed25519_is_valid_point(point->bytes) == 1 &&
           (!lax || has_prime_order(point));
}

soter_status soter_group_multiply(const struct soter_scalar *scalar,
                                  const struct soter_point *point,
                                  struct soter_point *out)
{
    struct soter_point product;
    bool product_is_identity;
    if (lax && !is_valid(point)) {
        return SOTER_INVALID_PARAMETER;
    }
    /* it fails in two cases: the point is not valid, or the product is the identity */
    product_is_identity =
        crypto_scalarmult_ed25519_noclamp(product.bytes, scalar->bytes, point->bytes) != 0;
    if (product_is_identity && !is_valid(point)) {
        return SOTER_INVALID_PARAMETER;
    }
    *out = product_is_identity ? identity : product;
    soter_wipe(&product, sizeof product);
    return SOTER_SUCCESS;
}

soter_status
soter_group_add(const struct soter_point *a, const struct soter_point *b, struct soter_point *out)
{
    return crypto_core_ed25519_add(out->bytes, a->bytes, b->bytes) == 0 ? SOTER_SUCCESS
                                                                        : SOTER_ENGINE_FAIL;
}

soter_status soter_group_subtract(const struct soter_point *a,
                                  const struct soter_point *b,
                                  struct soter_point *out)
{
    return crypto_core_ed25519_sub(out->bytes, a->bytes, b->bytes) == 0 ? SOTER_SUCCESS
                                                                        : SOTER_ENGINE_FAIL;
}

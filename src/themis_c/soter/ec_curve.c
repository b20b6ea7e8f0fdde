/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/ec_curve.h"

#include <openssl/objects.h>

/* FIPS 186-4, D.1.2: the order n of each base point. */
static const uint8_t order_256[32] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};
static const uint8_t order_384[48] = {
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xC7, 0x63, 0x4D, 0x81, 0xF4, 0x37, 0x2D, 0xDF,
    0x58, 0x1A, 0x0D, 0xB2, 0x48, 0xB0, 0xA7, 0x7A, 0xEC, 0xEC, 0x19, 0x6A, 0xCC, 0xC5, 0x29, 0x73};
static const uint8_t order_521[66] = {
    0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFA, 0x51, 0x86, 0x87, 0x83, 0xBF, 0x2F, 0x96, 0x6B,
    0x7F, 0xCC, 0x01, 0x48, 0xF7, 0x09, 0xA5, 0xD0, 0x3B, 0xB5, 0xC9, 0xB8, 0x89, 0x9C,
    0x47, 0xAE, 0xBB, 0x6F, 0xB7, 0x1E, 0x91, 0x38, 0x64, 0x09};

static struct soter_curve curves[SOTER_CURVES_COUNT] = {
    {.bits = 256,
     .number_size = 32,
     .nid = NID_X9_62_prime256v1,
     .name = "P-256",
     .order = order_256},
    {.bits = 384, .number_size = 48, .nid = NID_secp384r1, .name = "P-384", .order = order_384},
    {.bits = 521, .number_size = 66, .nid = NID_secp521r1, .name = "P-521", .order = order_521},
};

/* What the square root of soter_point_decompress needs. */
static bool prepare_roots(OSSL_LIB_CTX *libctx, struct soter_curve *curve)
{
    bool done = false;
    BN_CTX *ctx = BN_CTX_new_ex(libctx);
    curve->prime = BN_new();
    curve->a = BN_new();
    curve->b = BN_new();
    curve->root_power = BN_new();
    curve->reduction = BN_MONT_CTX_new();
    if (ctx != NULL && curve->prime != NULL && curve->a != NULL && curve->b != NULL &&
        curve->root_power != NULL && curve->reduction != NULL &&
        EC_GROUP_get_curve(curve->group, curve->prime, curve->a, curve->b, ctx) == 1 &&
        BN_mod_word(curve->prime, 4) == 3 && BN_copy(curve->root_power, curve->prime) != NULL &&
        BN_add_word(curve->root_power, 1) == 1 &&
        BN_rshift(curve->root_power, curve->root_power, 2) == 1 &&
        BN_MONT_CTX_set(curve->reduction, curve->prime, ctx) == 1) {
        done = true;
    }
    BN_CTX_free(ctx);
    return done;
}

bool soter_curves_init(OSSL_LIB_CTX *libctx)
{
    for (size_t i = 0; i < SOTER_CURVES_COUNT; i++) {
        curves[i].group = EC_GROUP_new_by_curve_name_ex(libctx, NULL, curves[i].nid);
        if (curves[i].group == NULL || !prepare_roots(libctx, &curves[i])) {
            return false;
        }
    }
    return true;
}

const struct soter_curve *soter_curve_find(unsigned bits)
{
    for (size_t i = 0; i < SOTER_CURVES_COUNT; i++) {
        if (curves[i].bits == bits) {
            return &curves[i];
        }
    }
    return NULL;
}

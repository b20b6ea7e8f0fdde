/* SPDX-License-Identifier: Apache-2.0 */
/* EC keys. The payload of a container is
 *
 *   public   | 02 or 03 | x |            compressed
 *            | 04       | x | y |        uncompressed
 *   private  | 00       | d |            as long as a compressed public key
 *            | d |                       accepted, never written
 *
 * with numbers big-endian, padded to the size of a coordinate: 32, 48 or 66 bytes. */
#include "soter/ec_key.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <string.h>

#include "soter/crypto.h"
#include "soter/ec_curve.h"
#include "soter/evp_key.h"
#include "soter/wipe.h"

#define POINT_MAX_SIZE (1 + 2 * SOTER_EC_NUMBER_MAX_SIZE)
#define UNCOMPRESSED_PREFIX 0x04
#define COMPRESSED_PREFIX 0x02 /* plus the lowest bit of y */

bool soter_ec_payload_fits(const struct soter_key_kind *kind, size_t payload_len)
{
    const size_t n = kind->number_size;
    return payload_len == 1 + n || payload_len == (kind->is_private ? n : 1 + 2 * n);
}

size_t soter_ec_public_payload_size(const struct soter_key_kind *kind, enum soter_point_form form)
{
    return 1 + (form == SOTER_COMPRESSED ? 1U : 2U) * (size_t)kind->number_size;
}

size_t soter_ec_private_payload_size(const struct soter_key_kind *kind)
{
    return 1 + (size_t)kind->number_size;
}

static soter_status
import_public(const struct soter_curve *curve, struct soter_slice point, EVP_PKEY **out)
{
    soter_status status = SOTER_DATA_CORRUPT;
    const bool compressed = point.len == 1 + curve->number_size;
    const uint8_t prefix = point.data[0];
    EVP_PKEY *pkey = NULL;
    if (compressed ? (prefix | 1) != (COMPRESSED_PREFIX | 1) : prefix != UNCOMPRESSED_PREFIX) {
        return status;
    }
    /* A copy of the template shares its curve, which is costly to build. */
    pkey = EVP_PKEY_dup(curve->template_key);
    if (pkey == NULL) {
        return SOTER_NO_MEMORY;
    }
    /* Checks that coordinates are below the field's prime and the point is on its curve. */
    if (EVP_PKEY_set1_encoded_public_key(pkey, point.data, point.len) != 1) {
        status = soter_refusal(SOTER_DATA_CORRUPT);
        goto out;
    }
    *out = pkey;
    pkey = NULL;
    status = SOTER_SUCCESS;
out:
    EVP_PKEY_free(pkey);
    return status;
}

/* d as its padded form, whether or not it is from 1 to n-1: in time that tells only that. */
static bool scalar_is_sound(const struct soter_curve *curve, const uint8_t *d)
{
    uint8_t zero[SOTER_EC_NUMBER_MAX_SIZE] = {0}; /* public */
    return soter_number_less(zero, d, curve->number_size) &&
           soter_number_less(d, curve->order, curve->number_size);
}

static soter_status
import_private(const struct soter_curve *curve, struct soter_slice payload, EVP_PKEY **out)
{
    soter_status status = SOTER_DATA_CORRUPT;
    uint8_t native[SOTER_EC_NUMBER_MAX_SIZE];
    const uint8_t *d = payload.data + (payload.len - curve->number_size);
    char group[SOTER_CURVE_NAME_SIZE]; /* public */
    OSSL_PARAM params[3];
    if ((payload.len != curve->number_size && payload.data[0] != 0) || !scalar_is_sound(curve, d)) {
        return status;
    }
    memcpy(group, curve->name, sizeof group);
    soter_native_number(d, curve->number_size, native);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, curve->number_size);
    params[2] = OSSL_PARAM_construct_end();
    status = soter_evp_key_make("EC", EVP_PKEY_KEYPAIR, params, out);
    soter_wipe(native, sizeof native);
    return status;
}

soter_status
soter_ec_import(const struct soter_key_kind *kind, struct soter_slice payload, EVP_PKEY **out)
{
    const struct soter_curve *curve = soter_curve_find(kind->bits);
    if (curve == NULL) {
        return SOTER_ENGINE_FAIL;
    }
    return kind->is_private ? import_private(curve, payload, out)
                            : import_public(curve, payload, out);
}

soter_status soter_ec_key_generate(unsigned bits, soter_key **out)
{
    soter_status status = SOTER_ENGINE_FAIL;
    const struct soter_key_kind *kind = soter_key_find_kind(SOTER_KEY_EC, true, bits);
    const struct soter_curve *curve = soter_curve_find(bits);
    EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *pkey = NULL;
    if (kind == NULL || curve == NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    ERR_set_mark();
    ctx = EVP_PKEY_CTX_new_from_pkey(soter_crypto.libctx, curve->template_key, NULL);
    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_generate(ctx, &pkey) != 1 ||
        pkey == NULL) {
        goto out;
    }
    status = soter_key_adopt(kind, pkey, out);
    pkey = NULL;
out:
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(ctx);
    ERR_pop_to_mark();
    return status;
}

soter_status soter_ec_export_private(const soter_key *key, uint8_t *payload)
{
    payload[0] = 0;
    return soter_evp_key_number(key->pkey,
                                OSSL_PKEY_PARAM_PRIV_KEY,
                                payload + 1,
                                key->kind->number_size);
}

/* The public point of a private key that lacks it, uncompressed: d times the base point. */
static soter_status compute_point(const soter_key *key, uint8_t *point, size_t point_len)
{
    soter_status status = SOTER_ENGINE_FAIL;
    const struct soter_curve *curve = soter_curve_find(key->kind->bits);
    BIGNUM *d = NULL;
    EC_POINT *product = EC_POINT_new(curve->group);
    if (product == NULL) {
        return SOTER_NO_MEMORY;
    }
    if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) != 1) {
        goto out;
    }
    BN_set_flags(d, BN_FLG_CONSTTIME);
    if (EC_POINT_mul(curve->group, product, d, NULL, NULL, NULL) == 1 &&
        EC_POINT_point2oct(curve->group,
                           product,
                           POINT_CONVERSION_UNCOMPRESSED,
                           point,
                           point_len,
                           NULL) == point_len) {
        status = SOTER_SUCCESS;
    }
out:
    EC_POINT_free(product);
    BN_clear_free(d);
    return status;
}

/* The public point in whichever form OpenSSL keeps. */
static soter_status
get_point(const soter_key *key, uint8_t point[POINT_MAX_SIZE], size_t *point_len)
{
    const size_t n = key->kind->number_size;
    if (EVP_PKEY_get_octet_string_param(key->pkey,
                                        OSSL_PKEY_PARAM_PUB_KEY,
                                        point,
                                        POINT_MAX_SIZE,
                                        point_len) == 1) {
        return *point_len == 1 + n || *point_len == 1 + 2 * n ? SOTER_SUCCESS : SOTER_ENGINE_FAIL;
    }
    if (!key->kind->is_private) {
        return SOTER_ENGINE_FAIL;
    }
    *point_len = 1 + 2 * n;
    return compute_point(key, point, *point_len);
}

soter_status
soter_ec_export_public(const soter_key *key, enum soter_point_form form, uint8_t *payload)
{
    const size_t n = key->kind->number_size;
    uint8_t point[POINT_MAX_SIZE] = {0}; /* public */
    size_t point_len = 0;
    soter_status status = get_point(key, point, &point_len);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (form == SOTER_COMPRESSED && point[0] == UNCOMPRESSED_PREFIX) {
        point[0] = COMPRESSED_PREFIX | (point[2 * n] & 1);
    } else if (form == SOTER_UNCOMPRESSED && point[0] != UNCOMPRESSED_PREFIX) {
        point[0] = UNCOMPRESSED_PREFIX;
        status = soter_evp_key_number(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, point + 1 + n, n);
    }
    if (status == SOTER_SUCCESS) {
        memcpy(payload, point, soter_ec_public_payload_size(key->kind, form));
    }
    return status;
}

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

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

#include "soter/ec_curve.h"
#include "soter/ec_point.h"
#include "soter/evp.h"
#include "soter/fork.h"
#include "soter/key_internal.h"
#include "soter/libcrypto.h"
#include "soter/number.h"
#include "soter/rand.h"
#include "soter/wipe.h"

#define GENERATE_TRIES 100 /* that even one fails is less probable than 1 in 4 thousand million */

static bool payload_fits(const struct soter_key_kind *kind, size_t payload_len)
{
    const size_t n = kind->number_size;
    return payload_len == 1 + n || payload_len == (kind->is_private ? n : 1 + 2 * n);
}

static size_t payload_size(const struct soter_key_kind *kind, enum soter_point_form form)
{
    const size_t n = kind->number_size;
    return 1 + (kind->is_private || form == SOTER_COMPRESSED ? n : 2 * n);
}

static soter_status
import_public(soter_key *key, const struct soter_curve *curve, struct soter_slice point)
{
    const bool compressed = point.len == 1 + curve->number_size;
    const uint8_t prefix = point.data[0];
    soter_status status;
    if (compressed ? (prefix | 1) != (SOTER_POINT_COMPRESSED | 1)
                   : prefix != SOTER_POINT_UNCOMPRESSED) {
        return SOTER_DATA_CORRUPT;
    }
    if (compressed) {
        status = soter_point_decompress(curve, point.data, key->point);
    } else {
        memcpy(key->point, point.data, point.len);
        status = soter_point_judge(curve, key->point);
    }
    key->has_point = status == SOTER_SUCCESS;
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
import_private(soter_key *key, const struct soter_curve *curve, struct soter_slice payload)
{
    const bool is_padded = payload.len != curve->number_size;
    memcpy(key->d, payload.data + (payload.len - curve->number_size), curve->number_size);
    return (is_padded && payload.data[0] != 0) || !scalar_is_sound(curve, key->d)
               ? SOTER_DATA_CORRUPT
               : SOTER_SUCCESS;
}

static soter_status import(soter_key *key, struct soter_slice payload)
{
    const struct soter_curve *curve = soter_curve_find(key->kind->bits);
    if (curve == NULL) {
        return SOTER_ENGINE_FAIL;
    }
    return key->kind->is_private ? import_private(key, curve, payload)
                                 : import_public(key, curve, payload);
}

/* A scalar from 1 to n-1, all equally probable: random bits outside that range are rejected (FIPS
 * 186-5, A.2.2). */
static soter_status random_scalar(const struct soter_curve *curve, uint8_t *d)
{
    const unsigned int used = (unsigned int)curve->bits % 8U; /* of the first byte; 0 means all */
    const uint8_t top_bits = (uint8_t)(used != 0 ? 0xFFU >> (8U - used) : 0xFFU);
    for (int i = 0; i < GENERATE_TRIES; i++) {
        const soter_status status = soter_rand_secret(d, curve->number_size);
        if (status != SOTER_SUCCESS) {
            return status;
        }
        d[0] &= top_bits;
        if (scalar_is_sound(curve, d)) {
            return SOTER_SUCCESS;
        }
    }
    return SOTER_ENGINE_FAIL;
}

/* Also with the FIPS provider: what it draws by itself repeats where a process does. */
soter_status soter_ec_key_generate(unsigned bits, soter_key **out)
{
    soter_status status;
    const struct soter_key_kind *kind = soter_key_find_kind(SOTER_KEY_EC, true, bits);
    const struct soter_curve *curve = soter_curve_find(bits);
    soter_key *made = NULL;
    if (kind == NULL || curve == NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    soter_libcrypto_mark();
    status = soter_key_new(kind, &soter_ec_key_functions, &made);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = random_scalar(curve, made->d);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_point_multiply(curve, made->d, NULL, made->point);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    made->has_point = true;
    *out = made;
    made = NULL;
out:
    soter_key_free(made);
    ERR_pop_to_mark();
    return status;
}

static soter_status export_private(const soter_key *key, uint8_t *payload)
{
    payload[0] = 0;
    memcpy(payload + 1, key->d, key->kind->number_size);
    return SOTER_SUCCESS;
}

/* The public point of any key, computed for a private one that lacks it. */
static soter_status get_point(const soter_key *key, uint8_t point[SOTER_EC_POINT_MAX_SIZE])
{
    const struct soter_curve *curve = soter_curve_find(key->kind->bits);
    if (curve == NULL) {
        return SOTER_ENGINE_FAIL;
    }
    if (key->has_point) {
        memcpy(point, key->point, SOTER_EC_POINT_MAX_SIZE);
        return SOTER_SUCCESS;
    }
    return soter_point_multiply(curve, key->d, NULL, point);
}

static soter_status
export_public(const soter_key *key, enum soter_point_form form, uint8_t *payload)
{
    const size_t n = key->kind->number_size;
    uint8_t point[SOTER_EC_POINT_MAX_SIZE] = {0}; /* public */
    const soter_status status = get_point(key, point);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (form == SOTER_COMPRESSED) {
        point[0] = SOTER_POINT_COMPRESSED | (point[2 * n] & 1);
    }
    memcpy(payload, point, 1 + (form == SOTER_COMPRESSED ? n : 2 * n));
    return SOTER_SUCCESS;
}

static soter_status to_evp(const soter_key *key, EVP_PKEY **out)
{
    const struct soter_curve *curve = soter_curve_find(key->kind->bits);
    soter_status status = SOTER_ENGINE_FAIL;
    uint8_t native[SOTER_EC_NUMBER_MAX_SIZE] = {0};
    uint8_t point[SOTER_EC_POINT_MAX_SIZE] = {0}; /* public */
    char group[SOTER_CURVE_NAME_SIZE];            /* public */
    OSSL_PARAM params[4];                         /* public: it points to the numbers */
    size_t count = 0;
    EVP_PKEY_CTX *ctx = NULL;
    if (curve == NULL) {
        return status;
    }
    status = get_point(key, point);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    memcpy(group, curve->name, sizeof group);
    params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
    params[count++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                                        point,
                                                        1 + 2 * curve->number_size);
    if (key->kind->is_private) {
        soter_number_to_native(key->d, curve->number_size, native);
        params[count++] =
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, curve->number_size);
    }
    params[count] = OSSL_PARAM_construct_end();
    soter_fork_hold_off();
    ctx = EVP_PKEY_CTX_new_from_name(soter_libcrypto.libctx, "EC", NULL);
    status = soter_evp_make(ctx,
                            key->kind->is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                            params,
                            out);
    EVP_PKEY_CTX_free(ctx);
    soter_fork_allow();
    soter_wipe(native, sizeof native);
    return status;
}

const struct soter_key_functions soter_ec_key_functions = {
    .payload_fits = payload_fits,
    .payload_size = payload_size,
    .import = import,
    .export_public = export_public,
    .export_private = export_private,
    .to_evp = to_evp,
};

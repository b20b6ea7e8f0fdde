/* SPDX-License-Identifier: Apache-2.0 */
/* Smart cards and some Java software spell a curve out instead of naming it:
 *
 *   SEQUENCE { 1, SEQUENCE { prime-field, p }, SEQUENCE { a, b, [seed] }, G, n, [cofactor], [hash]
 * }
 *
 * Every one of these numbers must be that of the curve. With another G, anyone can find a private
 * key for any public one (CVE-2020-0601), so no curve is ever made of what a file says. */
#include "soter/ec_params.h"

#include <stdbool.h>
#include <string.h>

#include "soter/der.h"
#include "soter/ec_point.h"

static const uint8_t prime_field[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x01, 0x01};

static const struct curve_name {
    uint8_t oid[8];
    uint8_t len;
    uint16_t bits;
} curve_names[SOTER_CURVES_COUNT] = {
    {{0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07}, 8, 256},
    {{0x2B, 0x81, 0x04, 0x00, 0x22}, 5, 384},
    {{0x2B, 0x81, 0x04, 0x00, 0x23}, 5, 521},
};

static const struct soter_curve *named(struct soter_reader params)
{
    struct soter_slice oid;
    if (!soter_der_string(&params, SOTER_DER_OID, &oid) || params.left != 0) {
        return NULL;
    }
    for (size_t i = 0; i < SOTER_CURVES_COUNT; i++) {
        if (soter_der_is_oid(oid, curve_names[i].oid, curve_names[i].len)) {
            return soter_curve_find(curve_names[i].bits);
        }
    }
    return NULL;
}

/* Whether the next value, of this type, is that number. */
static bool next_is(struct soter_reader *reader, uint8_t tag, const uint8_t *expected, size_t len)
{
    uint8_t padded[SOTER_EC_NUMBER_MAX_SIZE]; /* public */
    struct soter_slice number;
    return soter_der_string(reader, tag, &number) && soter_der_pad(number, padded, len) &&
           memcmp(padded, expected, len) == 0;
}

static bool next_is_big(struct soter_reader *reader, uint8_t tag, const BIGNUM *expected, size_t n)
{
    uint8_t padded[SOTER_EC_NUMBER_MAX_SIZE]; /* public */
    return BN_bn2binpad(expected, padded, (int)n) == (int)n && next_is(reader, tag, padded, n);
}

static bool next_is_generator(struct soter_reader *reader, const struct soter_curve *curve)
{
    uint8_t expected[SOTER_EC_POINT_MAX_SIZE]; /* public */
    struct soter_slice point;
    point_conversion_form_t form = POINT_CONVERSION_UNCOMPRESSED;
    if (!soter_der_string(reader, SOTER_DER_OCTET_STRING, &point)) {
        return false;
    }
    if (point.len == 1 + curve->number_size) {
        form = POINT_CONVERSION_COMPRESSED;
    } else if (point.len != 0 && point.data[0] != SOTER_POINT_UNCOMPRESSED) {
        form = POINT_CONVERSION_HYBRID;
    }
    return EC_POINT_point2oct(curve->group,
                              EC_GROUP_get0_generator(curve->group),
                              form,
                              expected,
                              sizeof expected,
                              NULL) == point.len &&
           memcmp(expected, point.data, point.len) == 0;
}

static bool spells_out(struct soter_reader params, const struct soter_curve *curve)
{
    const size_t n = curve->number_size;
    uint64_t number;
    struct soter_reader all;
    struct soter_reader field;
    struct soter_reader equation;
    struct soter_slice oid;
    struct soter_slice seed;
    if (!soter_der_read(&params, SOTER_DER_SEQUENCE, &all) || params.left != 0 ||
        !soter_der_count(&all, &number) || number < 1 || number > 3 ||
        !soter_der_read(&all, SOTER_DER_SEQUENCE, &field) ||
        !soter_der_string(&field, SOTER_DER_OID, &oid) ||
        !soter_der_is_oid(oid, prime_field, sizeof prime_field) ||
        !next_is_big(&field, SOTER_DER_INTEGER, curve->prime, n) || field.left != 0 ||
        !soter_der_read(&all, SOTER_DER_SEQUENCE, &equation) ||
        !next_is_big(&equation, SOTER_DER_OCTET_STRING, curve->a, n) ||
        !next_is_big(&equation, SOTER_DER_OCTET_STRING, curve->b, n) ||
        (equation.left != 0 && !soter_der_string(&equation, SOTER_DER_BIT_STRING, &seed)) ||
        equation.left != 0 || !next_is_generator(&all, curve) ||
        !next_is(&all, SOTER_DER_INTEGER, curve->order, n)) {
        return false;
    }
    return all.left == 0 || (soter_der_count(&all, &number) && number == 1);
}

const struct soter_curve *soter_curve_described(struct soter_reader params)
{
    const struct soter_curve *curve = NULL;
    if (soter_der_next(&params) == SOTER_DER_OID) {
        return named(params);
    }
    for (size_t i = 0; i < SOTER_CURVES_COUNT && curve == NULL; i++) {
        curve = soter_curve_find(curve_names[i].bits);
        if (curve == NULL || !spells_out(params, curve)) {
            curve = NULL;
        }
    }
    return curve;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/key_der.h"

#include <openssl/err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "soter/container.h"
#include "soter/der.h"
#include "soter/ec_params.h"
#include "soter/ec_point.h"
#include "soter/key_container.h"
#include "soter/libcrypto.h"
#include "soter/rsa_key.h"
#include "soter/wipe.h"

#define POINT_HYBRID 0x06 /* | 06 or 07 | x | y |, plus the lowest bit of y (X9.62) */
#define SEC1_VERSION 1
#define PKCS8_MAX_VERSION 1

static const uint8_t id_ec_public_key[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
static const uint8_t rsa_encryption[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01};

enum soter_key_form soter_key_der_form(struct soter_slice der)
{
    struct soter_reader whole;
    struct soter_reader values;
    uint8_t first;
    uint8_t second;
    soter_reader_init(&whole, der.data, der.len);
    if (!soter_der_read(&whole, SOTER_DER_SEQUENCE, &values) || whole.left != 0) {
        return SOTER_FORM_UNKNOWN;
    }
    first = soter_der_next(&values);
    if (!soter_der_skip(&values)) {
        return SOTER_FORM_UNKNOWN;
    }
    second = soter_der_next(&values);
    if (!soter_der_skip(&values)) {
        return SOTER_FORM_UNKNOWN;
    }
    if (first == SOTER_DER_SEQUENCE) {
        return second == SOTER_DER_BIT_STRING     ? SOTER_FORM_SPKI
               : second == SOTER_DER_OCTET_STRING ? SOTER_FORM_PKCS8_ENCRYPTED
                                                  : SOTER_FORM_UNKNOWN;
    }
    if (first != SOTER_DER_INTEGER) {
        return SOTER_FORM_UNKNOWN;
    }
    switch (second) {
    case SOTER_DER_SEQUENCE:
        return SOTER_FORM_PKCS8;
    case SOTER_DER_OCTET_STRING:
        return SOTER_FORM_SEC1;
    case SOTER_DER_INTEGER:
        return values.left != 0 ? SOTER_FORM_PKCS1_PRIVATE : SOTER_FORM_PKCS1_PUBLIC;
    default:
        return SOTER_FORM_UNKNOWN;
    }
}

/* ---- Containers ---- */

static soter_status make_room(size_t container_size, struct soter_owned *out)
{
    out->len = container_size;
    out->data = malloc(out->len);
    return out->data != NULL ? SOTER_SUCCESS : SOTER_NO_MEMORY;
}

static uint8_t *payload_of(const struct soter_owned *container)
{
    return container->data + SOTER_CONTAINER_HEADER_SIZE;
}

/* Finishes a container whose payload is there, and judges it as any other. */
static soter_status
judge(const struct soter_key_kind *kind, const struct soter_owned *container, soter_key **out)
{
    const soter_status status = soter_container_finish(container->data, container->len, kind->tag);
    return status == SOTER_SUCCESS ? soter_key_read(container->data, container->len, out) : status;
}

/* ---- EC ---- */

/* Takes a point in any of its forms; the hybrid one becomes the uncompressed one. */
static bool take_point(const struct soter_curve *curve,
                       struct soter_slice point,
                       uint8_t out[SOTER_EC_POINT_MAX_SIZE])
{
    const size_t n = curve->number_size;
    if (point.len != 1 + n && point.len != 1 + 2 * n) {
        return false;
    }
    memcpy(out, point.data, point.len);
    if (point.len == 1 + 2 * n && out[0] == (POINT_HYBRID | (out[2 * n] & 1))) {
        out[0] = SOTER_POINT_UNCOMPRESSED;
    }
    return true;
}

/* A private key is stored beside its public one, and has no checksum: damage shows where the two
 * do not belong together. */
static soter_status
compare_point(const soter_key *key, const struct soter_curve *curve, struct soter_slice point)
{
    const struct soter_key_kind *kind = soter_key_find_kind(SOTER_KEY_EC, false, curve->bits);
    const enum soter_point_form form =
        point.len == 1 + curve->number_size ? SOTER_COMPRESSED : SOTER_UNCOMPRESSED;
    uint8_t given[SOTER_EC_POINT_MAX_SIZE];                                  /* public */
    uint8_t computed[SOTER_CONTAINER_HEADER_SIZE + SOTER_EC_POINT_MAX_SIZE]; /* public */
    soter_status status;
    if (kind == NULL || !take_point(curve, point, given)) {
        return SOTER_DATA_CORRUPT;
    }
    status = soter_key_write_public(key, form, computed, soter_key_size(kind, form));
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return soter_equal(given, computed + SOTER_CONTAINER_HEADER_SIZE, point.len)
               ? SOTER_SUCCESS
               : SOTER_DATA_CORRUPT;
}

static soter_status make_ec_private(const struct soter_curve *curve,
                                    struct soter_slice d,
                                    struct soter_slice point,
                                    struct soter_owned *out)
{
    const struct soter_key_kind *kind = soter_key_find_kind(SOTER_KEY_EC, true, curve->bits);
    soter_key *key = NULL;
    soter_status status = SOTER_ENGINE_FAIL;
    if (kind == NULL) {
        return status;
    }
    status = make_room(soter_key_size(kind, SOTER_COMPRESSED), out);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    payload_of(out)[0] = 0;
    status = soter_der_pad(d, payload_of(out) + 1, curve->number_size) ? judge(kind, out, &key)
                                                                       : SOTER_DATA_CORRUPT;
    if (status == SOTER_SUCCESS && point.data != NULL) {
        status = compare_point(key, curve, point);
    }
    soter_key_free(key);
    return status;
}

static soter_status
make_ec_public(const struct soter_curve *curve, struct soter_slice point, struct soter_owned *out)
{
    const struct soter_key_kind *kind = soter_key_find_kind(SOTER_KEY_EC, false, curve->bits);
    uint8_t taken[SOTER_EC_POINT_MAX_SIZE]; /* public */
    soter_key *key = NULL;
    soter_status status = SOTER_DATA_CORRUPT;
    if (kind == NULL || !take_point(curve, point, taken)) {
        return status;
    }
    status = make_room(SOTER_CONTAINER_HEADER_SIZE + point.len, out);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    memcpy(payload_of(out), taken, point.len);
    status = judge(kind, out, &key);
    if (status == SOTER_SUCCESS) { /* the compressed form is no longer than what is there */
        out->len = soter_key_size(kind, SOTER_COMPRESSED);
        status = soter_key_write_public(key, SOTER_COMPRESSED, out->data, out->len);
    }
    soter_key_free(key);
    return status;
}

/* ECPrivateKey. `curve` is what was said about it outside; NULL: nothing. */
static soter_status
from_sec1(struct soter_reader der, const struct soter_curve *curve, struct soter_owned *out)
{
    struct soter_reader values;
    struct soter_reader part;
    struct soter_slice d;
    struct soter_slice point = {NULL, 0};
    uint64_t version;
    if (!soter_der_read(&der, SOTER_DER_SEQUENCE, &values) || der.left != 0 ||
        !soter_der_count(&values, &version) || version != SEC1_VERSION ||
        !soter_der_string(&values, SOTER_DER_OCTET_STRING, &d)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (soter_der_read(&values, SOTER_DER_CONTEXT(0), &part)) {
        const struct soter_curve *described = soter_curve_described(part);
        if (described == NULL) {
            return SOTER_NOT_SUPPORTED;
        }
        if (curve != NULL && curve != described) {
            return SOTER_DATA_CORRUPT;
        }
        curve = described;
    }
    if (soter_der_read(&values, SOTER_DER_CONTEXT(1), &part) &&
        (!soter_der_string(&part, SOTER_DER_BIT_STRING, &point) || part.left != 0)) {
        return SOTER_INVALID_PARAMETER;
    }
    return values.left == 0 && curve != NULL ? make_ec_private(curve, d, point, out)
                                             : SOTER_INVALID_PARAMETER;
}

/* ---- RSA ---- */

/* As PKCS#1 has them. */
enum { N, E, D, P, Q, DP, DQ, QINV, NUMBERS };

/* As a container has them; a public one has the last two. */
static const uint8_t container_order[NUMBERS] = {D, P, Q, DP, DQ, QINV, N, E};

static size_t room_for(const struct soter_key_kind *kind, int number)
{
    if (number == E) {
        return SOTER_RSA_EXPONENT_SIZE;
    }
    return number == N || number == D ? kind->number_size : kind->number_size / 2U;
}

static const struct soter_key_kind *rsa_kind(struct soter_slice modulus, bool is_private)
{
    unsigned bits;
    while (modulus.len != 0 && modulus.data[0] == 0) {
        modulus.data++;
        modulus.len--;
    }
    if (modulus.len == 0 || modulus.len > SOTER_RSA_NUMBER_MAX_SIZE) {
        return NULL;
    }
    bits = 8 * (unsigned)modulus.len;
    for (unsigned top = modulus.data[0]; top < 0x80; top <<= 1) {
        bits--;
    }
    return soter_key_find_kind(SOTER_KEY_RSA, is_private, bits);
}

static soter_status make_rsa(const struct soter_key_kind *kind,
                             const struct soter_slice numbers[NUMBERS],
                             struct soter_owned *out)
{
    struct soter_writer writer;
    uint8_t *room;
    soter_key *key = NULL;
    soter_status status = make_room(soter_key_size(kind, SOTER_COMPRESSED), out);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    soter_writer_init(&writer, payload_of(out), out->len - SOTER_CONTAINER_HEADER_SIZE);
    for (size_t i = kind->is_private ? 0 : NUMBERS - 2; i < NUMBERS; i++) {
        const uint8_t number = container_order[i];
        const size_t size = room_for(kind, number);
        if (!soter_write_room(&writer, size, &room) ||
            !soter_der_pad(numbers[number], room, size)) {
            return SOTER_DATA_CORRUPT;
        }
    }
    status = judge(kind, out, &key);
    soter_key_free(key);
    return status;
}

/* RSAPrivateKey, RSAPublicKey. A version other than 0 has more than two primes. */
static soter_status from_pkcs1(struct soter_reader der, bool is_private, struct soter_owned *out)
{
    const struct soter_key_kind *kind;
    struct soter_reader values;
    struct soter_slice numbers[NUMBERS]; /* public: it points to the numbers */
    uint64_t version = 0;
    if (!soter_der_read(&der, SOTER_DER_SEQUENCE, &values) || der.left != 0 ||
        (is_private && !soter_der_count(&values, &version))) {
        return SOTER_INVALID_PARAMETER;
    }
    if (version != 0) {
        return SOTER_NOT_SUPPORTED;
    }
    for (size_t i = 0; i < (is_private ? NUMBERS : 2); i++) {
        if (!soter_der_string(&values, SOTER_DER_INTEGER, &numbers[i])) {
            return SOTER_INVALID_PARAMETER;
        }
    }
    if (values.left != 0) {
        return SOTER_INVALID_PARAMETER;
    }
    kind = rsa_kind(numbers[N], is_private);
    return kind != NULL ? make_rsa(kind, numbers, out) : SOTER_NOT_SUPPORTED;
}

/* ---- Either ---- */

/* Which of our algorithms it is: RSA, or EC on *curve. */
static soter_status read_algorithm(struct soter_reader *values,
                                   enum soter_key_algorithm *algorithm,
                                   const struct soter_curve **curve)
{
    struct soter_slice oid;
    struct soter_reader params;
    if (!soter_der_algorithm(values, &oid, &params)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (soter_der_is_oid(oid, rsa_encryption, sizeof rsa_encryption)) {
        *algorithm = SOTER_KEY_RSA;
        return SOTER_SUCCESS; /* its parameters are NULL, or missing, and mean nothing */
    }
    if (soter_der_is_oid(oid, id_ec_public_key, sizeof id_ec_public_key)) {
        *algorithm = SOTER_KEY_EC;
        *curve = soter_curve_described(params);
    }
    return *curve != NULL ? SOTER_SUCCESS : SOTER_NOT_SUPPORTED;
}

static soter_status from_pkcs8(struct soter_reader values, struct soter_owned *out)
{
    enum soter_key_algorithm algorithm;
    const struct soter_curve *curve = NULL;
    struct soter_reader key;
    uint64_t version;
    soter_status status;
    if (!soter_der_count(&values, &version) || version > PKCS8_MAX_VERSION) {
        return SOTER_INVALID_PARAMETER;
    }
    status = read_algorithm(&values, &algorithm, &curve);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (!soter_der_read(&values, SOTER_DER_OCTET_STRING, &key) ||
        (soter_der_next(&values) == SOTER_DER_CONTEXT(0) && !soter_der_skip(&values)) ||
        values.left != 0) {
        return SOTER_INVALID_PARAMETER;
    }
    return algorithm == SOTER_KEY_EC ? from_sec1(key, curve, out) : from_pkcs1(key, true, out);
}

static soter_status from_spki(struct soter_reader values, struct soter_owned *out)
{
    enum soter_key_algorithm algorithm;
    const struct soter_curve *curve = NULL;
    struct soter_slice bits;
    struct soter_reader key;
    soter_status status = read_algorithm(&values, &algorithm, &curve);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (!soter_der_string(&values, SOTER_DER_BIT_STRING, &bits) || values.left != 0) {
        return SOTER_INVALID_PARAMETER;
    }
    soter_reader_init(&key, bits.data, bits.len);
    return algorithm == SOTER_KEY_EC ? make_ec_public(curve, bits, out)
                                     : from_pkcs1(key, false, out);
}

static soter_status
from_der(struct soter_slice der, enum soter_key_form form, struct soter_owned *out)
{
    struct soter_reader whole;
    struct soter_reader values;
    struct soter_reader ahead;
    soter_reader_init(&whole, der.data, der.len);
    ahead = whole;
    if (!soter_der_read(&ahead, SOTER_DER_SEQUENCE, &values) || ahead.left != 0) {
        return SOTER_INVALID_PARAMETER;
    }
    switch (form) {
    case SOTER_FORM_PKCS8:
        return from_pkcs8(values, out);
    case SOTER_FORM_SPKI:
        return from_spki(values, out);
    case SOTER_FORM_SEC1:
        return from_sec1(whole, NULL, out);
    case SOTER_FORM_PKCS1_PRIVATE:
        return from_pkcs1(whole, true, out);
    case SOTER_FORM_PKCS1_PUBLIC:
        return from_pkcs1(whole, false, out);
    case SOTER_FORM_PKCS8_ENCRYPTED:
    case SOTER_FORM_UNKNOWN:
        break;
    }
    return SOTER_INVALID_PARAMETER;
}

soter_status
soter_key_from_der(struct soter_slice der, enum soter_key_form form, struct soter_owned *out)
{
    struct soter_owned made = {NULL, 0};
    soter_status status;
    soter_libcrypto_mark();
    status = from_der(der, form, &made);
    ERR_pop_to_mark();
    if (status == SOTER_SUCCESS) {
        *out = made;
        return status;
    }
    soter_wipe_free(made.data, made.len);
    return status;
}

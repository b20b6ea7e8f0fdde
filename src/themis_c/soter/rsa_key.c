/* SPDX-License-Identifier: Apache-2.0 */
/* RSA keys. With n for the bytes of the modulus, the payload of a container is
 *
 *   public    0           n          n+4
 *             | modulus   | exponent |
 *
 *   private   0    n      1.5n   2n           2.5n         3n             3.5n      4.5n     4.5n+4
 *             | d  | p    | q    | d mod p-1  | d mod q-1  | 1/q mod p    | modulus | exponent |
 *
 * all big-endian and padded. */
#include "soter/rsa_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "soter/evp.h"
#include "soter/key_internal.h"
#include "soter/libcrypto.h"
#include "soter/number.h"
#include "soter/rand.h"
#include "soter/wipe.h"

/* The numbers as they follow one another in a payload: all but the exponent, which is last. */
enum { D, P, Q, DP, DQ, QINV, N, PRIVATE_NUMBERS };

static const char *const names[PRIVATE_NUMBERS] = {
    OSSL_PKEY_PARAM_RSA_D,
    OSSL_PKEY_PARAM_RSA_FACTOR1,
    OSSL_PKEY_PARAM_RSA_FACTOR2,
    OSSL_PKEY_PARAM_RSA_EXPONENT1,
    OSSL_PKEY_PARAM_RSA_EXPONENT2,
    OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    OSSL_PKEY_PARAM_RSA_N,
};

static size_t number_size(const struct soter_key_kind *kind, int number)
{
    return number == D || number == N ? kind->number_size : kind->number_size / 2U;
}

static size_t payload_size(const struct soter_key_kind *kind, enum soter_point_form form)
{
    size_t size = SOTER_RSA_EXPONENT_SIZE;
    (void)form;
    for (int i = kind->is_private ? D : N; i < PRIVATE_NUMBERS; i++) {
        size += number_size(kind, i);
    }
    return size;
}

static bool payload_fits(const struct soter_key_kind *kind, size_t payload_len)
{
    return payload_len == payload_size(kind, SOTER_COMPRESSED);
}

/* The bytes of a payload that are a modulus and an exponent, which both halves end with. */
static bool public_is_sound(const uint8_t *modulus, size_t n)
{
    const uint32_t exponent = soter_get_u32be(modulus + n);
    return (modulus[0] & 0x80) != 0 && (modulus[n - 1] & 1) != 0 &&
           (exponent == 3 || exponent == 65537);
}

/* Whether the private numbers fit their modulus and one another, as far as can be told without
 * arithmetic that would take longer than using them. A wrong d or 1/q makes wrong results, which
 * OpenSSL notices or which decrypt nothing; it does no other harm. */
static bool private_is_sound(const struct soter_key_kind *kind, const uint8_t *numbers[])
{
    const size_t n = kind->number_size;
    return soter_number_less(numbers[D], numbers[N], n) &&
           soter_number_product_is(numbers[P], numbers[Q], n / 2, numbers[N]) &&
           soter_number_less(numbers[DP], numbers[P], n / 2) &&
           soter_number_less(numbers[DQ], numbers[Q], n / 2) &&
           soter_number_less(numbers[QINV], numbers[P], n / 2);
}

/* Turns a payload's numbers, from `first` on, into parameters; `native` takes as many bytes as the
 * payload. */
static soter_status make_key(const struct soter_key_kind *kind,
                             int first,
                             const uint8_t *payload,
                             uint8_t *native,
                             EVP_PKEY **out)
{
    OSSL_PARAM params[PRIVATE_NUMBERS + 2]; /* public: it points to the numbers */
    size_t count = 0;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(soter_libcrypto.libctx, "RSA", NULL);
    soter_status status;
    for (int i = first; i < PRIVATE_NUMBERS; i++) {
        const size_t len = number_size(kind, i);
        soter_number_to_native(payload, len, native);
        params[count++] = OSSL_PARAM_construct_BN(names[i], native, len);
        payload += len;
        native += len;
    }
    soter_number_to_native(payload, SOTER_RSA_EXPONENT_SIZE, native);
    params[count++] =
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, native, SOTER_RSA_EXPONENT_SIZE);
    params[count] = OSSL_PARAM_construct_end();
    status =
        soter_evp_make(ctx, kind->is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params, out);
    EVP_PKEY_CTX_free(ctx);
    return status;
}

static soter_status import(soter_key *key, struct soter_slice payload)
{
    const struct soter_key_kind *kind = key->kind;
    const int first = kind->is_private ? D : N;
    const uint8_t *numbers[PRIVATE_NUMBERS] = {NULL};
    const uint8_t *at = payload.data;
    uint8_t *native = NULL;
    soter_status status;
    for (int i = first; i < PRIVATE_NUMBERS; i++) {
        numbers[i] = at;
        at += number_size(kind, i);
    }
    if (!public_is_sound(numbers[N], kind->number_size) ||
        (kind->is_private && !private_is_sound(kind, numbers))) {
        return SOTER_DATA_CORRUPT;
    }
    native = malloc(payload.len);
    if (native == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = make_key(kind, first, payload.data, native, &key->pkey);
    soter_wipe_free(native, payload.len);
    return status;
}

soter_status soter_rsa_key_generate(unsigned bits, soter_key **out)
{
    soter_status status = SOTER_ENGINE_FAIL;
    const struct soter_key_kind *kind = soter_key_find_kind(SOTER_KEY_RSA, true, bits);
    unsigned long last;
    EVP_PKEY_CTX *ctx = NULL;
    soter_key *made = NULL;
    if (kind == NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    soter_libcrypto_mark();
    last = ERR_peek_last_error();
    status = soter_key_new(kind, &soter_rsa_key_functions, &made);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_rand_renew_secret();
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = SOTER_ENGINE_FAIL;
    ctx = EVP_PKEY_CTX_new_from_name(soter_libcrypto.libctx, "RSA", NULL);
    /* The exponent is 65537 unless one says otherwise. */
    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) != 1 ||
        EVP_PKEY_generate(ctx, &made->pkey) != 1 || made->pkey == NULL) {
        goto out;
    }
    *out = made;
    made = NULL;
    status = SOTER_SUCCESS;
out:
    soter_wipe_stack(); /* candidates for primes stay there */
    soter_key_free(made);
    EVP_PKEY_CTX_free(ctx);
    do { /* more than once where OpenSSL left marks of its own on errors that it went on after */
        ERR_pop_to_mark();
    } while (ERR_peek_last_error() != last && ERR_peek_last_error() != 0);
    return status;
}

/* All of them in one call. OpenSSL lists the factors and the exponents for each. If memory runs out
 * for that, the list is shorter and the second is in the place of the first; then the last one is
 * missing. */
static soter_status export_numbers(const soter_key *key, int first, uint8_t *payload)
{
    OSSL_PARAM params[PRIVATE_NUMBERS + 2]; /* public: it points to the numbers */
    size_t count = 0;
    bool done;
    for (int i = first; i < PRIVATE_NUMBERS; i++) {
        const size_t len = number_size(key->kind, i);
        params[count++] = OSSL_PARAM_construct_BN(names[i], payload, len);
        payload += len;
    }
    params[count++] =
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, payload, SOTER_RSA_EXPONENT_SIZE);
    params[count] = OSSL_PARAM_construct_end();
    done = EVP_PKEY_get_params(key->pkey, params) == 1;
    for (size_t i = 0; i < count; i++) {
        done = done && OSSL_PARAM_modified(&params[i]) == 1;
        soter_number_from_native(params[i].data, params[i].data_size);
    }
    return done ? SOTER_SUCCESS : SOTER_ENGINE_FAIL;
}

static soter_status
export_public(const soter_key *key, enum soter_point_form form, uint8_t *payload)
{
    (void)form;
    return export_numbers(key, N, payload);
}

static soter_status export_private(const soter_key *key, uint8_t *payload)
{
    return export_numbers(key, D, payload);
}

static soter_status to_evp(const soter_key *key, EVP_PKEY **out)
{
    if (EVP_PKEY_up_ref(key->pkey) != 1) {
        return SOTER_ENGINE_FAIL;
    }
    *out = key->pkey;
    return SOTER_SUCCESS;
}

const struct soter_key_functions soter_rsa_key_functions = {
    .payload_fits = payload_fits,
    .payload_size = payload_size,
    .import = import,
    .export_public = export_public,
    .export_private = export_private,
    .to_evp = to_evp,
};

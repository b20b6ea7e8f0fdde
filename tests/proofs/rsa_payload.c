/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"
#include "soter/evp.h"
#include "soter/number.h"

static size_t half;   /* of the bytes of the modulus */
static size_t turned; /* so many numbers, up to this place */
static size_t place;

/* What is compared or multiplied with what, in this order: places, counted in halves. */
static const uint8_t pairs[5][2] = {{0, 7}, {2, 3}, {4, 2}, {5, 3}, {6, 2}};

#define IS_PAIR(a, b, size)                                                                        \
    ((a) == in + pairs[asked % 5][0] * half && (b) == in + pairs[asked % 5][1] * half &&           \
     (size) == (asked == 0 ? 2 * half : half))
#define soter_number_less(a, b, size) (CLAIM(IS_PAIR(a, b, size)), agrees())
#define soter_number_product_is(p, q, size, product)                                               \
    (CLAIM(IS_PAIR(p, q, size) && (product) == in + 7 * half), agrees())
#define soter_number_to_native(number, size, out)                                                  \
    (CLAIM((number) == in + place), reads(number, size), writes(out, size), turned++,              \
     place += (size))
#define OSSL_PARAM_construct_BN(name, number, size)                                                \
    (reads(number, size), (OSSL_PARAM){name, OSSL_PARAM_UNSIGNED_INTEGER, number, size})
#define soter_evp_make(ctx, selection, params, out) any_status()

#include "soter/rsa_key.c"

/* fault: soter/rsa_key.c: native += len; => native += len + 1; */
bool rsa_payload(void)
{
    const size_t n = (size_t)128 << nondet_uchar() % 4;
    const struct soter_key_kind kind = {"", SOTER_KEY_RSA, nondet_bool(), 0, n};
    const size_t at = kind.is_private ? 7 * n / 2 : 0;
    soter_key key = {.kind = &kind};
    soter_status status;
    bool fits;
    half = n / 2;
    CLAIM(payload_fits(&kind, in_len) == (in_len == at + n + 4));
    if (!payload_fits(&kind, in_len)) {
        return false;
    }
    fits = in[at] >= 128 && in[at + n - 1] % 2 == 1 && (be(at + n) == 3 || be(at + n) == 65537);
    status = import(&key, (struct soter_slice){in, in_len});
    CLAIM((status == SOTER_SUCCESS || status == SOTER_NO_MEMORY) == (fits && !refused));
    if (status == SOTER_SUCCESS) {
        CLAIM(asked == (kind.is_private ? 6 : 1));
        CLAIM(turned == (kind.is_private ? 8 : 2) && place == in_len);
    }
    return status == SOTER_SUCCESS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fault: soter/rsa_key.c: native += len; => native += len + 1;
 *
 * The payload of an RSA key, of every size and both halves: what OpenSSL is given are its numbers,
 * at the places that section 2 says, if the public ones are sound. How numbers compare and
 * multiply, `numbers` proves. */

#include "proof.h"
#include "soter/bytes.c"
#include "soter/rsa_key.c"

static size_t n; /* the bytes of the modulus */
static const uint8_t *data;
static size_t turned; /* so many numbers */

bool soter_number_less(const uint8_t *a, const uint8_t *b, size_t len)
{
    touch(a, len);
    touch(b, len);
    return nondet_bool();
}

bool soter_number_product_is(const uint8_t *p, const uint8_t *q, size_t len, const uint8_t *product)
{
    CLAIM(len == n / 2 && p == data + n && q == p + len && product == data + 7 * n / 2);
    return nondet_bool();
}

void soter_number_to_native(const uint8_t *number, size_t len, uint8_t *out)
{
    touch(number, len);
    fill(out, len);
    turned++;
}

OSSL_PARAM OSSL_PARAM_construct_BN(const char *key, unsigned char *number, size_t len)
{
    const OSSL_PARAM made = {key, OSSL_PARAM_UNSIGNED_INTEGER, number, len};
    touch(number, len);
    return made;
}

OSSL_PARAM OSSL_PARAM_construct_end(void)
{
    const OSSL_PARAM end = {NULL};
    return end;
}

soter_status soter_evp_make(EVP_PKEY_CTX *ctx, int selection, OSSL_PARAM *params, EVP_PKEY **out)
{
    return any_status();
}

int main(void)
{
    const size_t len = any_len(MOST);
    const bool is_private = nondet_bool();
    struct soter_key_kind kind = {"", SOTER_KEY_RSA, is_private};
    soter_key key = {.kind = &kind};
    size_t modulus;
    n = nondet_bool() ? nondet_bool() ? 128 : 256 : nondet_bool() ? 512 : 1024;
    modulus = is_private ? 7 * n / 2 : 0;
    kind.number_size = n;
    data = any_bytes(len);
    CLAIM(payload_fits(&kind, len) == (len == modulus + n + 4));
    if (!payload_fits(&kind, len)) {
        return 0;
    }
    if (import(&key, (struct soter_slice){data, len}) == SOTER_SUCCESS) {
        const uint32_t exponent = soter_get_u32be(data + modulus + n);
        CLAIM(data[modulus] >= 128 && data[modulus + n - 1] % 2 == 1);
        CLAIM(exponent == 3 || exponent == 65537);
        CLAIM(turned == (is_private ? 8 : 2));
        REACHED();
    }
}

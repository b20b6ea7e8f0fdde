/* SPDX-License-Identifier: Apache-2.0 */
/* fault: soter/number.c: column - limbs + 1; => column - limbs;
 *
 * The numbers inside keys: of two of up to 8 bytes the smaller one is found, two of 4 are told from
 * other factors of a product, and two of 32 are multiplied within their bytes. */
#include "proof.h"
#include "soter/bytes.c"
#include "soter/number.c"

static uint64_t number(const uint8_t *bytes, size_t len)
{
    uint64_t made = 0;
    for (size_t i = 0; i < len; i++) {
        made = made << 8 | bytes[i];
    }
    return made;
}

int main(void)
{
    const size_t len = any_len(8);
    const uint8_t *a = any_bytes(32);
    const uint8_t *b = any_bytes(32);
    const uint8_t *product = any_bytes(64);
    CLAIM(soter_number_less(a, b, len) == (number(a, len) < number(b, len)));
    CLAIM(soter_number_product_is(a, b, 4, product) ==
          (number(a, 4) * number(b, 4) == number(product, 8)));
    (void)soter_number_product_is(a, b, 32, product);
    REACHED();
}

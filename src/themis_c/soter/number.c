/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/number.h"

#include <string.h>

#include "soter/bytes.h"

static bool is_little_endian(void)
{
    static const uint16_t probe = 1;
    uint8_t first; /* public */
    memcpy(&first, &probe, 1);
    return first == 1;
}

void soter_number_to_native(const uint8_t *number, size_t len, uint8_t *out)
{
    const bool backwards = is_little_endian();
    for (size_t i = 0; i < len; i++) {
        out[backwards ? len - 1 - i : i] = number[i];
    }
}

void soter_number_from_native(uint8_t *number, size_t len)
{
    if (is_little_endian()) {
        for (size_t i = 0; i < len / 2; i++) {
            const uint8_t byte = number[i]; /* in a register */
            number[i] = number[len - 1 - i];
            number[len - 1 - i] = byte;
        }
    }
}

bool soter_number_less(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint32_t borrow = 0;
    for (size_t i = len; i-- > 0;) {
        borrow = ((uint32_t)a[i] - b[i] - borrow) >> 31;
    }
    return borrow != 0;
}

static uint32_t limb(const uint8_t *number, size_t len, size_t i)
{
    return soter_get_u32be(number + len - 4 * (i + 1));
}

/* Column by column: a column has at most 128 products, so the sums of their lower and upper halves
 * stay below 2^40. (OpenSSL's multiplication takes short cuts that depend on the numbers.) */
bool soter_number_product_is(const uint8_t *a, const uint8_t *b, size_t len, const uint8_t *product)
{
    const size_t limbs = len / 4;
    uint32_t difference = 0;
    uint64_t low = 0; /* the column's sum is low + 2^32 high */
    uint64_t high = 0;
    for (size_t column = 0; column < 2 * limbs; column++) {
        const size_t first = column < limbs ? 0 : column - limbs + 1;
        const size_t last = column < limbs ? column : limbs - 1;
        for (size_t i = first; i <= last; i++) {
            const uint64_t part = (uint64_t)limb(a, len, i) * limb(b, len, column - i);
            low += part & UINT32_MAX;
            high += part >> 32;
        }
        difference |= (uint32_t)low ^ limb(product, 2 * len, column);
        low = (low >> 32) + (high & UINT32_MAX);
        high >>= 32;
    }
    return difference == 0;
}

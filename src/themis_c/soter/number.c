/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/number.h"

#include <string.h>

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

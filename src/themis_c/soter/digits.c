/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/digits.h"

/* All bits if low <= c <= high, else none. */
static uint32_t within(uint32_t c, uint32_t low, uint32_t high)
{
    return (((c - low) | (high - c)) >> 31) - 1;
}

uint32_t soter_base64_digit(uint8_t digit)
{
    const uint32_t c = digit;
    const uint32_t upper = within(c, 'A', 'Z');
    const uint32_t lower = within(c, 'a', 'z');
    const uint32_t number = within(c, '0', '9');
    const uint32_t plus = within(c, '+', '+');
    const uint32_t slash = within(c, '/', '/');
    return (upper & (c - 'A')) | (lower & (c - 'a' + 26)) | (number & (c - '0' + 52)) |
           (plus & 62) | (slash & 63) | (~(upper | lower | number | plus | slash) & SOTER_NO_DIGIT);
}

uint8_t soter_base64_digit_of(uint32_t value)
{
    return (uint8_t)((within(value, 0, 25) & (value + 'A')) |
                     (within(value, 26, 51) & (value - 26 + 'a')) |
                     (within(value, 52, 61) & (value - 52 + '0')) | (within(value, 62, 62) & '+') |
                     (within(value, 63, 63) & '/'));
}

uint32_t soter_hex_digit(uint8_t digit)
{
    const uint32_t c = digit;
    const uint32_t upper = within(c, 'A', 'F');
    const uint32_t lower = within(c, 'a', 'f');
    const uint32_t number = within(c, '0', '9');
    return (upper & (c - 'A' + 10)) | (lower & (c - 'a' + 10)) | (number & (c - '0')) |
           (~(upper | lower | number) & SOTER_NO_DIGIT);
}

static uint8_t hex_of(uint32_t value)
{
    return (uint8_t)((within(value, 0, 9) & (value + '0')) |
                     (within(value, 10, 15) & (value - 10 + 'a')));
}

void soter_hex_write(const uint8_t *data, size_t data_len, uint8_t *out)
{
    for (size_t i = 0; i < data_len; i++) {
        out[2 * i] = hex_of(data[i] >> 4);
        out[2 * i + 1] = hex_of(data[i] & 15U);
    }
}

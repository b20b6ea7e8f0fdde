/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/base64.h"

#include "soter/digits.h"
#include "soter/wipe.h"

/* All bits if low <= c <= high, else none. */
static uint32_t within(uint32_t c, uint32_t low, uint32_t high)
{
    return (((c - low) | (high - c)) >> 31) - 1;
}

static uint8_t digit_of(uint32_t value)
{
    return (uint8_t)((within(value, 0, 25) & (value + 'A')) |
                     (within(value, 26, 51) & (value - 26 + 'a')) |
                     (within(value, 52, 61) & (value - 52 + '0')) | (within(value, 62, 62) & '+') |
                     (within(value, 63, 63) & '/'));
}

bool soter_base64_decode_exact(struct soter_slice text, uint8_t *out, size_t out_len)
{
    const size_t padding = (3 - out_len % 3) % 3;
    uint32_t group = 0;
    uint32_t wrong = 0;
    if (out_len == 0 || text.len != SOTER_BASE64_SIZE(out_len)) {
        return false;
    }
    for (size_t i = text.len - padding; i < text.len; i++) {
        wrong |= (uint32_t)text.data[i] ^ '=';
    }
    for (size_t i = 0; i < text.len - padding; i++) {
        const uint32_t value = soter_base64_digit(text.data[i]);
        const size_t place = i % 4;
        wrong |= value & SOTER_NO_DIGIT;
        group = group << 6 | (value & 63);
        if (place != 0) { /* the digit completes a byte */
            out[i / 4 * 3 + place - 1] = (uint8_t)(group >> (6 - 2 * place));
        }
    }
    wrong |= group & ((UINT32_C(1) << (2 * padding)) - 1); /* the bits that padding leaves over */
    soter_wipe(&group, sizeof group);
    return wrong == 0;
}

bool soter_base64_decode(struct soter_slice text, uint8_t *out, size_t out_len, size_t *made)
{
    size_t padding = 0;
    if (text.len == 0 || text.len % 4 != 0) {
        return false;
    }
    while (padding < 2 && text.data[text.len - 1 - padding] == '=') {
        padding++;
    }
    *made = text.len / 4 * 3 - padding;
    return *made <= out_len && soter_base64_decode_exact(text, out, *made);
}

bool soter_base64_encode(struct soter_writer *writer, struct soter_slice data)
{
    uint8_t *out;
    if (!soter_write_room(writer, SOTER_BASE64_SIZE(data.len), &out)) {
        return false;
    }
    for (size_t i = 0; i < data.len; i += 3, out += 4) {
        const size_t left = data.len - i;
        const uint32_t group = (uint32_t)data.data[i] << 16 |
                               (left > 1 ? (uint32_t)data.data[i + 1] << 8 : 0) |
                               (left > 2 ? data.data[i + 2] : 0U);
        out[0] = digit_of(group >> 18);
        out[1] = digit_of(group >> 12 & 63);
        out[2] = left > 1 ? digit_of(group >> 6 & 63) : (uint8_t)'=';
        out[3] = left > 2 ? digit_of(group & 63) : (uint8_t)'=';
    }
    return true;
}

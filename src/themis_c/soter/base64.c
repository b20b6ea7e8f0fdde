/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/base64.h"

#include "soter/digits.h"
#include "soter/wipe.h"

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

size_t soter_base64_decoded_size(struct soter_slice text)
{
    size_t padding = 0;
    if (text.len == 0 || text.len % 4 != 0) {
        return 0;
    }
    while (padding < 2 && text.data[text.len - 1 - padding] == '=') {
        padding++;
    }
    return text.len / 4 * 3 - padding;
}

bool soter_base64_decode(struct soter_slice text, uint8_t *out, size_t out_len, size_t *made)
{
    *made = soter_base64_decoded_size(text);
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
        out[0] = soter_base64_digit_of(group >> 18);
        out[1] = soter_base64_digit_of(group >> 12 & 63);
        out[2] = left > 1 ? soter_base64_digit_of(group >> 6 & 63) : (uint8_t)'=';
        out[3] = left > 2 ? soter_base64_digit_of(group & 63) : (uint8_t)'=';
    }
    return true;
}

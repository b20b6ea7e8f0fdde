/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/column_text.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

struct soter_slice themis_column_write_unsigned(uint64_t number,
                                                uint8_t out[THEMIS_COLUMN_NUMBER_SIZE])
{
    size_t at = THEMIS_COLUMN_NUMBER_SIZE;
    do {
        out[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return (struct soter_slice){out + at, THEMIS_COLUMN_NUMBER_SIZE - at};
}

struct soter_slice themis_column_write_signed(uint64_t number,
                                              uint8_t out[THEMIS_COLUMN_NUMBER_SIZE])
{
    const bool is_negative = (number >> 63) != 0;
    struct soter_slice text = themis_column_write_unsigned(is_negative ? 0 - number : number, out);
    if (is_negative) { /* 2^63 has 19 digits: there is room */
        const size_t at = THEMIS_COLUMN_NUMBER_SIZE - text.len - 1;
        out[at] = '-';
        text.data = out + at;
        text.len++;
    }
    return text;
}

void themis_column_write_uuid(const uint8_t uuid[16], uint8_t out[36])
{
    static const char digits[] = "0123456789abcdef"; /* of no key; three times as fast */
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out[at++] = '-';
        }
        out[at++] = (uint8_t)digits[uuid[i] >> 4];
        out[at++] = (uint8_t)digits[uuid[i] & 15];
    }
}

/* The length of the character that begins here, of at most `left` bytes; 0 if there is none. */
static size_t character(const uint8_t *at, size_t left)
{
    const uint8_t first = at[0];
    const size_t len = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (len == 1) {
        return 1;
    }
    if (first < 0xC2 || first > 0xF4 || len > left) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    /* Too long a form, a surrogate, or beyond the last character. */
    if ((first == 0xE0 && at[1] < 0xA0) || (first == 0xED && at[1] > 0x9F) ||
        (first == 0xF0 && at[1] < 0x90) || (first == 0xF4 && at[1] > 0x8F)) {
        return 0;
    }
    return len;
}

bool themis_column_is_utf8(struct soter_slice text)
{
    size_t at = 0;
    while (at < text.len) {
        uint64_t eight;
        size_t len;
        if (text.len - at >= sizeof eight) {
            memcpy(&eight, text.data + at, sizeof eight);
            if ((eight & HIGH_BITS) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        len = character(text.data + at, text.len - at);
        if (len == 0) {
            return false;
        }
        at += len;
    }
    return true;
}

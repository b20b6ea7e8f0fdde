/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/der.h"

#include <string.h>

#define LONG_LENGTH 0x80     /* or with the count of the bytes that follow */
#define LENGTH_MAX_SIZE 4    /* of those bytes */
#define TAG_NUMBER_MASK 0x1F /* all of its bits set: the tag continues in the next byte */

static bool read_length(struct soter_reader *reader, size_t *out)
{
    const uint8_t *bytes;
    size_t count;
    uint32_t length = 0;
    if (!soter_read_bytes(reader, 1, &bytes)) {
        return false;
    }
    if (bytes[0] < LONG_LENGTH) {
        *out = bytes[0];
        return true;
    }
    count = bytes[0] - (size_t)LONG_LENGTH;
    if (count == 0 || count > LENGTH_MAX_SIZE || !soter_read_bytes(reader, count, &bytes)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        length = length << 8 | bytes[i];
    }
    *out = length;
    return true;
}

static bool read_any(struct soter_reader *reader, struct soter_reader *content)
{
    struct soter_reader ahead = *reader;
    const uint8_t *tag;
    size_t length;
    if (!soter_read_bytes(&ahead, 1, &tag) || (*tag & TAG_NUMBER_MASK) == TAG_NUMBER_MASK ||
        !read_length(&ahead, &length) || !soter_read_part(&ahead, length, content)) {
        return false;
    }
    *reader = ahead;
    return true;
}

uint8_t soter_der_next(const struct soter_reader *reader)
{
    return reader->left != 0 ? reader->at[0] : 0;
}

bool soter_der_read(struct soter_reader *reader, uint8_t tag, struct soter_reader *content)
{
    return soter_der_next(reader) == tag && read_any(reader, content);
}

bool soter_der_skip(struct soter_reader *reader)
{
    struct soter_reader content;
    return read_any(reader, &content);
}

bool soter_der_string(struct soter_reader *reader, uint8_t tag, struct soter_slice *out)
{
    struct soter_reader ahead = *reader;
    struct soter_reader content;
    const uint8_t *odd_bits;
    if (!soter_der_read(&ahead, tag, &content) || (tag == SOTER_DER_INTEGER && content.left == 0) ||
        (tag == SOTER_DER_BIT_STRING &&
         (!soter_read_bytes(&content, 1, &odd_bits) || *odd_bits != 0))) {
        return false;
    }
    *reader = ahead;
    out->data = content.at;
    out->len = content.left;
    return true;
}

bool soter_der_count(struct soter_reader *reader, uint64_t *out)
{
    struct soter_reader ahead = *reader;
    struct soter_slice number;
    uint8_t padded[8]; /* public */
    if (!soter_der_string(&ahead, SOTER_DER_INTEGER, &number) || (number.data[0] & 0x80) != 0 ||
        !soter_der_pad(number, padded, sizeof padded)) {
        return false;
    }
    *reader = ahead;
    *out = (uint64_t)soter_get_u32be(padded) << 32 | soter_get_u32be(padded + 4);
    return true;
}

bool soter_der_algorithm(struct soter_reader *reader,
                         struct soter_slice *oid,
                         struct soter_reader *params)
{
    struct soter_reader ahead = *reader;
    struct soter_reader content;
    struct soter_reader rest;
    if (!soter_der_read(&ahead, SOTER_DER_SEQUENCE, &content) ||
        !soter_der_string(&content, SOTER_DER_OID, oid)) {
        return false;
    }
    rest = content;
    if (rest.left != 0 && (!soter_der_skip(&rest) || rest.left != 0)) {
        return false;
    }
    *reader = ahead;
    *params = content;
    return true;
}

bool soter_der_is_oid(struct soter_slice oid, const uint8_t *wanted, size_t len)
{
    return oid.len == len && memcmp(oid.data, wanted, len) == 0;
}

bool soter_der_pad(struct soter_slice number, uint8_t *out, size_t size)
{
    uint8_t beyond = 0;
    while (number.len > size) {
        beyond |= *number.data++;
        number.len--;
    }
    if (beyond != 0) {
        return false;
    }
    memset(out, 0, size - number.len);
    if (number.len != 0) {
        memcpy(out + (size - number.len), number.data, number.len);
    }
    return true;
}

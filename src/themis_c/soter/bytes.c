/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/bytes.h"

#include <openssl/crypto.h>
#include <string.h>

void soter_put_u32le(uint8_t out[4], uint32_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
    out[2] = (uint8_t)(value >> 16);
    out[3] = (uint8_t)(value >> 24);
}

void soter_put_u32be(uint8_t out[4], uint32_t value)
{
    out[0] = (uint8_t)(value >> 24);
    out[1] = (uint8_t)(value >> 16);
    out[2] = (uint8_t)(value >> 8);
    out[3] = (uint8_t)value;
}

void soter_put_u64le(uint8_t out[8], uint64_t value)
{
    soter_put_u32le(out, (uint32_t)value);
    soter_put_u32le(out + 4, (uint32_t)(value >> 32));
}

void soter_put_u64be(uint8_t out[8], uint64_t value)
{
    soter_put_u32be(out, (uint32_t)(value >> 32));
    soter_put_u32be(out + 4, (uint32_t)value);
}

uint32_t soter_get_u32le(const uint8_t in[4])
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

uint32_t soter_get_u32be(const uint8_t in[4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | (uint32_t)in[3];
}

bool soter_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void soter_reader_init(struct soter_reader *reader, const uint8_t *data, size_t len)
{
    reader->at = data;
    reader->left = len;
}

bool soter_read_bytes(struct soter_reader *reader, size_t len, const uint8_t **out)
{
    if (len > reader->left) {
        return false;
    }
    *out = reader->at;
    if (len != 0) { /* an empty reader may stand on NULL, which takes no arithmetic */
        reader->at += len;
        reader->left -= len;
    }
    return true;
}

bool soter_read_copy(struct soter_reader *reader, uint8_t *out, size_t len)
{
    const uint8_t *bytes;
    if (!soter_read_bytes(reader, len, &bytes)) {
        return false;
    }
    if (len != 0) {
        memcpy(out, bytes, len);
    }
    return true;
}

bool soter_read_part(struct soter_reader *reader, size_t len, struct soter_reader *part)
{
    const uint8_t *bytes;
    if (!soter_read_bytes(reader, len, &bytes)) {
        return false;
    }
    soter_reader_init(part, bytes, len);
    return true;
}

bool soter_read_u16le(struct soter_reader *reader, uint16_t *out)
{
    const uint8_t *bytes;
    if (!soter_read_bytes(reader, 2, &bytes)) {
        return false;
    }
    *out = (uint16_t)(bytes[0] | (uint32_t)bytes[1] << 8);
    return true;
}

bool soter_read_u32le(struct soter_reader *reader, uint32_t *out)
{
    const uint8_t *bytes;
    if (!soter_read_bytes(reader, 4, &bytes)) {
        return false;
    }
    *out = soter_get_u32le(bytes);
    return true;
}

bool soter_read_u32be(struct soter_reader *reader, uint32_t *out)
{
    const uint8_t *bytes;
    if (!soter_read_bytes(reader, 4, &bytes)) {
        return false;
    }
    *out = soter_get_u32be(bytes);
    return true;
}

bool soter_read_u64be(struct soter_reader *reader, uint64_t *out)
{
    const uint8_t *bytes;
    if (!soter_read_bytes(reader, 8, &bytes)) {
        return false;
    }
    *out = (uint64_t)soter_get_u32be(bytes) << 32 | soter_get_u32be(bytes + 4);
    return true;
}

void soter_writer_init(struct soter_writer *writer, uint8_t *data, size_t len)
{
    writer->at = data;
    writer->left = len;
}

bool soter_write_room(struct soter_writer *writer, size_t len, uint8_t **out)
{
    if (len > writer->left) {
        return false;
    }
    *out = writer->at;
    if (len != 0) {
        writer->at += len;
        writer->left -= len;
    }
    return true;
}

bool soter_write_bytes(struct soter_writer *writer, const uint8_t *data, size_t len)
{
    uint8_t *room;
    if (!soter_write_room(writer, len, &room)) {
        return false;
    }
    if (len != 0) {
        memcpy(room, data, len);
    }
    return true;
}

bool soter_write_u16le(struct soter_writer *writer, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)}; /* public */
    return soter_write_bytes(writer, bytes, sizeof bytes);
}

bool soter_write_u32le(struct soter_writer *writer, uint32_t value)
{
    uint8_t *room;
    if (!soter_write_room(writer, 4, &room)) {
        return false;
    }
    soter_put_u32le(room, value);
    return true;
}

bool soter_write_u32be(struct soter_writer *writer, uint32_t value)
{
    uint8_t *room;
    if (!soter_write_room(writer, 4, &room)) {
        return false;
    }
    soter_put_u32be(room, value);
    return true;
}

bool soter_write_u64be(struct soter_writer *writer, uint64_t value)
{
    uint8_t *room;
    if (!soter_write_room(writer, 8, &room)) {
        return false;
    }
    soter_put_u64be(room, value);
    return true;
}

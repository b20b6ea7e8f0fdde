/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded reader and writer: the only way in and out of the wire formats. */
#ifndef SOTER_BYTES_H
#define SOTER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/compiler.h"

/* A borrowed run of bytes, where a function takes a list of them. */
struct soter_slice {
    const uint8_t *data;
    size_t len;
};

/* Bytes of malloc that belong to their holder; soter_wipe_free(data, len) ends them. */
struct soter_owned {
    uint8_t *data;
    size_t len;
};

/* Walks over bytes from outside. A read that does not fit fails and moves nothing. */
struct soter_reader {
    const uint8_t *at;
    size_t left;
};

void soter_reader_init(struct soter_reader *reader, const uint8_t *data, size_t len);

/* The next `len` bytes, borrowed from the reader's input. */
SOTER_MUST_USE bool soter_read_bytes(struct soter_reader *reader, size_t len, const uint8_t **out);
/* The next `len` bytes, copied. */
SOTER_MUST_USE bool soter_read_copy(struct soter_reader *reader, uint8_t *out, size_t len);
/* The next `len` bytes as a reader of their own. */
SOTER_MUST_USE bool
soter_read_part(struct soter_reader *reader, size_t len, struct soter_reader *part);
SOTER_MUST_USE bool soter_read_u16le(struct soter_reader *reader, uint16_t *out);
SOTER_MUST_USE bool soter_read_u32le(struct soter_reader *reader, uint32_t *out);
SOTER_MUST_USE bool soter_read_u32be(struct soter_reader *reader, uint32_t *out);
SOTER_MUST_USE bool soter_read_u64be(struct soter_reader *reader, uint64_t *out);

/* Fills a buffer from its start. A write that does not fit fails and writes nothing. */
struct soter_writer {
    uint8_t *at;
    size_t left;
};

void soter_writer_init(struct soter_writer *writer, uint8_t *data, size_t len);

SOTER_MUST_USE bool soter_write_bytes(struct soter_writer *writer, const uint8_t *data, size_t len);
/* Room for `len` bytes that the caller fills. */
SOTER_MUST_USE bool soter_write_room(struct soter_writer *writer, size_t len, uint8_t **out);
SOTER_MUST_USE bool soter_write_u16le(struct soter_writer *writer, uint16_t value);
SOTER_MUST_USE bool soter_write_u32le(struct soter_writer *writer, uint32_t value);
SOTER_MUST_USE bool soter_write_u32be(struct soter_writer *writer, uint32_t value);
SOTER_MUST_USE bool soter_write_u64be(struct soter_writer *writer, uint64_t value);

/* Numbers in buffers of known size. */
void soter_put_u32le(uint8_t out[4], uint32_t value);
void soter_put_u32be(uint8_t out[4], uint32_t value);
void soter_put_u64le(uint8_t out[8], uint64_t value);
void soter_put_u64be(uint8_t out[8], uint64_t value);
uint32_t soter_get_u32le(const uint8_t in[4]);
uint32_t soter_get_u32be(const uint8_t in[4]);

/* Whether two runs of bytes are equal, in time that depends on `len` alone. */
SOTER_MUST_USE bool soter_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif

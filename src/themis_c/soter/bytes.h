/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded reader and writer: the only way in and out of the wire formats. Frama-C proves what the
 * comments that begin with @ say, for all lengths (make evidence ONLY=proof). */
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

/*@ predicate is_reader{L}(struct soter_reader *r) =
      \valid(r) && \valid_read(r->at + (0 .. r->left - 1)) &&
      \separated(r, r->at + (0 .. r->left - 1));
    predicate has_read{A, B}(struct soter_reader *r, integer n) =
      \at(r->at, B) == \at(r->at, A) + n && \at(r->left, B) == \at(r->left, A) - n; */

/*@ requires \valid(reader);
    assigns *reader;
    ensures reader->at == data && reader->left == len; */
void soter_reader_init(struct soter_reader *reader, const uint8_t *data, size_t len);

/* The next `len` bytes, borrowed from the reader's input. */
/*@ requires is_reader(reader) && \valid(out) && \separated(reader, out);
    assigns *reader, *out;
    ensures \result <==> len <= \old(reader->left);
    ensures \result ==> *out == \old(reader->at) && has_read{Pre, Post}(reader, len);
    ensures !\result ==> *out == \old(*out) && has_read{Pre, Post}(reader, 0); */
SOTER_MUST_USE bool soter_read_bytes(struct soter_reader *reader, size_t len, const uint8_t **out);
/* The next `len` bytes, copied. */
/*@ requires is_reader(reader) && \valid(out + (0 .. len - 1));
    requires \separated(reader, out + (0 .. len - 1));
    requires \separated(reader->at + (0 .. reader->left - 1), out + (0 .. len - 1));
    assigns *reader, out[0 .. len - 1];
    ensures \result <==> len <= \old(reader->left);
    ensures \result ==> has_read{Pre, Post}(reader, len) &&
      (\forall integer i; 0 <= i < len ==> out[i] == \old(reader->at)[i]);
    ensures !\result ==> has_read{Pre, Post}(reader, 0); */
SOTER_MUST_USE bool soter_read_copy(struct soter_reader *reader, uint8_t *out, size_t len);
/* The next `len` bytes as a reader of their own. */
/*@ requires is_reader(reader) && \valid(part) && \separated(reader, part);
    assigns *reader, *part;
    ensures \result <==> len <= \old(reader->left);
    ensures \result ==> part->at == \old(reader->at) && part->left == len &&
      has_read{Pre, Post}(reader, len);
    ensures !\result ==> has_read{Pre, Post}(reader, 0); */
SOTER_MUST_USE bool
soter_read_part(struct soter_reader *reader, size_t len, struct soter_reader *part);
/*@ requires is_reader(reader) && \valid(out) && \separated(reader, out) &&
      \separated(reader->at + (0 .. reader->left - 1), out);
    assigns *reader, *out;
    ensures \result <==> 2 <= \old(reader->left);
    ensures \result ==> has_read{Pre, Post}(reader, 2);
    ensures !\result ==> *out == \old(*out) && has_read{Pre, Post}(reader, 0); */
SOTER_MUST_USE bool soter_read_u16le(struct soter_reader *reader, uint16_t *out);
/*@ requires is_reader(reader) && \valid(out) && \separated(reader, out) &&
      \separated(reader->at + (0 .. reader->left - 1), out);
    assigns *reader, *out;
    ensures \result <==> 4 <= \old(reader->left);
    ensures \result ==> has_read{Pre, Post}(reader, 4);
    ensures !\result ==> *out == \old(*out) && has_read{Pre, Post}(reader, 0); */
SOTER_MUST_USE bool soter_read_u32le(struct soter_reader *reader, uint32_t *out);
/*@ requires is_reader(reader) && \valid(out) && \separated(reader, out) &&
      \separated(reader->at + (0 .. reader->left - 1), out);
    assigns *reader, *out;
    ensures \result <==> 4 <= \old(reader->left);
    ensures \result ==> has_read{Pre, Post}(reader, 4);
    ensures !\result ==> *out == \old(*out) && has_read{Pre, Post}(reader, 0); */
SOTER_MUST_USE bool soter_read_u32be(struct soter_reader *reader, uint32_t *out);
/*@ requires is_reader(reader) && \valid(out) && \separated(reader, out) &&
      \separated(reader->at + (0 .. reader->left - 1), out);
    assigns *reader, *out;
    ensures \result <==> 8 <= \old(reader->left);
    ensures \result ==> has_read{Pre, Post}(reader, 8);
    ensures !\result ==> *out == \old(*out) && has_read{Pre, Post}(reader, 0); */
SOTER_MUST_USE bool soter_read_u64be(struct soter_reader *reader, uint64_t *out);

/* Fills a buffer from its start. A write that does not fit fails and writes nothing. */
struct soter_writer {
    uint8_t *at;
    size_t left;
};

/*@ predicate is_writer{L}(struct soter_writer *w) =
      \valid(w) && \valid(w->at + (0 .. w->left - 1)) &&
      \separated(w, w->at + (0 .. w->left - 1));
    predicate has_written{A, B}(struct soter_writer *w, integer n) =
      \at(w->at, B) == \at(w->at, A) + n && \at(w->left, B) == \at(w->left, A) - n; */

/*@ requires \valid(writer);
    assigns *writer;
    ensures writer->at == data && writer->left == len; */
void soter_writer_init(struct soter_writer *writer, uint8_t *data, size_t len);

/*@ requires is_writer(writer) && \valid_read(data + (0 .. len - 1));
    requires \separated(writer, data + (0 .. len - 1));
    requires \separated(writer->at + (0 .. writer->left - 1), data + (0 .. len - 1));
    assigns *writer, writer->at[0 .. len - 1];
    ensures \result <==> len <= \old(writer->left);
    ensures \result ==> has_written{Pre, Post}(writer, len) &&
      (\forall integer i; 0 <= i < len ==> \old(writer->at)[i] == data[i]);
    ensures !\result ==> has_written{Pre, Post}(writer, 0); */
SOTER_MUST_USE bool soter_write_bytes(struct soter_writer *writer, const uint8_t *data, size_t len);
/* Room for `len` bytes that the caller fills. */
/*@ requires is_writer(writer) && \valid(out) && \separated(writer, out);
    assigns *writer, *out;
    ensures \result <==> len <= \old(writer->left);
    ensures \result ==> *out == \old(writer->at) && has_written{Pre, Post}(writer, len);
    ensures !\result ==> *out == \old(*out) && has_written{Pre, Post}(writer, 0); */
SOTER_MUST_USE bool soter_write_room(struct soter_writer *writer, size_t len, uint8_t **out);
/*@ requires is_writer(writer);
    assigns *writer, writer->at[0 .. 1];
    ensures \result <==> 2 <= \old(writer->left);
    ensures \result ==> has_written{Pre, Post}(writer, 2);
    ensures !\result ==> has_written{Pre, Post}(writer, 0); */
SOTER_MUST_USE bool soter_write_u16le(struct soter_writer *writer, uint16_t value);
/*@ requires is_writer(writer);
    assigns *writer, writer->at[0 .. 3];
    ensures \result <==> 4 <= \old(writer->left);
    ensures \result ==> has_written{Pre, Post}(writer, 4);
    ensures !\result ==> has_written{Pre, Post}(writer, 0); */
SOTER_MUST_USE bool soter_write_u32le(struct soter_writer *writer, uint32_t value);
/*@ requires is_writer(writer);
    assigns *writer, writer->at[0 .. 3];
    ensures \result <==> 4 <= \old(writer->left);
    ensures \result ==> has_written{Pre, Post}(writer, 4);
    ensures !\result ==> has_written{Pre, Post}(writer, 0); */
SOTER_MUST_USE bool soter_write_u32be(struct soter_writer *writer, uint32_t value);
/*@ requires is_writer(writer);
    assigns *writer, writer->at[0 .. 7];
    ensures \result <==> 8 <= \old(writer->left);
    ensures \result ==> has_written{Pre, Post}(writer, 8);
    ensures !\result ==> has_written{Pre, Post}(writer, 0); */
SOTER_MUST_USE bool soter_write_u64be(struct soter_writer *writer, uint64_t value);

/* Numbers in buffers of known size. */
/*@ requires \valid(out + (0 .. 3));
    assigns out[0 .. 3]; */
void soter_put_u32le(uint8_t out[4], uint32_t value);
/*@ requires \valid(out + (0 .. 3));
    assigns out[0 .. 3]; */
void soter_put_u32be(uint8_t out[4], uint32_t value);
/*@ requires \valid(out + (0 .. 7));
    assigns out[0 .. 7]; */
void soter_put_u64le(uint8_t out[8], uint64_t value);
/*@ requires \valid(out + (0 .. 7));
    assigns out[0 .. 7]; */
void soter_put_u64be(uint8_t out[8], uint64_t value);
/*@ requires \valid_read(in + (0 .. 3));
    assigns \nothing; */
uint32_t soter_get_u32le(const uint8_t in[4]);
/*@ requires \valid_read(in + (0 .. 3));
    assigns \nothing; */
uint32_t soter_get_u32be(const uint8_t in[4]);

/* Whether two runs of bytes are equal, in time that depends on `len` alone. */
/*@ requires \valid_read(a + (0 .. len - 1)) && \valid_read(b + (0 .. len - 1));
    assigns \nothing;
    ensures \result <==> (\forall integer i; 0 <= i < len ==> a[i] == b[i]); */
SOTER_MUST_USE bool soter_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded reader and writer, beneath every parser. Input: the size of a buffer, then steps of
 * reading and writing in it.
 *
 * Promises: what fits is read or written where it belongs; what does not fit moves nothing. */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"

/* A number of `width` bytes, the first `at` the highest if `big`. */
static uint64_t number_at(const uint8_t *at, size_t width, bool big)
{
    uint64_t number = 0;
    for (size_t i = 0; i < width; i++) {
        number = number << 8 | at[big ? i : width - 1 - i];
    }
    return number;
}

/* One read of `len` bytes; the answer must be whether they were there. */
static void read_once(uint8_t verb, struct soter_reader *reader, size_t len)
{
    static const size_t widths[4] = {2, 4, 4, 8};
    const struct soter_reader before = *reader;
    struct soter_reader part = {NULL, 0};
    const uint8_t *found = NULL;
    uint8_t *room = fuzz_room(len);
    uint64_t number = 0;
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    bool done;
    if (verb % 8 < 4) {
        len = widths[verb % 8];
    }
    switch (verb % 8) {
    case 0:
        done = soter_read_u16le(reader, &u16);
        number = u16;
        break;
    case 1:
        done = soter_read_u32le(reader, &u32);
        number = u32;
        break;
    case 2:
        done = soter_read_u32be(reader, &u32);
        number = u32;
        break;
    case 3:
        done = soter_read_u64be(reader, &number);
        break;
    case 4:
        done = soter_read_part(reader, len, &part);
        MUST(!done || (part.at == before.at && part.left == len));
        break;
    case 5:
        done = soter_read_copy(reader, room, len);
        MUST(!done || len == 0 || memcmp(room, before.at, len) == 0);
        break;
    default:
        done = soter_read_bytes(reader, len, &found);
        MUST(!done || found == before.at);
        break;
    }
    free(room);
    MUST(done == (len <= before.left));
    MUST(reader->left == before.left - (done ? len : 0));
    MUST(reader->at == (len != 0 && done ? before.at + len : before.at));
    MUST(!done || verb % 8 > 3 || number == number_at(before.at, len, verb % 8 > 1));
}

static void write_once(uint8_t verb, struct soter_writer *writer, struct soter_slice bytes)
{
    static const size_t widths[4] = {2, 4, 4, 8};
    const struct soter_writer before = *writer;
    const uint64_t number = number_at((const uint8_t *)"\x81\x72\x63\x54\x45\x36\x27\x18", 8, true);
    const size_t len = verb % 8 < 4 ? widths[verb % 8] : bytes.len;
    uint8_t *room = NULL;
    bool done;
    switch (verb % 8) {
    case 0:
        done = soter_write_u16le(writer, (uint16_t)number);
        break;
    case 1:
        done = soter_write_u32le(writer, (uint32_t)number);
        break;
    case 2:
        done = soter_write_u32be(writer, (uint32_t)number);
        break;
    case 3:
        done = soter_write_u64be(writer, number);
        break;
    case 4:
        done = soter_write_room(writer, len, &room);
        MUST(!done || room == before.at);
        break;
    default:
        done = soter_write_bytes(writer, bytes.data, len);
        MUST(!done || len == 0 || memcmp(before.at, bytes.data, len) == 0);
        break;
    }
    MUST(done == (len <= before.left));
    MUST(writer->left == before.left - (done ? len : 0));
    MUST(writer->at == (len != 0 && done ? before.at + len : before.at));
    if (done && verb % 8 < 4) {
        const uint64_t written = number_at(before.at, len, verb % 8 > 1);
        MUST(written == (len == 8 ? number : number & ((UINT64_C(1) << 8 * len) - 1)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const size_t room = fuzz_byte(&input);
    uint8_t *buffer = room != 0 ? fuzz_room(room) : NULL; /* an empty one may stand on NULL */
    struct soter_reader reader;
    struct soter_writer writer;
    soter_reader_init(&reader, buffer, room);
    soter_writer_init(&writer, buffer, room);
    while (input.left != 0) {
        const uint8_t verb = fuzz_byte(&input);
        if (verb >= 128) {
            read_once(verb, &reader, fuzz_byte(&input));
        } else {
            write_once(verb, &writer, fuzz_field(&input));
        }
    }
    free(buffer);
    return 0;
}

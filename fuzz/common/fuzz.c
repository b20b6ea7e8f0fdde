/* SPDX-License-Identifier: Apache-2.0 */
#include "common/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "soter/container.h"

#define FILL 0xA5

void fuzz_broken(const char *promise, const char *file, int line)
{
    fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
    abort();
}

fuzz_input fuzz_start(const uint8_t *data, size_t size)
{
    MUST(themis_init() == THEMIS_SUCCESS);
    return (fuzz_input){data, size};
}

uint8_t fuzz_byte(fuzz_input *input)
{
    const uint8_t *byte;
    return soter_read_bytes(input, 1, &byte) ? *byte : 0;
}

uint32_t fuzz_number(fuzz_input *input)
{
    uint32_t number = 0;
    return soter_read_u32le(input, &number) ? number : 0;
}

struct soter_slice fuzz_field(fuzz_input *input)
{
    struct soter_slice field = {NULL, 0};
    uint16_t wanted = 0;
    if (soter_read_u16le(input, &wanted)) {
        field.len = wanted < FUZZ_FIELD_MAX ? wanted : FUZZ_FIELD_MAX;
        field.len = field.len < input->left ? field.len : input->left;
        MUST(soter_read_bytes(input, field.len, &field.data));
    }
    return field;
}

struct soter_slice fuzz_rest(fuzz_input *input)
{
    struct soter_slice rest = {input->at, input->left};
    input->left = 0;
    return rest;
}

uint8_t *fuzz_copy(struct soter_slice bytes)
{
    uint8_t *block = fuzz_room(bytes.len);
    if (bytes.len != 0) {
        memcpy(block, bytes.data, bytes.len);
    }
    return block;
}

uint8_t *fuzz_room(size_t size)
{
    uint8_t *block = malloc(size);
    if (block == NULL) {
        fuzz_broken("a target has memory", __FILE__, __LINE__);
    }
    memset(block, FILL, size);
    return block;
}

bool fuzz_nothing_in(const uint8_t *room, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((room[0] != 0 && room[0] != FILL) || room[i] != room[0]) {
            return false;
        }
    }
    return true;
}

bool fuzz_equal(struct soter_slice a, struct soter_slice b)
{
    return a.len == b.len && fuzz_begins(a, b);
}

/* Not with memcmp, of which libFuzzer learns: it then gives an honest message of one run for a
 * forged one in the next, and that is rightly accepted. */
bool fuzz_begins(struct soter_slice whole, struct soter_slice beginning)
{
    return whole.len >= beginning.len &&
           (beginning.len == 0 || soter_equal(whole.data, beginning.data, beginning.len));
}

void fuzz_set(struct fuzz_message *message, struct soter_slice bytes)
{
    MUST(bytes.len <= sizeof message->bytes);
    message->len = bytes.len;
    if (bytes.len != 0) {
        memcpy(message->bytes, bytes.data, bytes.len);
    }
}

struct soter_slice fuzz_slice(const struct fuzz_message *message)
{
    return (struct soter_slice){message->bytes, message->len};
}

/* ---- Edits ---- */

/* Numbers of 32 bytes that have a meaning on edwards25519, as little-endian. */
static const uint8_t special[][32] = {
    {0},
    {1}, /* the neutral point */
    /* the order of the group */
    {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
     0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
     0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10},
    /* a point of order 8 */
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    /* the prime of the field, which means 0 */
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    /* the base point */
    {0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
     0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
     0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66},
};

#define SPECIAL_COUNT (sizeof special / sizeof special[0])

static void overwrite(struct fuzz_message *message, size_t at, struct soter_slice bytes)
{
    const size_t left = message->len - at;
    const size_t len = bytes.len < left ? bytes.len : left;
    if (len != 0) {
        memmove(message->bytes + at, bytes.data, len);
    }
}

static void insert(struct fuzz_message *message, size_t at, struct soter_slice bytes)
{
    const size_t left = sizeof message->bytes - message->len;
    const size_t len = bytes.len < left ? bytes.len : left;
    if (len != 0) {
        memmove(message->bytes + at + len, message->bytes + at, message->len - at);
        memcpy(message->bytes + at, bytes.data, len);
        message->len += len;
    }
}

static void cut_out(struct fuzz_message *message, size_t at, size_t len)
{
    const size_t left = message->len - at;
    const size_t gone = len < left ? len : left;
    memmove(message->bytes + at, message->bytes + at + gone, left - gone);
    message->len -= gone;
}

static void edit_once(fuzz_input *input, struct fuzz_message *message)
{
    const uint8_t verb = fuzz_byte(input);
    const size_t at = (size_t)(fuzz_number(input) % (message->len + 1));
    uint8_t number[4];
    if (verb < 64) { /* the commonest: one bit */
        if (at < message->len) {
            message->bytes[at] ^= (uint8_t)(1U << (verb % 8));
        }
        return;
    }
    switch (verb % 8) {
    case 0:
        overwrite(message, at, fuzz_field(input));
        break;
    case 1:
        insert(message, at, fuzz_field(input));
        break;
    case 2:
        cut_out(message, at, fuzz_byte(input));
        break;
    case 3:
        message->len = at;
        break;
    case 4: /* a part of it somewhere else */
        overwrite(message,
                  at,
                  (struct soter_slice){message->bytes + fuzz_number(input) % (message->len + 1) / 2,
                                       message->len / 2});
        break;
    case 5:
        soter_put_u32le(number, fuzz_number(input));
        overwrite(message, at, (struct soter_slice){number, sizeof number});
        break;
    case 6:
        soter_put_u32be(number, fuzz_number(input));
        overwrite(message, at, (struct soter_slice){number, sizeof number});
        break;
    default: /* what stands at multiples of 32, as the comparator's numbers do */
        overwrite(message,
                  at - at % 32,
                  (struct soter_slice){special[fuzz_byte(input) % SPECIAL_COUNT], 32});
        break;
    }
}

void fuzz_edit(fuzz_input *input, struct fuzz_message *message)
{
    for (int edits = 1 + fuzz_byte(input) % 3; edits != 0; edits--) {
        edit_once(input, message);
    }
}

size_t fuzz_mend(struct fuzz_message *message, size_t at)
{
    char tag[SOTER_CONTAINER_TAG_SIZE + 1] = {0};
    size_t size;
    if (message->len < SOTER_CONTAINER_HEADER_SIZE ||
        at > message->len - SOTER_CONTAINER_HEADER_SIZE) {
        return 0;
    }
    size = soter_get_u32be(message->bytes + at + SOTER_CONTAINER_TAG_SIZE);
    if (size < SOTER_CONTAINER_HEADER_SIZE || size > message->len - at) {
        return 0;
    }
    memcpy(tag, message->bytes + at, SOTER_CONTAINER_TAG_SIZE);
    if (strlen(tag) != SOTER_CONTAINER_TAG_SIZE) {
        return 0; /* tags of ours have no zeros */
    }
    MUST(themis_testing_container_write(message->bytes + at, size, tag) == THEMIS_SUCCESS);
    return size;
}

/* ---- Keys ---- */

struct pair {
    int bits;
    bool other;
    uint8_t *private_key;
    size_t private_len;
    uint8_t *public_key;
    size_t public_len;
};

static void make_rooms(struct pair *pair, int algorithm)
{
    pair->private_len = themis_key_size(algorithm, 1, pair->bits, 0);
    pair->public_len = themis_key_size(algorithm, 0, pair->bits, 0);
    pair->private_key = fuzz_room(pair->private_len);
    pair->public_key = fuzz_room(pair->public_len);
}

static const struct pair *ec_pair(int bits, bool other)
{
    static struct pair pairs[] = {{.bits = 256},
                                  {.bits = 384},
                                  {.bits = 521},
                                  {.bits = 256, .other = true},
                                  {.bits = 384, .other = true},
                                  {.bits = 521, .other = true}};
    struct pair *pair = pairs;
    while (pair->bits != bits || pair->other != other) {
        pair++;
    }
    if (pair->private_key == NULL) {
        const char *tag = bits == 256 ? "REC2" : bits == 384 ? "REC3" : "REC5";
        make_rooms(pair, THEMIS_KEY_EC);
        memset(pair->private_key, other ? 0x5B : 0x1A, pair->private_len); /* any number will do */
        pair->private_key[SOTER_CONTAINER_HEADER_SIZE] = 0;
        pair->private_key[SOTER_CONTAINER_HEADER_SIZE + 1] = 0; /* below the order of each curve */
        MUST(themis_testing_container_write(pair->private_key, pair->private_len, tag) ==
             THEMIS_SUCCESS);
        MUST(themis_key_public(pair->private_key,
                               pair->private_len,
                               0,
                               pair->public_key,
                               pair->public_len) == THEMIS_SUCCESS);
    }
    return pair;
}

static const struct pair *rsa_pair(int bits)
{
    static struct pair pairs[] = {{.bits = 1024}, {.bits = 2048}};
    struct pair *pair = &pairs[bits == 1024 ? 0 : 1];
    if (pair->private_key == NULL) {
        make_rooms(pair, THEMIS_KEY_RSA);
        MUST(themis_key_pair(THEMIS_KEY_RSA,
                             bits,
                             0,
                             pair->private_key,
                             themis_key_size(THEMIS_KEY_RSA, 1, bits, 0),
                             pair->public_key,
                             themis_key_size(THEMIS_KEY_RSA, 0, bits, 0)) == THEMIS_SUCCESS);
    }
    return pair;
}

struct soter_slice fuzz_ec_private(int bits, bool other)
{
    const struct pair *pair = ec_pair(bits, other);
    return (struct soter_slice){pair->private_key, pair->private_len};
}

struct soter_slice fuzz_ec_public(int bits, bool other)
{
    const struct pair *pair = ec_pair(bits, other);
    return (struct soter_slice){pair->public_key, pair->public_len};
}

struct soter_slice fuzz_rsa_private(int bits)
{
    const struct pair *pair = rsa_pair(bits);
    return (struct soter_slice){pair->private_key, pair->private_len};
}

struct soter_slice fuzz_rsa_public(int bits)
{
    const struct pair *pair = rsa_pair(bits);
    return (struct soter_slice){pair->public_key, pair->public_len};
}

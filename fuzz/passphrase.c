/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Cell with a passphrase. Input: flags with the fewest rounds that are read, the most (1 to
 * 256), passphrase, context, then for a raw run a cell, else a salt, a message, and the edits of
 * its cell.
 *
 * Promises: the header is read as the specification has it, and only as far as the bytes go; no
 * rounds are spent outside the bounds; what is not the honest cell is refused, nothing comes out;
 * what is written has the rounds that were asked for, and opens. */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"
#include "soter/pbkdf2.h"
#include "themis/cell.h"

enum { FLAG_RAW = 1 };
enum { FIXED_SIZE = 5 * 4 + 12 + 16, ITERATIONS_AT = FIXED_SIZE, KDF_FIXED_SIZE = 6 };

/* The rounds of PBKDF2 that are read; `most` are written. */
struct bounds {
    uint32_t least;
    uint32_t most;
};

/* What the specification says about a header, in the order of the field numbers, in 64 bits. */
static int
expected_status(struct soter_slice sealed, const struct bounds *bounds, size_t *message_len)
{
    uint32_t numbers[5];
    uint32_t iterations;
    uint32_t salt_len;
    *message_len = 0;
    if (sealed.len < FIXED_SIZE + KDF_FIXED_SIZE) {
        return THEMIS_INVALID_PARAMETER;
    }
    for (int i = 0; i < 5; i++) {
        numbers[i] = soter_get_u32le(sealed.data + 4 * i);
    }
    iterations = soter_get_u32le(sealed.data + ITERATIONS_AT);
    salt_len = (uint32_t)sealed.data[ITERATIONS_AT + 4] | (uint32_t)sealed.data[ITERATIONS_AT + 5]
                                                              << 8;
    if ((numbers[0] != 0x41010080 && numbers[0] != 0x410100C0 && numbers[0] != 0x41010100) ||
        numbers[1] != 12 || numbers[2] != 16 || numbers[3] == 0 ||
        numbers[4] != KDF_FIXED_SIZE + salt_len || iterations == 0 || iterations > INT32_MAX ||
        sealed.len != (uint64_t)FIXED_SIZE + numbers[4] + numbers[3]) {
        return THEMIS_INVALID_PARAMETER;
    }
    if (iterations < bounds->least || iterations > bounds->most) {
        return THEMIS_NOT_SUPPORTED;
    }
    *message_len = numbers[3];
    return THEMIS_SUCCESS;
}

/* Reads a cell; gives the status, and the message if there is one. */
static int open_cell(themis_passphrase *passphrase,
                     const struct bounds *bounds,
                     struct soter_slice sealed,
                     struct soter_slice context,
                     uint8_t **message,
                     size_t *message_len)
{
    uint8_t *copy = fuzz_copy(sealed);
    size_t expected_len;
    const int expected = expected_status(sealed, bounds, &expected_len);
    int status = themis_passphrase_message_size(passphrase, copy, sealed.len, message_len);
    MUST(status == expected && *message_len == expected_len);
    *message = fuzz_room(*message_len);
    status = themis_passphrase_unseal(passphrase,
                                      copy,
                                      sealed.len,
                                      context.data,
                                      context.len,
                                      *message,
                                      *message_len);
    MUST(expected == THEMIS_SUCCESS ? status == THEMIS_SUCCESS || status == THEMIS_FAIL
                                    : status == expected);
    MUST(status == THEMIS_SUCCESS || fuzz_nothing_in(*message, *message_len));
    free(copy);
    return status;
}

/* A cell as the specification has it, with few rounds and any salt. */
static void forge(struct soter_slice passphrase,
                  struct soter_slice salt,
                  uint32_t iterations,
                  const struct themis_cell_text *text,
                  struct fuzz_message *sealed)
{
    struct soter_writer writer;
    soter_pbkdf2 *work = NULL;
    uint32_t left = 0;
    uint8_t pre_key[32];
    struct themis_cell_key key;
    uint8_t *nonce = NULL;
    uint8_t *tag = NULL;
    soter_writer_init(&writer, sealed->bytes, sizeof sealed->bytes);
    MUST(soter_write_u32le(&writer, 0x41010100) && soter_write_u32le(&writer, 12) &&
         soter_write_u32le(&writer, 16) && soter_write_u32le(&writer, (uint32_t)text->len) &&
         soter_write_u32le(&writer, KDF_FIXED_SIZE + (uint32_t)salt.len) &&
         soter_write_room(&writer, 12, &nonce) && soter_write_room(&writer, 16, &tag) &&
         soter_write_u32le(&writer, iterations) && soter_write_u16le(&writer, (uint16_t)salt.len) &&
         soter_write_bytes(&writer, salt.data, salt.len));
    MUST(soter_pbkdf2_new(passphrase, salt, iterations, &work) == THEMIS_SUCCESS);
    MUST(soter_pbkdf2_work(work, iterations, &left) == THEMIS_SUCCESS && left == 0);
    MUST(soter_pbkdf2_finish(work, pre_key) == THEMIS_SUCCESS);
    soter_pbkdf2_free(work);
    MUST(themis_cell_key_init(&key, pre_key, sizeof pre_key) == THEMIS_SUCCESS);
    MUST(themis_cell_encrypt(&key, text, writer.at, nonce, tag) == THEMIS_SUCCESS);
    themis_cell_key_clear(&key);
    sealed->len = (size_t)(writer.at - sealed->bytes) + text->len;
}

static void forge_and_change(fuzz_input *input,
                             themis_passphrase *passphrase,
                             struct soter_slice bytes,
                             const struct bounds *bounds,
                             struct soter_slice context)
{
    static struct fuzz_message honest;
    static struct fuzz_message changed;
    const struct soter_slice salt = fuzz_field(input);
    const struct soter_slice text = fuzz_field(input);
    const struct themis_cell_text parts = {text.data, text.len, context.data, context.len};
    const uint32_t iterations =
        bounds->least + fuzz_byte(input) % (bounds->most - bounds->least + 1);
    uint8_t *message;
    size_t message_len;
    int status;
    if (text.len == 0) {
        return;
    }
    forge(bytes, salt, iterations, &parts, &honest);
    changed = honest;
    fuzz_edit(input, &changed);
    status = open_cell(passphrase, bounds, fuzz_slice(&changed), context, &message, &message_len);
    MUST((status == THEMIS_SUCCESS) == fuzz_equal(fuzz_slice(&changed), fuzz_slice(&honest)));
    free(message);
    status = open_cell(passphrase, bounds, fuzz_slice(&honest), context, &message, &message_len);
    MUST(status == THEMIS_SUCCESS);
    MUST(fuzz_equal((struct soter_slice){message, message_len}, text));
    free(message);
}

static void write_and_read(fuzz_input *input,
                           themis_passphrase *passphrase,
                           const struct bounds *bounds,
                           struct soter_slice context)
{
    const struct soter_slice text = fuzz_field(input);
    const size_t len = text.len + THEMIS_PASSPHRASE_TOKEN_SIZE;
    uint8_t *sealed = fuzz_room(len);
    uint8_t *message = NULL;
    size_t message_len;
    int status = themis_passphrase_seal(passphrase,
                                        text.data,
                                        text.len,
                                        context.data,
                                        context.len,
                                        sealed,
                                        len);
    MUST(status == (text.len == 0 ? THEMIS_INVALID_PARAMETER : THEMIS_SUCCESS));
    if (status == THEMIS_SUCCESS) {
        const struct soter_slice cell = {sealed, len};
        MUST(soter_get_u32le(sealed + ITERATIONS_AT) == bounds->most);
        status = open_cell(passphrase, bounds, cell, context, &message, &message_len);
        MUST(status == THEMIS_SUCCESS);
        MUST(fuzz_equal((struct soter_slice){message, message_len}, text));
    }
    free(message);
    free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    const uint32_t most = 1 + (uint32_t)fuzz_byte(&input);
    const struct bounds bounds = {1 + (uint32_t)(flags >> 1) % most, most};
    const struct soter_slice bytes = fuzz_field(&input);
    const struct soter_slice context = fuzz_field(&input);
    themis_passphrase *passphrase = NULL;
    int status =
        themis_passphrase_new(bytes.data, bytes.len, most, bounds.least, most, &passphrase);
    MUST(status == (bytes.len == 0 ? THEMIS_INVALID_PARAMETER : THEMIS_SUCCESS));
    if (passphrase != NULL && (flags & FLAG_RAW) != 0) {
        uint8_t *message;
        size_t message_len;
        (void)open_cell(passphrase, &bounds, fuzz_rest(&input), context, &message, &message_len);
        free(message);
    } else if (passphrase != NULL) {
        forge_and_change(&input, passphrase, bytes, &bounds, context);
        write_and_read(&input, passphrase, &bounds, context);
    }
    themis_passphrase_free(passphrase);
    return 0;
}

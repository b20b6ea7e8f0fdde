/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/pem.h"

#include <stdlib.h>
#include <string.h>

#include "soter/digits.h"
#include "soter/wipe.h"

#define MARK_END "-----"
#define MARK_END_SIZE (sizeof MARK_END - 1)

/* The next line, without its end and the blanks and control characters before that. */
static bool read_line(struct soter_reader *text, struct soter_slice *line)
{
    size_t len = 0;
    if (text->left == 0) {
        return false;
    }
    while (len < text->left && text->at[len] != '\n' && text->at[len] != '\r') {
        len++;
    }
    line->len = len;
    if (!soter_read_bytes(text, len < text->left ? len + 1 : len, &line->data)) {
        return false;
    }
    while (line->len != 0 && line->data[line->len - 1] <= ' ') {
        line->len--;
    }
    return true;
}

/* Whether the line is `mark`, a label and five dashes. */
static bool read_mark(struct soter_slice line, const char *mark, struct soter_slice *label)
{
    const size_t mark_len = strlen(mark);
    if (line.len < mark_len + MARK_END_SIZE || memcmp(line.data, mark, mark_len) != 0 ||
        memcmp(line.data + line.len - MARK_END_SIZE, MARK_END, MARK_END_SIZE) != 0) {
        return false;
    }
    label->data = line.data + mark_len;
    label->len = line.len - mark_len - MARK_END_SIZE;
    return true;
}

/* Base64 on its way to bytes. */
struct decoder {
    uint32_t group; /* the last digits */
    size_t digits;
    size_t padding;
    struct soter_owned out; /* has room */
};

static bool decode_line(struct decoder *decoder, struct soter_slice line)
{
    for (size_t i = 0; i < line.len; i++) {
        const uint8_t c = line.data[i];
        const uint32_t value = soter_base64_digit(c);
        if (c == ' ' || c == '\t') {
            continue;
        }
        if (c == '=') {
            decoder->padding++;
        } else if (value == SOTER_NO_DIGIT || decoder->padding != 0) {
            return false;
        } else {
            const size_t place = decoder->digits++ % 4;
            decoder->group = decoder->group << 6 | value;
            if (place != 0) { /* the digit completes a byte */
                decoder->out.data[decoder->out.len++] =
                    (uint8_t)(decoder->group >> (6 - 2 * place));
            }
        }
    }
    return true;
}

static soter_status decode(struct soter_slice body, struct soter_owned *out)
{
    struct decoder decoder = {0};
    struct soter_reader reader;
    struct soter_slice line;
    bool sound = true;
    decoder.out.data = malloc(body.len / 4 * 3 + 3);
    if (decoder.out.data == NULL) {
        return SOTER_NO_MEMORY;
    }
    soter_reader_init(&reader, body.data, body.len);
    while (sound && read_line(&reader, &line)) {
        sound = decode_line(&decoder, line);
    }
    if (sound && decoder.out.len != 0 && decoder.padding <= 2 &&
        (decoder.digits + decoder.padding) % 4 == 0) {
        *out = decoder.out;
    } else {
        sound = false;
        soter_wipe_free(decoder.out.data, decoder.out.len);
    }
    soter_wipe(&decoder, sizeof decoder);
    return sound ? SOTER_SUCCESS : SOTER_INVALID_PARAMETER;
}

/* Moves to the line after the end of the block. */
static soter_status read_body(struct soter_reader *text,
                              struct soter_slice label,
                              struct soter_slice *body,
                              bool *has_headers)
{
    struct soter_slice line;
    struct soter_slice end;
    bool is_first = true;
    body->data = text->at;
    body->len = text->left;
    while (read_line(text, &line)) {
        if (read_mark(line, "-----END ", &end)) {
            body->len = (size_t)(line.data - body->data);
            return end.len == label.len && memcmp(end.data, label.data, end.len) == 0
                       ? SOTER_SUCCESS
                       : SOTER_INVALID_PARAMETER;
        }
        if (is_first && line.len != 0) {
            *has_headers = memchr(line.data, ':', line.len) != NULL;
            is_first = false;
        }
    }
    return SOTER_INVALID_PARAMETER;
}

soter_status soter_pem_read(struct soter_reader *text, struct soter_pem_block *out)
{
    struct soter_pem_block block = {0};
    struct soter_slice line;
    struct soter_slice body;
    soter_status status;
    do {
        if (!read_line(text, &line)) {
            return SOTER_INVALID_PARAMETER;
        }
    } while (!read_mark(line, "-----BEGIN ", &block.label));
    status = read_body(text, block.label, &body, &block.has_headers);
    if (status == SOTER_SUCCESS && !block.has_headers) {
        status = decode(body, &block.body);
    }
    if (status == SOTER_SUCCESS) {
        *out = block;
    }
    return status;
}

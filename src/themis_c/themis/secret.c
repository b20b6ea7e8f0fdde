/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in guarded memory, and how their text becomes one without leaving such memory.
 *
 * What decodes a text branches on its length, and on whether it is sound, which the caller is told
 * anyway; never on a digit. */
#include <assert.h>
#include <stdlib.h>

#include "soter/base64.h"
#include "soter/bytes.h"
#include "soter/digits.h"
#include "soter/guarded.h"
#include "soter/rand.h"
#include "themis.h"

struct themis_secret {
    uint8_t *data;
    size_t len;
};

static soter_status secret_new(size_t len, themis_secret **out)
{
    soter_status status;
    themis_secret *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_guarded_new(len, &made->data);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    made->len = len;
    *out = made;
    made = NULL;
out:
    themis_secret_free(made);
    return status;
}

void themis_secret_free(themis_secret *secret)
{
    if (secret != NULL) {
        soter_guarded_free(secret->data);
        free(secret);
    }
}

int themis_secret_random(size_t size, themis_secret **out)
{
    themis_secret *made = NULL;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (size == 0 || size > THEMIS_SECRET_MAX) {
        return status;
    }
    status = secret_new(size, &made);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_rand_secret(made->data, made->len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_guarded_protect(made->data);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = made;
    made = NULL;
out:
    themis_secret_free(made);
    return status;
}

int themis_secret_new(const uint8_t *data, size_t data_len, themis_secret **out)
{
    themis_secret *made = NULL;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (data_len == 0 || data_len > THEMIS_SECRET_MAX) {
        return status;
    }
    status = secret_new(data_len, &made);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    soter_guarded_fill(made->data, data, data_len);
    status = soter_guarded_protect(made->data);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = made;
    made = NULL;
out:
    themis_secret_free(made);
    return status;
}

const uint8_t *themis_secret_data(const themis_secret *secret)
{
    return secret->data;
}

size_t themis_secret_size(const themis_secret *secret)
{
    return secret->len;
}

int themis_secret_lock(themis_secret *secret)
{
    return soter_guarded_lock(secret->data, secret->len);
}

int themis_secret_equal(const themis_secret *a, const themis_secret *b)
{
    return a->len == b->len && soter_equal(a->data, b->data, a->len);
}

/* ---- Text ---- */

#define ROOM (THEMIS_SECRET_TEXT_MAX + 1) /* one byte more tells that there is too much */

struct themis_secret_text {
    uint8_t *data;
    size_t len;
};

int themis_secret_text_new(themis_secret_text **out)
{
    soter_status status;
    themis_secret_text *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_guarded_new(ROOM, &made->data);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = made;
    made = NULL;
out:
    themis_secret_text_free(made);
    return status;
}

void themis_secret_text_free(themis_secret_text *text)
{
    if (text != NULL) {
        soter_guarded_free(text->data);
        free(text);
    }
}

int themis_secret_text_read(themis_secret_text *text, int fd, int line, int *ended)
{
    size_t got = 0;
    soter_status status = soter_guarded_read(fd, text->data + text->len, ROOM - text->len, &got);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    text->len += got;
    *ended = got == 0 || text->len == ROOM;
    if (line != 0 && got != 0 && text->data[text->len - 1] == '\n') {
        text->len--;
        *ended = 1;
    }
    return SOTER_SUCCESS;
}

int themis_secret_text_variable(themis_secret_text *text, const char *name)
{
    return soter_guarded_copy_variable(name, text->data, ROOM, &text->len) ? SOTER_SUCCESS
                                                                           : SOTER_FAIL;
}

void themis_variable_wipe(const char *name)
{
    soter_guarded_wipe_variable(name);
}

/* The text without one line end that closes it; whether no other is in it. */
static bool take_line(const themis_secret_text *text, struct soter_slice *line)
{
    uint32_t ends = 0;
    line->data = text->data;
    line->len = text->len;
    if (line->len != 0 && line->data[line->len - 1] == '\n') {
        line->len--;
        if (line->len != 0 && line->data[line->len - 1] == '\r') {
            line->len--;
        }
    }
    for (size_t i = 0; i < line->len; i++) {
        ends |= (uint32_t)(line->data[i] == '\n') | (uint32_t)(line->data[i] == '\r');
    }
    return ends == 0;
}

static bool decode_hex(struct soter_slice text, uint8_t *out, size_t out_len)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < out_len; i++) {
        const uint32_t high = soter_hex_digit(text.data[2 * i]);
        const uint32_t low = soter_hex_digit(text.data[2 * i + 1]);
        wrong |= (high | low) & SOTER_NO_DIGIT;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return wrong == 0;
}

enum { HEX_LEAST = 32, HEX_MOST = 128 }; /* digits; of random base64, 32 are seen once in 10^14 */

/* Whether text is the hex of a key, such as `openssl rand -hex 32` writes; time tells no more. */
static bool is_hex(struct soter_slice text)
{
    uint32_t wrong = 0;
    if (text.len < HEX_LEAST || text.len > HEX_MOST || text.len % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        wrong |= soter_hex_digit(text.data[i]) & SOTER_NO_DIGIT;
    }
    return wrong == 0;
}

#define TOO_LONG "has more than 4096 bytes; a key has no more"
#define LINES "has more than one line; one key and one line end are allowed"
#define NOT_BASE64                                                                                 \
    "is not base64 of the standard alphabet, padded with = and with unused bits of zero; is it "   \
    "hex, or raw bytes?"
#define NOT_HEX "is not hex, an even number of digits 0-9, a-f, A-F; is it base64, or raw bytes?"
#define HEX "is hex, and base64 is expected: as base64 it would be another, longer key"

static_assert(THEMIS_SECRET_TEXT_MAX == 4096, "as the text says");

/* What of the text is decoded, and to how many bytes; NULL, or else why there are none. */
static const char *
measure(const themis_secret_text *text, int encoding, struct soter_slice *body, size_t *len)
{
    if (text->len > THEMIS_SECRET_TEXT_MAX) {
        return TOO_LONG;
    }
    if (encoding == THEMIS_RAW) {
        body->data = text->data;
        *len = body->len = text->len;
        return *len != 0 ? NULL : "is empty";
    }
    if (!take_line(text, body)) {
        return LINES;
    }
    if (body->len == 0) {
        return "is empty";
    }
    if (encoding == THEMIS_HEX) {
        *len = body->len / 2;
        return body->len % 2 == 0 ? NULL : NOT_HEX;
    }
    if (is_hex(*body)) {
        return HEX;
    }
    *len = soter_base64_decoded_size(*body);
    return *len != 0 ? NULL : NOT_BASE64;
}

static bool decode(struct soter_slice body, int encoding, uint8_t *out, size_t out_len)
{
    switch (encoding) {
    case THEMIS_BASE64:
        return soter_base64_decode_exact(body, out, out_len);
    case THEMIS_HEX:
        return decode_hex(body, out, out_len);
    default:
        soter_guarded_fill(out, body.data, out_len);
        return true;
    }
}

int themis_secret_text_decode(const themis_secret_text *text,
                              int encoding,
                              themis_secret **out,
                              const char **why)
{
    struct soter_slice body = {NULL, 0};
    themis_secret *made = NULL;
    size_t len = 0;
    soter_status status = SOTER_INVALID_PARAMETER;
    *why = NULL;
    if (encoding != THEMIS_RAW && encoding != THEMIS_HEX && encoding != THEMIS_BASE64) {
        return status;
    }
    *why = measure(text, encoding, &body, &len);
    if (*why != NULL) {
        return status;
    }
    status = secret_new(len, &made);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    if (!decode(body, encoding, made->data, len)) {
        *why = encoding == THEMIS_HEX ? NOT_HEX : NOT_BASE64;
        status = SOTER_INVALID_PARAMETER;
        goto out;
    }
    status = soter_guarded_protect(made->data);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = made;
    made = NULL;
out:
    themis_secret_free(made);
    return status;
}

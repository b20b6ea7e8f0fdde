/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Cell with a key: Seal and Token Protect (specification, section 3).
 *
 * The authentication token, which Seal writes before the ciphertext and Token Protect apart:
 *
 *   0            4           8            12               16      28      44
 *   | descriptor | iv length | tag length | message length | iv    | tag   |
 *
 * The numbers are little-endian. Iv and tag always have 12 and 16 bytes: the length fields would
 * allow more, but no version ever wrote that, so nothing else is read. */
#include "themis/cell.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "themis.h"
#include "themis/cell_imprint.h"
#include "themis/cell_pieces.h"

#define LENGTH_WIDTH_096 8 /* 0.9.6 on 64-bit machines derived keys from a length of 8 bytes */

static_assert(THEMIS_CELL_TOKEN_SIZE == 4 * 4 + SOTER_AEAD_NONCE_SIZE + SOTER_AEAD_TAG_SIZE,
              "a token is four numbers, a nonce and a tag");

static soter_status cell_empty(bool compat_096, themis_cell **out)
{
    themis_cell *cell = calloc(1, sizeof *cell);
    if (cell == NULL) {
        return SOTER_NO_MEMORY;
    }
    cell->compat_096 = compat_096;
    *out = cell;
    return SOTER_SUCCESS;
}

int themis_cell_new(const uint8_t *key, size_t key_len, int compat_096, themis_cell **out)
{
    themis_cell *cell = NULL;
    soter_status status = cell_empty(compat_096 != 0, &cell);
    if (status == SOTER_SUCCESS) {
        status = themis_cell_key_init(&cell->key, key, key_len);
    }
    if (status != SOTER_SUCCESS) {
        themis_cell_free(cell);
        return status;
    }
    *out = cell;
    return SOTER_SUCCESS;
}

soter_status themis_cell_copy(const themis_cell *cell, themis_cell **out)
{
    themis_cell *copy = NULL;
    soter_status status = cell_empty(cell->compat_096, &copy);
    if (status == SOTER_SUCCESS) {
        status = soter_hmac_key_copy(cell->key.master, &copy->key.master);
    }
    if (status != SOTER_SUCCESS) {
        themis_cell_free(copy);
        return status;
    }
    *out = copy;
    return SOTER_SUCCESS;
}

void themis_cell_free(themis_cell *cell)
{
    if (cell != NULL) {
        themis_cell_key_clear(&cell->key);
        themis_cell_imprint_clear(cell);
        free(cell);
    }
}

/* The token of a new cell, but for what `nonce` and `tag` then point at. */
static soter_status write_token(uint8_t token[THEMIS_CELL_TOKEN_SIZE],
                                uint32_t message_len,
                                uint8_t **nonce,
                                uint8_t **tag)
{
    struct soter_writer writer;
    soter_writer_init(&writer, token, THEMIS_CELL_TOKEN_SIZE);
    return soter_write_u32le(&writer, THEMIS_CELL_ALGORITHM | THEMIS_CELL_KEY_BITS) &&
                   soter_write_u32le(&writer, SOTER_AEAD_NONCE_SIZE) &&
                   soter_write_u32le(&writer, SOTER_AEAD_TAG_SIZE) &&
                   soter_write_u32le(&writer, message_len) &&
                   soter_write_room(&writer, SOTER_AEAD_NONCE_SIZE, nonce) &&
                   soter_write_room(&writer, SOTER_AEAD_TAG_SIZE, tag)
               ? SOTER_SUCCESS
               : SOTER_INVALID_PARAMETER;
}

int themis_cell_protect(themis_cell *cell,
                        const uint8_t *message,
                        size_t message_len,
                        const uint8_t *context,
                        size_t context_len,
                        uint8_t *encrypted,
                        size_t encrypted_len,
                        uint8_t token[THEMIS_CELL_TOKEN_SIZE])
{
    const struct themis_cell_text text = {message, message_len, context, context_len};
    uint8_t *nonce;
    uint8_t *tag;
    soter_status status;
    if (!themis_cell_fits(message_len)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (encrypted_len < message_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    status = write_token(token, (uint32_t)message_len, &nonce, &tag);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return themis_cell_encrypt(&cell->key, &text, encrypted, nonce, tag);
}

int themis_cell_seal(themis_cell *cell,
                     const uint8_t *message,
                     size_t message_len,
                     const uint8_t *context,
                     size_t context_len,
                     uint8_t *sealed,
                     size_t sealed_len)
{
    if (!themis_cell_fits(message_len)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (sealed_len < THEMIS_CELL_TOKEN_SIZE) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    return themis_cell_protect(cell,
                               message,
                               message_len,
                               context,
                               context_len,
                               sealed + THEMIS_CELL_TOKEN_SIZE,
                               sealed_len - THEMIS_CELL_TOKEN_SIZE,
                               sealed);
}

static soter_status
read_token(const uint8_t *bytes, size_t message_len, struct themis_cell_token *token)
{
    struct soter_reader reader;
    uint32_t descriptor;
    uint32_t nonce_len;
    uint32_t tag_len;
    soter_reader_init(&reader, bytes, THEMIS_CELL_TOKEN_SIZE);
    if (!soter_read_u32le(&reader, &descriptor) || !soter_read_u32le(&reader, &nonce_len) ||
        !soter_read_u32le(&reader, &tag_len) || !soter_read_u32le(&reader, &token->message_len) ||
        !soter_read_bytes(&reader, SOTER_AEAD_NONCE_SIZE, &token->nonce) ||
        !soter_read_bytes(&reader, SOTER_AEAD_TAG_SIZE, &token->tag)) {
        return SOTER_INVALID_PARAMETER;
    }
    token->key_len = themis_cell_key_len(descriptor, THEMIS_CELL_ALGORITHM);
    token->length_width = THEMIS_CELL_LENGTH_WIDTH;
    if (token->key_len == 0 || nonce_len != SOTER_AEAD_NONCE_SIZE ||
        tag_len != SOTER_AEAD_TAG_SIZE || token->message_len != message_len) {
        return SOTER_INVALID_PARAMETER;
    }
    return SOTER_SUCCESS;
}

/* Tries the key as it is derived now, and then as 0.9.6 did. A try that fails wipes the place of
 * its result: where the ciphertext lies there, a copy of it is for the second. */
static soter_status decrypt_either(themis_cell *cell,
                                   struct themis_cell_token *fields,
                                   struct themis_cell_text text,
                                   uint8_t *message)
{
    uint8_t *copy = NULL; /* public */
    soter_status status;
    if (text.data == message) {
        copy = malloc(text.len);
        if (copy == NULL) {
            return SOTER_NO_MEMORY;
        }
        memcpy(copy, text.data, text.len);
    }
    status = themis_cell_decrypt(&cell->key, fields, &text, message);
    if (status == SOTER_FAIL) {
        if (copy != NULL) {
            text.data = copy;
        }
        fields->length_width = LENGTH_WIDTH_096;
        status = themis_cell_decrypt(&cell->key, fields, &text, message);
    }
    free(copy);
    return status;
}

int themis_cell_unprotect(themis_cell *cell,
                          const uint8_t *encrypted,
                          size_t encrypted_len,
                          const uint8_t *token,
                          const uint8_t *context,
                          size_t context_len,
                          uint8_t *message,
                          size_t message_len)
{
    const struct themis_cell_text text = {encrypted, encrypted_len, context, context_len};
    struct themis_cell_token fields;
    soter_status status;
    if (!themis_cell_fits(encrypted_len)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (message_len < encrypted_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    status = read_token(token, encrypted_len, &fields);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return cell->compat_096 ? decrypt_either(cell, &fields, text, message)
                            : themis_cell_decrypt(&cell->key, &fields, &text, message);
}

int themis_cell_unseal(themis_cell *cell,
                       const uint8_t *sealed,
                       size_t sealed_len,
                       const uint8_t *context,
                       size_t context_len,
                       uint8_t *message,
                       size_t message_len)
{
    if (sealed_len <= THEMIS_CELL_TOKEN_SIZE) {
        return SOTER_INVALID_PARAMETER;
    }
    return themis_cell_unprotect(cell,
                                 sealed + THEMIS_CELL_TOKEN_SIZE,
                                 sealed_len - THEMIS_CELL_TOKEN_SIZE,
                                 sealed,
                                 context,
                                 context_len,
                                 message,
                                 message_len);
}

/* ---- In pieces ---- */

int themis_cell_writer_new(themis_cell *cell,
                           size_t message_len,
                           const uint8_t *context,
                           size_t context_len,
                           themis_cell_writer **out)
{
    const struct themis_cell_text text = {NULL, message_len, context, context_len};
    struct themis_cell_head head = {.token_len = THEMIS_CELL_TOKEN_SIZE};
    soter_status status;
    if (!themis_cell_fits(message_len)) {
        return SOTER_INVALID_PARAMETER;
    }
    status = write_token(head.token, (uint32_t)message_len, &head.nonce, &head.tag);
    return status == SOTER_SUCCESS ? themis_cell_writer_start(&cell->key, &text, &head, out)
                                   : status;
}

int themis_cell_reader_new(const themis_cell *cell,
                           const uint8_t token[THEMIS_CELL_TOKEN_SIZE],
                           uint64_t sealed_len,
                           const uint8_t *context,
                           size_t context_len,
                           themis_cell_reader **out)
{
    struct themis_cell_text text = {NULL, 0, context, context_len};
    struct themis_cell_token fields;
    soter_status status;
    if (sealed_len <= THEMIS_CELL_TOKEN_SIZE ||
        sealed_len - THEMIS_CELL_TOKEN_SIZE > THEMIS_CELL_MESSAGE_MAX) {
        return SOTER_INVALID_PARAMETER;
    }
    text.len = (size_t)(sealed_len - THEMIS_CELL_TOKEN_SIZE);
    status = read_token(token, text.len, &fields);
    return status == SOTER_SUCCESS ? themis_cell_reader_start(&cell->key, &text, &fields, out)
                                   : status;
}

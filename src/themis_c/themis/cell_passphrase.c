/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Cell Seal with a passphrase (specification, section 3). Before the ciphertext is
 *
 *   0            4           8            12               16                   20
 *   | descriptor | iv length | tag length | message length | KDF context length | iv | tag | KDF |
 *
 * with a KDF context of
 *
 *   0            4             6
 *   | iterations | salt length | salt ... |
 *
 * All numbers are little-endian. We write 16 bytes of salt and read any number. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "soter/locked.h"
#include "soter/pbkdf2.h"
#include "soter/rand.h"
#include "soter/wipe.h"
#include "themis.h"
#include "themis/cell_gcm.h"
#include "themis/cell_pieces.h"

#define SALT_SIZE 16
#define KDF_FIXED_SIZE 6
#define KDF_CONTEXT_SIZE (KDF_FIXED_SIZE + SALT_SIZE)

static_assert(THEMIS_PASSPHRASE_TOKEN_SIZE ==
                  5 * 4 + SOTER_AEAD_NONCE_SIZE + SOTER_AEAD_TAG_SIZE + KDF_CONTEXT_SIZE,
              "a token is five numbers, a nonce, a tag and the KDF context");

struct themis_passphrase {
    uint8_t *bytes;
    size_t len;
    uint32_t iterations; /* what is written; the bounds are for reading */
    uint32_t min_iterations;
    uint32_t max_iterations;
};

int themis_passphrase_new(const uint8_t *passphrase,
                          size_t passphrase_len,
                          uint32_t iterations,
                          uint32_t min_iterations,
                          uint32_t max_iterations,
                          themis_passphrase **out)
{
    themis_passphrase *made;
    if (passphrase == NULL || passphrase_len == 0 || min_iterations == 0 ||
        min_iterations > iterations || iterations > max_iterations ||
        max_iterations > THEMIS_PASSPHRASE_ITERATIONS_LIMIT) {
        return SOTER_INVALID_PARAMETER;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    made->bytes = soter_locked_new(passphrase_len);
    if (made->bytes == NULL) {
        free(made);
        return SOTER_NO_MEMORY;
    }
    memcpy(made->bytes, passphrase, passphrase_len);
    made->len = passphrase_len;
    made->iterations = iterations;
    made->min_iterations = min_iterations;
    made->max_iterations = max_iterations;
    *out = made;
    return SOTER_SUCCESS;
}

void themis_passphrase_free(themis_passphrase *passphrase)
{
    if (passphrase != NULL) {
        soter_locked_free(passphrase->bytes, passphrase->len);
        free(passphrase);
    }
}

/* ---- What a cell says ---- */

/* A sealed message taken apart; everything is borrowed from it. */
struct sealed_parts {
    struct themis_cell_token token;
    uint32_t iterations;
    struct soter_slice salt;
    const uint8_t *encrypted; /* token.message_len bytes */
};

static bool read_kdf_context(struct soter_reader reader, struct sealed_parts *parts)
{
    uint16_t salt_len;
    if (!soter_read_u32le(&reader, &parts->iterations) || !soter_read_u16le(&reader, &salt_len) ||
        !soter_read_bytes(&reader, salt_len, &parts->salt.data)) {
        return false;
    }
    parts->salt.len = salt_len;
    return reader.left == 0 && parts->iterations >= 1 &&
           parts->iterations <= THEMIS_PASSPHRASE_ITERATIONS_LIMIT;
}

/* What stands before the ciphertext; the reader is left there. */
static soter_status read_head(struct soter_reader *reader, struct sealed_parts *parts)
{
    struct themis_cell_token *token = &parts->token;
    struct soter_reader kdf_context;
    uint32_t descriptor;
    uint32_t nonce_len;
    uint32_t tag_len;
    uint32_t kdf_context_len;
    if (!soter_read_u32le(reader, &descriptor) || !soter_read_u32le(reader, &nonce_len) ||
        !soter_read_u32le(reader, &tag_len) || !soter_read_u32le(reader, &token->message_len) ||
        !soter_read_u32le(reader, &kdf_context_len) ||
        !soter_read_bytes(reader, SOTER_AEAD_NONCE_SIZE, &token->nonce) ||
        !soter_read_bytes(reader, SOTER_AEAD_TAG_SIZE, &token->tag) ||
        !soter_read_part(reader, kdf_context_len, &kdf_context)) {
        return SOTER_INVALID_PARAMETER;
    }
    token->key_len = themis_cell_key_len(descriptor, THEMIS_CELL_ALGORITHM_PASSPHRASE);
    token->length_width = THEMIS_CELL_LENGTH_WIDTH;
    if (token->key_len == 0 || nonce_len != SOTER_AEAD_NONCE_SIZE ||
        tag_len != SOTER_AEAD_TAG_SIZE || token->message_len == 0 ||
        !read_kdf_context(kdf_context, parts)) {
        return SOTER_INVALID_PARAMETER;
    }
    return SOTER_SUCCESS;
}

static soter_status read_parts(const uint8_t *sealed, size_t sealed_len, struct sealed_parts *parts)
{
    struct soter_reader reader;
    soter_status status;
    soter_reader_init(&reader, sealed, sealed_len);
    status = read_head(&reader, parts);
    if (status == SOTER_SUCCESS &&
        (!soter_read_bytes(&reader, parts->token.message_len, &parts->encrypted) ||
         reader.left != 0)) {
        status = SOTER_INVALID_PARAMETER;
    }
    return status;
}

/* The same of a file, of which only the start is here. */
static soter_status
read_start(const uint8_t *start, size_t start_len, uint64_t sealed_len, struct sealed_parts *parts)
{
    struct soter_reader reader;
    soter_status status;
    soter_reader_init(&reader, start, start_len);
    status = read_head(&reader, parts);
    if (status == SOTER_SUCCESS &&
        sealed_len != (uint64_t)(start_len - reader.left) + parts->token.message_len) {
        status = SOTER_INVALID_PARAMETER;
    }
    return status;
}

static soter_status in_bounds(const themis_passphrase *passphrase, const struct sealed_parts *parts)
{
    return parts->iterations >= passphrase->min_iterations &&
                   parts->iterations <= passphrase->max_iterations
               ? SOTER_SUCCESS
               : SOTER_NOT_SUPPORTED;
}

/* A whole cell, whose iterations are in bounds. */
static soter_status read_sealed(const themis_passphrase *passphrase,
                                const uint8_t *sealed,
                                size_t sealed_len,
                                struct sealed_parts *parts)
{
    const soter_status status = read_parts(sealed, sealed_len, parts);
    return status == SOTER_SUCCESS ? in_bounds(passphrase, parts) : status;
}

void themis_passphrase_bounds(const themis_passphrase *passphrase,
                              const uint8_t *sealed,
                              size_t sealed_len,
                              uint32_t bounds[3])
{
    struct sealed_parts parts;
    struct soter_reader reader;
    soter_status status;
    soter_reader_init(&reader, sealed, sealed_len);
    status = read_head(&reader, &parts); /* of a file this may be all that is here */
    bounds[0] = status == SOTER_SUCCESS ? parts.iterations : 0;
    bounds[1] = passphrase->min_iterations;
    bounds[2] = passphrase->max_iterations;
}

int themis_passphrase_message_size(const themis_passphrase *passphrase,
                                   const uint8_t *sealed,
                                   size_t sealed_len,
                                   size_t *message_len)
{
    struct sealed_parts parts;
    soter_status status = read_sealed(passphrase, sealed, sealed_len, &parts);
    *message_len = status == SOTER_SUCCESS ? parts.token.message_len : 0;
    return status;
}

/* ---- From a passphrase to a key ---- */

/* The work, and what a new cell has to say about it. */
struct themis_stretch {
    soter_pbkdf2 *work;
    bool is_to_seal;
    uint32_t iterations;
    uint8_t salt[SALT_SIZE]; /* public */
};

static soter_status stretch_new(const themis_passphrase *passphrase,
                                struct soter_slice salt,
                                uint32_t iterations,
                                themis_stretch **out)
{
    const struct soter_slice bytes = {passphrase->bytes, passphrase->len};
    soter_status status;
    themis_stretch *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_pbkdf2_new(bytes, salt, iterations, &made->work);
    if (status != SOTER_SUCCESS) {
        free(made);
        return status;
    }
    made->iterations = iterations;
    *out = made;
    return SOTER_SUCCESS;
}

int themis_stretch_to_seal(const themis_passphrase *passphrase, themis_stretch **out)
{
    uint8_t salt[SALT_SIZE]; /* public */
    soter_status status = soter_rand_public(salt, sizeof salt);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = stretch_new(passphrase,
                         (struct soter_slice){salt, sizeof salt},
                         passphrase->iterations,
                         out);
    if (status == SOTER_SUCCESS) {
        (*out)->is_to_seal = true;
        memcpy((*out)->salt, salt, sizeof salt);
    }
    return status;
}

int themis_stretch_to_unseal(const themis_passphrase *passphrase,
                             const uint8_t *sealed,
                             size_t sealed_len,
                             themis_stretch **out)
{
    struct sealed_parts parts;
    const soter_status status = read_sealed(passphrase, sealed, sealed_len, &parts);
    return status == SOTER_SUCCESS ? stretch_new(passphrase, parts.salt, parts.iterations, out)
                                   : status;
}

int themis_stretch_to_read(const themis_passphrase *passphrase,
                           const uint8_t *start,
                           size_t start_len,
                           uint64_t sealed_len,
                           themis_stretch **out)
{
    struct sealed_parts parts;
    soter_status status = read_start(start, start_len, sealed_len, &parts);
    if (status == SOTER_SUCCESS) {
        status = in_bounds(passphrase, &parts);
    }
    return status == SOTER_SUCCESS ? stretch_new(passphrase, parts.salt, parts.iterations, out)
                                   : status;
}

int themis_stretch_work(themis_stretch *stretch, uint32_t most, uint32_t *left)
{
    return soter_pbkdf2_work(stretch->work, most, left);
}

void themis_stretch_free(themis_stretch *stretch)
{
    if (stretch != NULL) {
        soter_pbkdf2_free(stretch->work);
        free(stretch);
    }
}

/* The master key that came of the work. */
static soter_status stretched_key(const themis_stretch *stretch, struct themis_cell_key *key)
{
    uint8_t pre_key[SOTER_PBKDF2_SIZE] = {0};
    soter_status status = soter_pbkdf2_finish(stretch->work, pre_key);
    if (status == SOTER_SUCCESS) {
        status = themis_cell_key_init(key, pre_key, sizeof pre_key);
    }
    soter_wipe(pre_key, sizeof pre_key);
    return status;
}

static soter_status stretch_at_once(themis_stretch *stretch)
{
    uint32_t left;
    return themis_stretch_work(stretch, UINT32_MAX, &left);
}

/* ---- Writing ---- */

static bool has_room(size_t message_len, size_t sealed_len)
{
    return sealed_len >= THEMIS_PASSPHRASE_TOKEN_SIZE &&
           sealed_len - THEMIS_PASSPHRASE_TOKEN_SIZE >= message_len;
}

/* The token of a new cell, but for what `nonce` and `tag` then point at. */
static soter_status write_token(const themis_stretch *stretch,
                                uint8_t token[THEMIS_PASSPHRASE_TOKEN_SIZE],
                                uint32_t message_len,
                                uint8_t **nonce,
                                uint8_t **tag)
{
    struct soter_writer writer;
    soter_writer_init(&writer, token, THEMIS_PASSPHRASE_TOKEN_SIZE);
    return soter_write_u32le(&writer, THEMIS_CELL_ALGORITHM_PASSPHRASE | THEMIS_CELL_KEY_BITS) &&
                   soter_write_u32le(&writer, SOTER_AEAD_NONCE_SIZE) &&
                   soter_write_u32le(&writer, SOTER_AEAD_TAG_SIZE) &&
                   soter_write_u32le(&writer, message_len) &&
                   soter_write_u32le(&writer, KDF_CONTEXT_SIZE) &&
                   soter_write_room(&writer, SOTER_AEAD_NONCE_SIZE, nonce) &&
                   soter_write_room(&writer, SOTER_AEAD_TAG_SIZE, tag) &&
                   soter_write_u32le(&writer, stretch->iterations) &&
                   soter_write_u16le(&writer, SALT_SIZE) &&
                   soter_write_bytes(&writer, stretch->salt, SALT_SIZE)
               ? SOTER_SUCCESS
               : SOTER_INVALID_PARAMETER;
}

int themis_stretched_seal(const themis_stretch *stretch,
                          const uint8_t *message,
                          size_t message_len,
                          const uint8_t *context,
                          size_t context_len,
                          uint8_t *sealed,
                          size_t sealed_len)
{
    const struct themis_cell_text text = {message, message_len, context, context_len};
    soter_status status;
    struct themis_cell_key key = {0};
    uint8_t *nonce;
    uint8_t *tag;
    if (!stretch->is_to_seal || !themis_cell_fits(message_len)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (!has_room(message_len, sealed_len)) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    status = stretched_key(stretch, &key);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = write_token(stretch, sealed, (uint32_t)message_len, &nonce, &tag);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = themis_cell_encrypt(&key, &text, sealed + THEMIS_PASSPHRASE_TOKEN_SIZE, nonce, tag);
out:
    themis_cell_key_clear(&key);
    return status;
}

int themis_passphrase_seal(const themis_passphrase *passphrase,
                           const uint8_t *message,
                           size_t message_len,
                           const uint8_t *context,
                           size_t context_len,
                           uint8_t *sealed,
                           size_t sealed_len)
{
    themis_stretch *stretch = NULL;
    soter_status status;
    if (!themis_cell_fits(message_len)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (!has_room(message_len, sealed_len)) {
        return SOTER_BUFFER_TOO_SMALL; /* before the work */
    }
    status = themis_stretch_to_seal(passphrase, &stretch);
    if (status == SOTER_SUCCESS) {
        status = stretch_at_once(stretch);
    }
    if (status == SOTER_SUCCESS) {
        status = themis_stretched_seal(stretch,
                                       message,
                                       message_len,
                                       context,
                                       context_len,
                                       sealed,
                                       sealed_len);
    }
    themis_stretch_free(stretch);
    return status;
}

/* ---- Reading ---- */

int themis_stretched_unseal(const themis_passphrase *passphrase,
                            const themis_stretch *stretch,
                            const uint8_t *sealed,
                            size_t sealed_len,
                            const uint8_t *context,
                            size_t context_len,
                            uint8_t *message,
                            size_t message_len)
{
    struct sealed_parts parts;
    struct themis_cell_key key = {0};
    soter_status status = read_sealed(passphrase, sealed, sealed_len, &parts);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (stretch->is_to_seal || parts.token.message_len != message_len) {
        return SOTER_INVALID_PARAMETER;
    }
    status = stretched_key(stretch, &key);
    if (status == SOTER_SUCCESS) {
        const struct themis_cell_text text = {parts.encrypted, message_len, context, context_len};
        status = themis_cell_decrypt(&key, &parts.token, &text, message);
    }
    themis_cell_key_clear(&key);
    return status;
}

int themis_passphrase_unseal(const themis_passphrase *passphrase,
                             const uint8_t *sealed,
                             size_t sealed_len,
                             const uint8_t *context,
                             size_t context_len,
                             uint8_t *message,
                             size_t message_len)
{
    themis_stretch *stretch = NULL;
    size_t size;
    soter_status status = themis_passphrase_message_size(passphrase, sealed, sealed_len, &size);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (size != message_len) {
        return SOTER_INVALID_PARAMETER; /* before the work */
    }
    status = themis_stretch_to_unseal(passphrase, sealed, sealed_len, &stretch);
    if (status == SOTER_SUCCESS) {
        status = stretch_at_once(stretch);
    }
    if (status == SOTER_SUCCESS) {
        status = themis_stretched_unseal(passphrase,
                                         stretch,
                                         sealed,
                                         sealed_len,
                                         context,
                                         context_len,
                                         message,
                                         message_len);
    }
    themis_stretch_free(stretch);
    return status;
}

/* ---- In pieces ---- */

int themis_stretched_writer(const themis_stretch *stretch,
                            size_t message_len,
                            const uint8_t *context,
                            size_t context_len,
                            themis_cell_writer **out)
{
    const struct themis_cell_text text = {NULL, message_len, context, context_len};
    struct themis_cell_head head = {.token_len = THEMIS_PASSPHRASE_TOKEN_SIZE};
    struct themis_cell_key key = {0};
    soter_status status;
    if (!stretch->is_to_seal || !themis_cell_fits(message_len)) {
        return SOTER_INVALID_PARAMETER;
    }
    status = write_token(stretch, head.token, (uint32_t)message_len, &head.nonce, &head.tag);
    if (status == SOTER_SUCCESS) {
        status = stretched_key(stretch, &key);
    }
    if (status == SOTER_SUCCESS) {
        status = themis_cell_writer_start(&key, &text, &head, out);
    }
    themis_cell_key_clear(&key);
    return status;
}

int themis_stretched_reader(const themis_stretch *stretch,
                            const uint8_t *start,
                            size_t start_len,
                            uint64_t sealed_len,
                            const uint8_t *context,
                            size_t context_len,
                            themis_cell_reader **out)
{
    struct themis_cell_text text = {NULL, 0, context, context_len};
    struct themis_cell_key key = {0};
    struct sealed_parts parts;
    soter_status status = read_start(start, start_len, sealed_len, &parts);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (stretch->is_to_seal) {
        return SOTER_INVALID_PARAMETER;
    }
    text.len = parts.token.message_len;
    status = stretched_key(stretch, &key);
    if (status == SOTER_SUCCESS) {
        status = themis_cell_reader_start(&key, &text, &parts.token, out);
    }
    themis_cell_key_clear(&key);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Cell Seal with a passphrase (specification, section 3). Before the ciphertext stands
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

#include "soter/rand.h"
#include "soter/wipe.h"
#include "themis.h"
#include "themis/cell.h"

#define ITERATIONS UINT32_C(314110) /* what we write */
#define SALT_SIZE 16
#define KDF_FIXED_SIZE 6
#define KDF_CONTEXT_SIZE (KDF_FIXED_SIZE + SALT_SIZE)
#define PRE_KEY_SIZE 32

static_assert(THEMIS_PASSPHRASE_TOKEN_SIZE ==
                  5 * 4 + SOTER_AEAD_NONCE_SIZE + SOTER_AEAD_TAG_SIZE + KDF_CONTEXT_SIZE,
              "a token is five numbers, a nonce, a tag and the KDF context");

struct themis_passphrase {
    uint8_t *bytes;
    size_t len;
    uint32_t max_iterations;
};

int themis_passphrase_new(const uint8_t *passphrase,
                          size_t passphrase_len,
                          uint32_t max_iterations,
                          themis_passphrase **out)
{
    themis_passphrase *made;
    if (passphrase == NULL || passphrase_len == 0 || max_iterations == 0) {
        return SOTER_INVALID_PARAMETER;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    made->bytes = malloc(passphrase_len);
    if (made->bytes == NULL) {
        free(made);
        return SOTER_NO_MEMORY;
    }
    memcpy(made->bytes, passphrase, passphrase_len);
    made->len = passphrase_len;
    made->max_iterations = max_iterations;
    *out = made;
    return SOTER_SUCCESS;
}

void themis_passphrase_free(themis_passphrase *passphrase)
{
    if (passphrase != NULL) {
        soter_wipe_free(passphrase->bytes, passphrase->len);
        free(passphrase);
    }
}

/* The master key that a passphrase stands for with this salt. */
static soter_status stretch(const themis_passphrase *passphrase,
                            struct soter_slice salt,
                            uint32_t iterations,
                            struct themis_cell_key *key)
{
    const struct soter_slice bytes = {passphrase->bytes, passphrase->len};
    uint8_t pre_key[PRE_KEY_SIZE] = {0};
    soter_status status = soter_pbkdf2(bytes, salt, iterations, pre_key);
    if (status == SOTER_SUCCESS) {
        status = themis_cell_key_init(key, pre_key, sizeof pre_key);
    }
    soter_wipe(pre_key, sizeof pre_key);
    return status;
}

int themis_passphrase_seal(const themis_passphrase *passphrase,
                           const uint8_t *message,
                           size_t message_len,
                           const uint8_t *context,
                           size_t context_len,
                           uint8_t *sealed)
{
    const struct themis_cell_text text = {message, message_len, context, context_len};
    soter_status status;
    struct themis_cell_key key = {0};
    struct soter_writer writer;
    uint8_t *nonce;
    uint8_t *tag;
    uint8_t *salt;
    soter_writer_init(&writer, sealed, THEMIS_PASSPHRASE_TOKEN_SIZE);
    if (!themis_cell_fits(message_len) ||
        !soter_write_u32le(&writer, THEMIS_CELL_ALGORITHM_PASSPHRASE | THEMIS_CELL_KEY_BITS) ||
        !soter_write_u32le(&writer, SOTER_AEAD_NONCE_SIZE) ||
        !soter_write_u32le(&writer, SOTER_AEAD_TAG_SIZE) ||
        !soter_write_u32le(&writer, (uint32_t)message_len) ||
        !soter_write_u32le(&writer, KDF_CONTEXT_SIZE) ||
        !soter_write_room(&writer, SOTER_AEAD_NONCE_SIZE, &nonce) ||
        !soter_write_room(&writer, SOTER_AEAD_TAG_SIZE, &tag) ||
        !soter_write_u32le(&writer, ITERATIONS) || !soter_write_u16le(&writer, SALT_SIZE) ||
        !soter_write_room(&writer, SALT_SIZE, &salt)) {
        return SOTER_INVALID_PARAMETER;
    }
    status = soter_rand_public(salt, SALT_SIZE);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = stretch(passphrase, (struct soter_slice){salt, SALT_SIZE}, ITERATIONS, &key);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = themis_cell_encrypt(&key, &text, sealed + THEMIS_PASSPHRASE_TOKEN_SIZE, nonce, tag);
out:
    themis_cell_key_clear(&key);
    return status;
}

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

static soter_status read_sealed(const themis_passphrase *passphrase,
                                const uint8_t *sealed,
                                size_t sealed_len,
                                struct sealed_parts *parts)
{
    struct themis_cell_token *token = &parts->token;
    struct soter_reader reader;
    struct soter_reader kdf_context;
    uint32_t descriptor;
    uint32_t nonce_len;
    uint32_t tag_len;
    uint32_t kdf_context_len;
    soter_reader_init(&reader, sealed, sealed_len);
    if (!soter_read_u32le(&reader, &descriptor) || !soter_read_u32le(&reader, &nonce_len) ||
        !soter_read_u32le(&reader, &tag_len) || !soter_read_u32le(&reader, &token->message_len) ||
        !soter_read_u32le(&reader, &kdf_context_len) ||
        !soter_read_bytes(&reader, SOTER_AEAD_NONCE_SIZE, &token->nonce) ||
        !soter_read_bytes(&reader, SOTER_AEAD_TAG_SIZE, &token->tag) ||
        !soter_read_part(&reader, kdf_context_len, &kdf_context)) {
        return SOTER_INVALID_PARAMETER;
    }
    token->key_len = themis_cell_key_len(descriptor, THEMIS_CELL_ALGORITHM_PASSPHRASE);
    token->length_width = THEMIS_CELL_LENGTH_WIDTH;
    if (token->key_len == 0 || nonce_len != SOTER_AEAD_NONCE_SIZE ||
        tag_len != SOTER_AEAD_TAG_SIZE || token->message_len == 0 ||
        !soter_read_bytes(&reader, token->message_len, &parts->encrypted) || reader.left != 0 ||
        !read_kdf_context(kdf_context, parts)) {
        return SOTER_INVALID_PARAMETER;
    }
    return parts->iterations <= passphrase->max_iterations ? SOTER_SUCCESS : SOTER_NOT_SUPPORTED;
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

int themis_passphrase_unseal(const themis_passphrase *passphrase,
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
    if (parts.token.message_len != message_len) {
        return SOTER_INVALID_PARAMETER;
    }
    status = stretch(passphrase, parts.salt, parts.iterations, &key);
    if (status == SOTER_SUCCESS) {
        const struct themis_cell_text text = {parts.encrypted,
                                              parts.token.message_len,
                                              context,
                                              context_len};
        status = themis_cell_decrypt(&key, &parts.token, &text, message);
    }
    themis_cell_key_clear(&key);
    return status;
}

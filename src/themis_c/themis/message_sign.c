/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Message, signed (specification, section 4):
 *
 *   0      4                8                  12
 *   | type | message length | signature length | message ... | signature ... |
 *
 * The numbers are little-endian. The signature is over the message alone. What follows it is
 * ignored, because some wrappers of the past sent a few bytes too many. */
#include <assert.h>
#include <stdlib.h>

#include "soter/bytes.h"
#include "soter/key_container.h"
#include "soter/sign.h"
#include "themis.h"

static_assert(THEMIS_SIGNED_HEADER_SIZE == 3 * 4, "a header is three numbers");

struct themis_signer {
    soter_sign_key *key;
    uint32_t type;
};

struct themis_verifier {
    soter_sign_key *key;
    uint32_t type;
};

/* Reads and prepares this half of a key, and tells the type of the messages that it is for. */
static soter_status prepare(const uint8_t *key,
                            size_t key_len,
                            bool is_private,
                            soter_sign_key **prepared,
                            uint32_t *type)
{
    soter_key *read = NULL;
    soter_status status = soter_key_read_half(key, key_len, is_private, &read);
    if (status == SOTER_SUCCESS) {
        *type = soter_key_kind(read)->algorithm == SOTER_KEY_EC ? THEMIS_MESSAGE_EC_SIGNED
                                                                : THEMIS_MESSAGE_RSA_SIGNED;
        status = soter_sign_key_new(read, prepared);
    }
    soter_key_free(read);
    return status;
}

int themis_signer_new(const uint8_t *private_key, size_t private_key_len, themis_signer **out)
{
    soter_status status;
    themis_signer *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = prepare(private_key, private_key_len, true, &made->key, &made->type);
    if (status == SOTER_SUCCESS) {
        *out = made;
        made = NULL;
    }
    themis_signer_free(made);
    return status;
}

void themis_signer_free(themis_signer *signer)
{
    if (signer != NULL) {
        soter_sign_key_free(signer->key);
        free(signer);
    }
}

size_t themis_signer_signature_max(const themis_signer *signer)
{
    return soter_signature_max_size(signer->key);
}

int themis_signer_sign(const themis_signer *signer,
                       const uint8_t *message,
                       size_t message_len,
                       uint8_t header[THEMIS_SIGNED_HEADER_SIZE],
                       uint8_t *signature,
                       size_t *signature_len)
{
    const struct soter_slice part = {message, message_len};
    struct soter_writer writer;
    soter_status status;
    if (message_len == 0 || (uint64_t)message_len > UINT32_MAX) {
        return SOTER_INVALID_PARAMETER;
    }
    if (*signature_len < soter_signature_max_size(signer->key)) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    status = soter_sign(signer->key, &part, 1, signature, signature_len);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    soter_writer_init(&writer, header, THEMIS_SIGNED_HEADER_SIZE);
    if (!soter_write_u32le(&writer, signer->type) ||
        !soter_write_u32le(&writer, (uint32_t)message_len) ||
        !soter_write_u32le(&writer, (uint32_t)*signature_len)) {
        return SOTER_FAIL;
    }
    return SOTER_SUCCESS;
}

int themis_verifier_new(const uint8_t *public_key, size_t public_key_len, themis_verifier **out)
{
    soter_status status;
    themis_verifier *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = prepare(public_key, public_key_len, false, &made->key, &made->type);
    if (status == SOTER_SUCCESS) {
        *out = made;
        made = NULL;
    }
    themis_verifier_free(made);
    return status;
}

void themis_verifier_free(themis_verifier *verifier)
{
    if (verifier != NULL) {
        soter_sign_key_free(verifier->key);
        free(verifier);
    }
}

int themis_verifier_type(const themis_verifier *verifier)
{
    return (int)verifier->type;
}

int themis_verifier_verify(const themis_verifier *verifier,
                           const uint8_t *signed_message,
                           size_t signed_message_len,
                           size_t *message_len)
{
    struct soter_reader reader;
    uint32_t type;
    uint32_t part_len;
    uint32_t signature_len;
    const uint8_t *signature;
    struct soter_slice part;
    soter_status status;
    soter_reader_init(&reader, signed_message, signed_message_len);
    if (!soter_read_u32le(&reader, &type) || type != verifier->type ||
        !soter_read_u32le(&reader, &part_len) || !soter_read_u32le(&reader, &signature_len) ||
        part_len == 0 || !soter_read_bytes(&reader, part_len, &part.data) ||
        !soter_read_bytes(&reader, signature_len, &signature)) {
        return SOTER_INVALID_PARAMETER;
    }
    part.len = part_len;
    status = soter_verify(verifier->key, &part, 1, signature, signature_len);
    if (status == SOTER_SUCCESS) {
        *message_len = part.len;
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Message, encrypted (specification, section 4). With EC keys:
 *
 *   0      4              8
 *   | type | total length | Seal under the agreed secret ... |
 *
 * and with RSA keys, where anyone can make one, because the sender's key has no part in it:
 *
 *   0      4              8                12
 *   | type | total length | wrapped length | OAEP of a fresh secret | Seal under that secret ... |
 *
 * The numbers are little-endian. The total counts everything from the type on. */
#include <assert.h>
#include <stdlib.h>

#include "soter/bytes.h"
#include "soter/ecdh.h"
#include "soter/key_container.h"
#include "soter/oaep.h"
#include "soter/rand.h"
#include "soter/wipe.h"
#include "themis.h"

#define EC_HEADER_SIZE 8
#define RSA_HEADER_SIZE 12
#define RSA_SECRET_SIZE 70

static_assert(RSA_SECRET_SIZE <= SOTER_OAEP_SECRET_MAX_SIZE, "the shortest key takes a secret");

/* With EC keys the cell alone is there, with RSA keys all but the cell. */
struct themis_message {
    themis_cell *cell;
    soter_oaep_key *wrapper;
    soter_oaep_key *unwrapper;
};

int themis_message_type(const uint8_t *message, size_t message_len)
{
    struct soter_reader reader;
    uint32_t type;
    soter_reader_init(&reader, message, message_len);
    if (!soter_read_u32le(&reader, &type)) {
        return THEMIS_MESSAGE_UNKNOWN;
    }
    switch (type) {
    case THEMIS_MESSAGE_EC_SIGNED:
    case THEMIS_MESSAGE_RSA_SIGNED:
    case THEMIS_MESSAGE_EC_ENCRYPTED:
    case THEMIS_MESSAGE_RSA_ENCRYPTED:
        return (int)type;
    default:
        return THEMIS_MESSAGE_UNKNOWN;
    }
}

/* The secret of two EC keys is the master key of a cell: agreed upon once, here. */
static soter_status
agree(const soter_key *private_key, const soter_key *public_key, themis_cell **cell)
{
    uint8_t secret[SOTER_ECDH_MAX_SIZE] = {0};
    const size_t secret_len = soter_ecdh_size(private_key);
    soter_status status = soter_ecdh(private_key, public_key, secret, secret_len);
    if (status == SOTER_SUCCESS) {
        status = themis_cell_new(secret, secret_len, 0, cell);
    }
    soter_wipe(secret, sizeof secret);
    return status;
}

static soter_status
fill(themis_message *message, const soter_key *private_key, const soter_key *public_key)
{
    soter_status status;
    if (soter_key_kind(private_key)->algorithm != soter_key_kind(public_key)->algorithm) {
        return SOTER_INVALID_PARAMETER;
    }
    if (soter_key_is_ec(private_key, true)) {
        return agree(private_key, public_key, &message->cell);
    }
    status = soter_oaep_key_new(private_key, &message->unwrapper);
    if (status == SOTER_SUCCESS) {
        status = soter_oaep_key_new(public_key, &message->wrapper);
    }
    return status;
}

int themis_message_new(const uint8_t *private_key,
                       size_t private_key_len,
                       const uint8_t *public_key,
                       size_t public_key_len,
                       themis_message **out)
{
    soter_key *ours = NULL;
    soter_key *theirs = NULL;
    themis_message *made = NULL;
    soter_status status = soter_key_read_half(private_key, private_key_len, true, &ours);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_key_read_half(public_key, public_key_len, false, &theirs);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        status = SOTER_NO_MEMORY;
        goto out;
    }
    status = fill(made, ours, theirs);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = made;
    made = NULL;
out:
    themis_message_free(made);
    soter_key_free(theirs);
    soter_key_free(ours);
    return status;
}

void themis_message_free(themis_message *message)
{
    if (message != NULL) {
        themis_cell_free(message->cell);
        soter_oaep_key_free(message->wrapper);
        soter_oaep_key_free(message->unwrapper);
        free(message);
    }
}

int themis_message_own_type(const themis_message *message)
{
    return message->cell != NULL ? THEMIS_MESSAGE_EC_ENCRYPTED : THEMIS_MESSAGE_RSA_ENCRYPTED;
}

size_t themis_message_wrap_growth(const themis_message *message)
{
    return THEMIS_CELL_TOKEN_SIZE +
           (message->cell != NULL ? EC_HEADER_SIZE
                                  : RSA_HEADER_SIZE + soter_oaep_wrapped_size(message->wrapper));
}

size_t themis_message_unwrap_growth(const themis_message *message)
{
    return THEMIS_CELL_TOKEN_SIZE +
           (message->cell != NULL ? EC_HEADER_SIZE
                                  : RSA_HEADER_SIZE + soter_oaep_wrapped_size(message->unwrapper));
}

/* A secret of the message's own, to `wrapped` for the peer, and the data in a cell under it. */
static soter_status wrap_rsa(const themis_message *message,
                             struct soter_slice data,
                             uint8_t *wrapped,
                             struct soter_writer *sealed)
{
    uint8_t secret[RSA_SECRET_SIZE] = {0};
    themis_cell *cell = NULL;
    soter_status status = soter_rand_secret(secret, sizeof secret);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_oaep_wrap(message->wrapper, secret, sizeof secret, wrapped);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = themis_cell_new(secret, sizeof secret, 0, &cell);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = themis_cell_seal(cell, data.data, data.len, NULL, 0, sealed->at, sealed->left);
out:
    themis_cell_free(cell);
    soter_wipe(secret, sizeof secret);
    return status;
}

int themis_message_wrap(themis_message *message,
                        const uint8_t *data,
                        size_t data_len,
                        uint8_t *wrapped,
                        size_t wrapped_len)
{
    const size_t growth = themis_message_wrap_growth(message);
    struct soter_writer writer;
    uint8_t *oaep;
    size_t oaep_len;
    if (data_len == 0 || (uint64_t)data_len > UINT32_MAX - growth) {
        return SOTER_INVALID_PARAMETER;
    }
    if (wrapped_len < growth + data_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    soter_writer_init(&writer, wrapped, growth + data_len);
    if (!soter_write_u32le(&writer, (uint32_t)themis_message_own_type(message)) ||
        !soter_write_u32le(&writer, (uint32_t)(growth + data_len))) {
        return SOTER_FAIL;
    }
    if (message->cell != NULL) {
        return themis_cell_seal(message->cell, data, data_len, NULL, 0, writer.at, writer.left);
    }
    oaep_len = soter_oaep_wrapped_size(message->wrapper);
    if (!soter_write_u32le(&writer, (uint32_t)oaep_len) ||
        !soter_write_room(&writer, oaep_len, &oaep)) {
        return SOTER_FAIL;
    }
    return wrap_rsa(message, (struct soter_slice){data, data_len}, oaep, &writer);
}

/* A wrapped secret that is not one becomes a random secret in here, and the cell is refused: the
 * caller cannot tell which of the two was wrong. */
static soter_status unwrap_rsa(const themis_message *message,
                               enum soter_oaep_blinding blinding,
                               struct soter_slice wrapped,
                               struct soter_slice sealed,
                               uint8_t *data,
                               size_t data_len)
{
    uint8_t secret[RSA_SECRET_SIZE] = {0};
    themis_cell *cell = NULL;
    soter_status status = soter_oaep_unwrap(message->unwrapper,
                                            blinding,
                                            wrapped.data,
                                            wrapped.len,
                                            secret,
                                            sizeof secret);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = themis_cell_new(secret, sizeof secret, 0, &cell);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = themis_cell_unseal(cell, sealed.data, sealed.len, NULL, 0, data, data_len);
out:
    themis_cell_free(cell);
    soter_wipe(secret, sizeof secret);
    return status;
}

int themis_message_unwrap(themis_message *message,
                          const uint8_t *wrapped,
                          size_t wrapped_len,
                          uint8_t *data,
                          size_t data_len)
{
    struct soter_reader reader;
    uint32_t total;
    uint32_t oaep_len;
    struct soter_slice oaep;
    struct soter_slice sealed;
    soter_status status;
    if (wrapped_len <= themis_message_unwrap_growth(message) ||
        themis_message_type(wrapped, wrapped_len) != themis_message_own_type(message)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (data_len < wrapped_len - themis_message_unwrap_growth(message)) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    soter_reader_init(&reader, wrapped + 4, wrapped_len - 4);
    if (!soter_read_u32le(&reader, &total) || total != wrapped_len) {
        return SOTER_INVALID_PARAMETER;
    }
    if (message->cell != NULL) {
        return themis_cell_unseal(message->cell, reader.at, reader.left, NULL, 0, data, data_len);
    }
    oaep.len = soter_oaep_wrapped_size(message->unwrapper);
    if (!soter_read_u32le(&reader, &oaep_len) || oaep_len != oaep.len ||
        !soter_read_bytes(&reader, oaep.len, &oaep.data)) {
        return SOTER_INVALID_PARAMETER;
    }
    sealed.data = reader.at;
    sealed.len = reader.left;
    status = unwrap_rsa(message, SOTER_OAEP_KEPT_BLINDING, oaep, sealed, data, data_len);
    if (status == SOTER_FAIL) { /* whatever was wrong, perhaps it was the blinding */
        status = unwrap_rsa(message, SOTER_OAEP_FRESH_BLINDING, oaep, sealed, data, data_len);
    }
    return status;
}

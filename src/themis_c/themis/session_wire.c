/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/session_wire.h"

#include <assert.h>

#define TAG_MESSAGE "TSPM"
#define TAG_ID "TSID"
#define TAG_EPHEMERAL "UEC2"

/* DER of two numbers; ours on P-521 has up to 139 bytes, other writers may pad a little. */
#define SIGNATURE_MIN 8
#define SIGNATURE_MAX 144

static_assert(SOTER_EC_SIGNATURE_MAX_SIZE <= SIGNATURE_MAX, "we read what we write");

/* Opens a message: `inside` walks over what its container holds. */
static soter_status
open_message(const uint8_t *message, size_t message_len, struct soter_reader *inside)
{
    struct soter_reader reader;
    struct soter_container container;
    soter_status status;
    soter_reader_init(&reader, message, message_len);
    status = soter_container_read(&reader, &container);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (!soter_container_has_tag(&container, TAG_MESSAGE)) {
        return SOTER_INVALID_PARAMETER;
    }
    soter_reader_init(inside, container.payload, container.payload_len);
    return SOTER_SUCCESS;
}

static bool read_rest(struct soter_reader *reader, size_t min, size_t max, struct soter_slice *out)
{
    out->len = reader->left;
    return min <= out->len && out->len <= max && soter_read_bytes(reader, out->len, &out->data);
}

static bool has_ephemeral_size(const struct soter_container *container)
{
    size_t size = SOTER_CONTAINER_HEADER_SIZE + container->payload_len;
    return size == SOTER_P256_PUBLIC_SIZE || size == SOTER_P256_PUBLIC_UNCOMPRESSED_SIZE;
}

soter_status themis_session_read_hello(const uint8_t *message,
                                       size_t message_len,
                                       struct themis_session_hello *out)
{
    struct soter_reader reader;
    struct soter_container id;
    struct soter_container ephemeral;
    soter_status status = open_message(message, message_len, &reader);
    if (status == SOTER_SUCCESS) {
        status = soter_container_read(&reader, &id);
    }
    if (status == SOTER_SUCCESS) {
        out->ephemeral.data = reader.at;
        status = soter_container_read(&reader, &ephemeral);
    }
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (!soter_container_has_tag(&id, TAG_ID) || id.payload_len == 0 ||
        !soter_container_has_tag(&ephemeral, TAG_EPHEMERAL) || !has_ephemeral_size(&ephemeral) ||
        !read_rest(&reader, SIGNATURE_MIN, SIGNATURE_MAX, &out->signature)) {
        return SOTER_INVALID_PARAMETER;
    }
    out->id.data = id.payload;
    out->id.len = id.payload_len;
    out->ephemeral.len = SOTER_CONTAINER_HEADER_SIZE + ephemeral.payload_len;
    return SOTER_SUCCESS;
}

soter_status themis_session_read_proof(const uint8_t *message,
                                       size_t message_len,
                                       struct themis_session_proof *out)
{
    struct soter_reader reader;
    struct soter_slice rest;
    soter_status status = open_message(message, message_len, &reader);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (!read_rest(&reader,
                   SIGNATURE_MIN + THEMIS_SESSION_MAC_SIZE,
                   SIGNATURE_MAX + THEMIS_SESSION_MAC_SIZE,
                   &rest)) {
        return SOTER_INVALID_PARAMETER;
    }
    out->signature.data = rest.data;
    out->signature.len = rest.len - THEMIS_SESSION_MAC_SIZE;
    out->mac = rest.data + out->signature.len;
    return SOTER_SUCCESS;
}

soter_status
themis_session_read_finish(const uint8_t *message, size_t message_len, const uint8_t **mac)
{
    struct soter_reader reader;
    struct soter_slice rest;
    soter_status status = open_message(message, message_len, &reader);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (!read_rest(&reader, THEMIS_SESSION_MAC_SIZE, THEMIS_SESSION_MAC_SIZE, &rest)) {
        return SOTER_INVALID_PARAMETER;
    }
    *mac = rest.data;
    return SOTER_SUCCESS;
}

/* Starts a message: its header is written last, by finish_message. */
static bool start_message(const struct themis_session_out *out, struct soter_writer *writer)
{
    uint8_t *header;
    soter_writer_init(writer, out->bytes, out->room);
    return soter_write_room(writer, SOTER_CONTAINER_HEADER_SIZE, &header);
}

static soter_status finish_message(const struct soter_writer *writer,
                                   struct themis_session_out *out)
{
    soter_status status = soter_container_finish(out->bytes, out->room - writer->left, TAG_MESSAGE);
    if (status == SOTER_SUCCESS) {
        out->len = out->room - writer->left;
    }
    return status;
}

static bool write_slice(struct soter_writer *writer, struct soter_slice slice)
{
    return soter_write_bytes(writer, slice.data, slice.len);
}

soter_status themis_session_write_hello(const struct themis_session_hello *hello,
                                        struct themis_session_out *out)
{
    struct soter_writer writer;
    uint8_t *id;
    if (!start_message(out, &writer) ||
        !soter_write_room(&writer, SOTER_CONTAINER_HEADER_SIZE, &id) ||
        !write_slice(&writer, hello->id) || !write_slice(&writer, hello->ephemeral) ||
        !write_slice(&writer, hello->signature)) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    if (soter_container_finish(id, SOTER_CONTAINER_HEADER_SIZE + hello->id.len, TAG_ID) !=
        SOTER_SUCCESS) {
        return SOTER_INVALID_PARAMETER;
    }
    return finish_message(&writer, out);
}

soter_status themis_session_write_proof(const struct themis_session_proof *proof,
                                        struct themis_session_out *out)
{
    struct soter_writer writer;
    if (!start_message(out, &writer) || !write_slice(&writer, proof->signature) ||
        !soter_write_bytes(&writer, proof->mac, THEMIS_SESSION_MAC_SIZE)) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    return finish_message(&writer, out);
}

soter_status themis_session_write_finish(const uint8_t mac[THEMIS_SESSION_MAC_SIZE],
                                         struct themis_session_out *out)
{
    struct soter_writer writer;
    if (!start_message(out, &writer) || !soter_write_bytes(&writer, mac, THEMIS_SESSION_MAC_SIZE)) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    return finish_message(&writer, out);
}

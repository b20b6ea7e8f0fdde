/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/container.h"

#include <string.h>

#include "soter/crc32c.h"

#define SIZE_OFFSET 4
#define CHECKSUM_OFFSET 8

static uint32_t checksum(const uint8_t *container, size_t container_len)
{
    static const uint8_t zero[4] = {0};
    uint32_t crc = SOTER_CRC32C_START;
    crc = soter_crc32c_add(crc, container, CHECKSUM_OFFSET);
    crc = soter_crc32c_add(crc, zero, sizeof zero);
    crc = soter_crc32c_add(crc,
                           container + SOTER_CONTAINER_HEADER_SIZE,
                           container_len - SOTER_CONTAINER_HEADER_SIZE);
    return soter_crc32c_finish(crc);
}

soter_status soter_container_read(struct soter_reader *reader, struct soter_container *out)
{
    const uint8_t *start = reader->at;
    struct soter_reader header = *reader;
    const uint8_t *tag;
    const uint8_t *container;
    uint32_t size;
    uint32_t sum;
    if (!soter_read_bytes(&header, SOTER_CONTAINER_TAG_SIZE, &tag) ||
        !soter_read_u32be(&header, &size) || !soter_read_u32le(&header, &sum) ||
        size < SOTER_CONTAINER_HEADER_SIZE || size > reader->left) {
        return SOTER_INVALID_PARAMETER;
    }
    if (checksum(start, size) != sum) {
        return SOTER_DATA_CORRUPT;
    }
    if (!soter_read_bytes(reader, size, &container)) {
        return SOTER_INVALID_PARAMETER;
    }
    out->tag = container;
    out->payload = container + SOTER_CONTAINER_HEADER_SIZE;
    out->payload_len = size - SOTER_CONTAINER_HEADER_SIZE;
    return SOTER_SUCCESS;
}

bool soter_container_has_tag(const struct soter_container *container, const char *tag)
{
    return memcmp(container->tag, tag, SOTER_CONTAINER_TAG_SIZE) == 0;
}

soter_status soter_container_finish(uint8_t *container, size_t container_len, const char *tag)
{
    if (container_len < SOTER_CONTAINER_HEADER_SIZE || (uint64_t)container_len > UINT32_MAX) {
        return SOTER_INVALID_PARAMETER;
    }
    memcpy(container, tag, SOTER_CONTAINER_TAG_SIZE);
    soter_put_u32be(container + SIZE_OFFSET, (uint32_t)container_len);
    soter_put_u32le(container + CHECKSUM_OFFSET, checksum(container, container_len));
    return SOTER_SUCCESS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The box that keys and session messages travel in (specification, section 1):
 *
 *   0      4         8             12
 *   | tag  | size    | checksum    | payload ...          |
 *
 * size (big-endian) counts everything; checksum is the CRC-32C of everything with its own four
 * bytes as zero, little-endian (unlike the size: so did the first version, so it stays). */
#ifndef SOTER_CONTAINER_H
#define SOTER_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/status.h"

#define SOTER_CONTAINER_HEADER_SIZE 12
#define SOTER_CONTAINER_TAG_SIZE 4

/* What was read; `payload` is borrowed from the input. */
struct soter_container {
    const uint8_t *tag; /* SOTER_CONTAINER_TAG_SIZE bytes */
    const uint8_t *payload;
    size_t payload_len;
};

/* Takes the next container from the reader: INVALID_PARAMETER if its size does not fit what is
 * left, DATA_CORRUPT if the checksum is wrong. */
SOTER_MUST_USE soter_status soter_container_read(struct soter_reader *reader,
                                                 struct soter_container *out);

/* Whether the tag is this string of four characters. */
SOTER_MUST_USE bool soter_container_has_tag(const struct soter_container *container,
                                            const char *tag);

/* Writes the header of a container of container_len bytes whose payload is in place already. */
SOTER_MUST_USE soter_status soter_container_finish(uint8_t *container,
                                                   size_t container_len,
                                                   const char *tag);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What container.c of these proofs has proved of soter/container.c, for the proofs of its users. */
#ifndef CONTAINER_CONTRACT_H
#define CONTAINER_CONTRACT_H

#include "proof.h"
#include "soter/container.h"

static struct soter_container seen[3]; /* in the order in which they were read */
static size_t seen_count;

soter_status soter_container_read(struct soter_reader *reader, struct soter_container *out)
{
    const size_t size = any_len(reader->left);
    struct soter_container *read = &seen[seen_count % 3];
    touch(reader->at, reader->left);
    if (size < 12 || nondet_bool()) {
        return nondet_bool() ? SOTER_DATA_CORRUPT : SOTER_INVALID_PARAMETER;
    }
    seen_count++;
    read->tag = any_bytes(4);
    read->payload = reader->at + 12;
    read->payload_len = size - 12;
    reader->at += size;
    reader->left -= size;
    *out = *read;
    return SOTER_SUCCESS;
}

bool soter_container_has_tag(const struct soter_container *container, const char *tag)
{
    return memcmp(container->tag, tag, 4) == 0;
}

soter_status soter_container_finish(uint8_t *container, size_t container_len, const char *tag)
{
    touch(tag, 4);
    fill(container, container_len < 12 ? 0 : 12);
    touch(container, container_len);
    return container_len < 12 || container_len > UINT32_MAX ? SOTER_INVALID_PARAMETER
                                                            : SOTER_SUCCESS;
}

#endif

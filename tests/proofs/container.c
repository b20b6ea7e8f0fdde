/* SPDX-License-Identifier: Apache-2.0 */
/* fault: soter/container.c: size > reader->left) => size > reader->left + 1)
 *
 * A container is read if and only if section 1 allows it, and one that is written is read. */
#include "soter/container.c"
#include "proof.h"
#include "soter/bytes.c"

int main(void)
{
    const size_t len = any_len(MOST);
    uint8_t *data = any_bytes(len);
    const bool fits =
        len >= 12 && soter_get_u32be(data + 4) >= 12 && soter_get_u32be(data + 4) <= len;
    struct soter_reader reader = {data, len};
    struct soter_container read;
    soter_status status;
    any_checksums(true);
    status = soter_container_read(&reader, &read);
    CLAIM((status == SOTER_SUCCESS) == (fits && soter_get_u32le(data + 8) == checksums[0]));
    CLAIM((status == SOTER_DATA_CORRUPT) == (fits && soter_get_u32le(data + 8) != checksums[0]));
    CLAIM(status == SOTER_SUCCESS || (reader.at == data && reader.left == len));
    if (status == SOTER_SUCCESS) {
        CLAIM(read.tag == data && read.payload == data + 12 &&
              read.payload_len == soter_get_u32be(data + 4) - 12);
        CLAIM(reader.at == data + 12 + read.payload_len &&
              reader.left == len - 12 - read.payload_len);
        touch(read.payload, read.payload_len);
    }
    status = soter_container_finish(data, len, "TSPM");
    CLAIM((status == SOTER_SUCCESS) == (len >= 12 && len <= UINT32_MAX));
    if (status == SOTER_SUCCESS) {
        soter_reader_init(&reader, data, len);
        CLAIM(soter_container_read(&reader, &read) == SOTER_SUCCESS);
        CLAIM(soter_container_has_tag(&read, "TSPM") && read.payload_len == len - 12);
        REACHED();
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/session_wire.c: id.payload_len == 0 || => id.payload_len == 1 ||
 *
 * Messages 1 and 2 of a session are read if and only if section 5 allows it. */
#include "container_contract.h"
#include "soter/bytes.c"
#include "themis/session_wire.c"

int main(void)
{
    const size_t len = any_len(MOST);
    const uint8_t *data = any_bytes(len);
    struct themis_session_hello hello;
    const soter_status status = themis_session_read_hello(data, len, &hello);
    const size_t id = seen[1].payload_len;
    const size_t key = 12 + seen[2].payload_len;
    const size_t signature = seen[0].payload_len - 12 - id - key;
    CLAIM((status == SOTER_SUCCESS) ==
          (seen_count == 3 && memcmp(seen[0].tag, "TSPM", 4) == 0 &&
           memcmp(seen[1].tag, "TSID", 4) == 0 && memcmp(seen[2].tag, "UEC2", 4) == 0 && id != 0 &&
           (key == 45 || key == 77) && signature >= 8 && signature <= 144));
    if (status == SOTER_SUCCESS) {
        CLAIM(hello.id.data == data + 24 && hello.id.len == id);
        CLAIM(hello.ephemeral.data == data + 24 + id && hello.ephemeral.len == key);
        CLAIM(hello.signature.data == data + 24 + id + key && hello.signature.len == signature);
        touch(hello.signature.data, signature);
        REACHED();
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/session_wire.c: SIGNATURE_MAX + THEMIS_SESSION_MAC_SIZE, => SIGNATURE_MAX,
 *
 * Messages 3 and 4 of a session are read if and only if section 5 allows it. */
#include "container_contract.h"
#include "soter/bytes.c"
#include "themis/session_wire.c"

int main(void)
{
    const size_t len = any_len(MOST);
    const uint8_t *data = any_bytes(len);
    struct themis_session_proof proof;
    const uint8_t *mac;
    soter_status status = themis_session_read_proof(data, len, &proof);
    const size_t size = seen[0].payload_len;
    CLAIM((status == SOTER_SUCCESS) == (seen_count == 1 && memcmp(seen[0].tag, "TSPM", 4) == 0 &&
                                        size >= 8 + 32 && size <= 144 + 32));
    if (status == SOTER_SUCCESS) {
        CLAIM(proof.signature.data == data + 12 && proof.signature.len == size - 32);
        CLAIM(proof.mac == data + 12 + size - 32);
        touch(proof.mac, 32);
    }
    seen_count = 0;
    status = themis_session_read_finish(data, len, &mac);
    CLAIM((status == SOTER_SUCCESS) ==
          (seen_count == 1 && memcmp(seen[0].tag, "TSPM", 4) == 0 && seen[0].payload_len == 32));
    if (status == SOTER_SUCCESS) {
        CLAIM(mac == data + 12);
        touch(mac, 32);
        REACHED();
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/sealed_head.c: head->log2 > THEMIS_SEALED_LOG2_MAX => head->log2 > 25
 *
 * The fixed numbers of a sealed file, and one slot of any kind: read if and only if FORMATS, 8,
 * allows their lengths, and without a look outside. */
#include "proof.h"
#include "soter/bytes.c"
#include "themis/sealed_head.c"

int main(void)
{
    const size_t len = any_len(MOST);
    const uint8_t *data = any_bytes(len);
    struct soter_reader reader = {data, len};
    struct themis_sealed_fault fault;
    struct themis_sealed_head head;
    struct themis_sealed_slot slot;
    size_t slots = 0;
    const bool begins = len >= 14 && memcmp(data, "TSFILE1\n", 8) == 0 && data[8] >= 12 &&
                        data[8] <= 24 && data[9] != 0 && soter_get_u32be(data + 10) <= 262144;
    CLAIM((themis_sealed_head_begin(data, len, &head, &slots, &fault) == SOTER_SUCCESS) == begins);
    CLAIM(!begins ||
          (slots == soter_get_u32be(data + 10) && head.count == data[9] && head.log2 == data[8]));
    const bool is_slot = read_slot(&reader, &slot);
    CLAIM(is_slot == (len >= 4 && 4U + data[1] + data[2] * 256U + data[3] <= len));
    if (is_slot) {
        if (slot.kind != THEMIS_SEALED_SERVICE) {
            (void)wrong_form(&slot);
        }
        if (slot.kind == THEMIS_SEALED_KEY && wrong_form(&slot) == NULL) {
            CLAIM(slot.body.len == 76 && (slot.id.len == 0 || slot.id.len == 5));
        }
        if (slot.kind == THEMIS_SEALED_PASSPHRASE && wrong_form(&slot) == NULL) {
            CLAIM(slot.body.len == 102 && slot.id.len == 0 && slot.iterations >= 1);
            REACHED();
        }
    }
}

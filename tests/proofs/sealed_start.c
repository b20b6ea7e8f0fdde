/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"
#include "themis/sealed_head.c"

/* fault: themis/sealed_head.c: head->log2 > THEMIS_SEALED_LOG2_MAX => head->log2 > 25 */
bool sealed_start(void)
{
    struct soter_reader reader = {in, in_len};
    struct themis_sealed_fault fault;
    struct themis_sealed_head head;
    struct themis_sealed_slot slot;
    size_t slots = 0;
    const bool begins = in_len >= 14 && memcmp(in, "TSFILE1\n", 8) == 0 && in[8] >= 12 &&
                        in[8] <= 24 && in[9] != 0 && be(10) <= 262144;
    CLAIM((themis_sealed_head_begin(in, in_len, &head, &slots, &fault) == SOTER_SUCCESS) == begins);
    CLAIM(!begins || (slots == be(10) && head.count == in[9] && head.log2 == in[8]));
    const bool is_slot = read_slot(&reader, &slot);
    CLAIM(is_slot == (in_len >= 4 && 4U + in[1] + in[2] * 256U + in[3] <= in_len));
    /* a loop walks over the id of a service slot */
    if (!is_slot || (slot.kind == THEMIS_SEALED_SERVICE && slot.id.len > 16) ||
        wrong_form(&slot) != NULL) {
        return false;
    }
    if (slot.kind == THEMIS_SEALED_KEY) {
        CLAIM(slot.body.len == 76 && (slot.id.len == 0 || slot.id.len == 5));
    }
    if (slot.kind == THEMIS_SEALED_PASSPHRASE) {
        CLAIM(slot.body.len == 102 && slot.id.len == 0 && slot.iterations >= 1);
    }
    return slot.kind == THEMIS_SEALED_PASSPHRASE;
}

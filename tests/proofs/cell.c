/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/cell.c: tag_len != SOTER_AEAD_TAG_SIZE || => tag_len == 0 ||
 *
 * Seal and Token Protect, compat included, empty contexts and in place too: a token is taken if and
 * only if section 3 allows it, one that is written is taken, and only the room that there is is
 * written to. */
#include "themis/cell.c"
#include "cell_contract.h"
#include "soter/bytes.c"

int main(void)
{
    const size_t len = any_len(MOST);
    const size_t context_len = any_len(MOST);
    const size_t room = any_len(MOST);
    const bool in_place = nondet_bool();
    themis_cell cell = {.compat_096 = nondet_bool()};
    uint8_t *token = any_bytes(44);
    uint8_t *data = any_bytes(len);
    uint8_t *out = in_place && room <= len ? data : any_bytes(room);
    const uint8_t *context = any_bytes(context_len);
    const size_t key_len = themis_cell_key_len(soter_get_u32le(token), 0x40010000);
    const bool fits = key_len != 0 && soter_get_u32le(token + 4) == 12 &&
                      soter_get_u32le(token + 8) == 16 && soter_get_u32le(token + 12) == len;
    struct themis_cell_token fields;
    CLAIM((read_token(token, len, &fields) == SOTER_SUCCESS) == fits);
    if (themis_cell_unprotect(&cell, data, len, token, context, context_len, out, room) == 0) {
        CLAIM(fits && len != 0 && len <= room);
    }
    if (themis_cell_protect(&cell, data, len, context, context_len, out, room, token) == 0) {
        CLAIM(len != 0 && len <= room);
        CLAIM(read_token(token, len, &fields) == SOTER_SUCCESS && fields.key_len == 32);
        REACHED();
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/cell_imprint.c: context_len == 0 => context_len == 1
 *
 * Context Imprint, in place and not, with what an operation before left or without: done if and
 * only if section 3 allows the lengths and the room takes the message. */
#include "themis/cell_imprint.c"
#include "ciphers.h"
#include "soter/bytes.c"
#include "themis/cell_gcm.c"

int main(void)
{
    const size_t len = any_len(MOST);
    const size_t context_len = any_len(MOST);
    const size_t room = any_len(MOST);
    const bool in_place = nondet_bool();
    struct imprint *left = malloc(sizeof *left);
    themis_cell cell = {.imprint = {left}};
    uint8_t *data = any_bytes(len);
    uint8_t *out = in_place && room <= len ? data : any_bytes(room);
    int status;
    __ESBMC_assume(left == NULL || left->subject.context_len <= sizeof left->subject.context);
    status = themis_cell_imprint(&cell, data, len, any_bytes(context_len), context_len, out, room);
    if (len == 0 || context_len == 0 || room < len) {
        CLAIM(status ==
              (len == 0 || context_len == 0 ? SOTER_INVALID_PARAMETER : SOTER_BUFFER_TOO_SMALL));
    }
    if (status == SOTER_SUCCESS) {
        CLAIM(len != 0 && context_len != 0 && room >= len);
        REACHED();
    }
}

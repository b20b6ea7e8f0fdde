/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/sealed_chunks.c: full + rest - THEMIS_CELL_TOKEN_SIZE : 0 => full + rest : 0
 *
 * Runs of chunks of a sealed file, with pieces of any size, by induction: the first chunk of a run
 * is read or written within its bytes, and what is left is a run with one piece less. */
#define EXACT 0 /* bytes are compared: any start may be right */
#include <stdbool.h>
#include <string.h>
#define while(condition) for (bool first = true; first && (condition); first = false)
#include "themis/sealed_chunks.c"
#undef while
#include "cell_contract.h"
#include "soter/bytes.c"

void themis_cell_key_borrow(struct themis_cell_key *shared, struct themis_cell_key *own) {}
void themis_cell_key_return(struct themis_cell_key *shared, struct themis_cell_key *own) {}

int main(void)
{
    const size_t len = any_len(MOST);
    const size_t room = any_len(MOST);
    const uint64_t number = nondet_u64();
    const bool is_last = nondet_bool();
    uint8_t *data = any_bytes(len);
    uint8_t *out = any_bytes(room);
    const uint8_t log2 = nondet_byte();
    const size_t piece = (size_t)1 << log2;
    themis_sealed sealed = {.has_fk = true, .log2 = log2};
    __ESBMC_assume(log2 >= 12 && log2 <= 24);
    if (themis_sealed_decrypt(&sealed, number, is_last, data, len, out, room) == SOTER_SUCCESS) {
        const size_t all = pieces_in(&sealed, len);
        CLAIM(len % (piece + 44) == 0 || (is_last && len % (piece + 44) >= 44 + 8));
        CLAIM(all <= piece ? len == all + 44 : pieces_in(&sealed, len - piece - 44) == all - piece);
        REACHED();
    }
    if (themis_sealed_encrypt(&sealed, number, is_last, data, len, out, room) == SOTER_SUCCESS) {
        CLAIM(len % piece == 0 || (is_last && len % piece >= 8));
        CLAIM(room >= len + 44 * ((len + piece - 1) / piece));
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/cell_reader.c: out_len <= data_len - skip => out_len <= data_len
 * loops: 4
 *
 * A Seal cell that was verified and is read in pieces, in any order: only whole pieces of it are
 * taken, and only the room that there is is written to. */
#define MOST ((size_t)1 << 15) /* two pieces */
#define EXACT 0                /* bytes are compared: any tag may be right */
#include "ciphers.h"
#include "soter/bytes.c"
#include "themis/cell_reader.c"

int main(void)
{
    const size_t size = any_len(MOST);
    const size_t len = any_len(MOST);
    const size_t room = any_len(MOST);
    const size_t piece = nondet_u64();
    const size_t skip = nondet_u64();
    themis_cell_reader reader = {.state = VERIFIED, .size = size};
    reader.tags = any_bytes(16 * pieces_of(size));
    if (themis_cell_reader_read(&reader, piece, any_bytes(len), len, skip, any_bytes(room), room) ==
        SOTER_SUCCESS) {
        CLAIM(piece * 16384 < size && len <= size - piece * 16384 && skip + room <= len);
        REACHED();
    }
}

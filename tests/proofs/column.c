/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/column_layout.c: end > layout->data_end => end > layout->data_end + 1
 *
 * A column of Arrow with offsets, in buffers as long as Arrow says that they are: each value lies
 * within the data, whatever the offsets and the lengths. */
#include "proof.h"
#include "themis/column_layout.c"

static void release(struct themis_arrow_array *array) {}

int main(void)
{
    const struct themis_column_type type = types[2].type; /* 8 bytes each */
    const size_t rows = any_len(MOST);
    const size_t offset = any_len(MOST);
    const size_t data_len = any_len(MOST);
    const size_t row = any_len(MOST);
    const void *buffers[3] = {nondet_bool() ? any_bytes((rows + offset + 7) / 8) : NULL,
                              any_bytes((rows + offset + 1) * 8), any_bytes(data_len)};
    const struct themis_arrow_array array = {.length = nondet_bool() ? (int64_t)rows : -1,
                                             .offset = (int64_t)offset,
                                             .n_buffers = nondet_byte(),
                                             .buffers = buffers,
                                             .release = release};
    struct themis_column_layout layout;
    struct themis_column_value value;
    if (themis_column_layout_of(&array, type, &layout) == NULL && row < layout.rows) {
        __ESBMC_assume(layout.data_end <= data_len); /* so much data Arrow promises */
        if (themis_column_layout_value(&layout, row, &value) == NULL && !value.is_null) {
            touch(value.bytes.data, value.bytes.len);
            REACHED();
        }
    }
}

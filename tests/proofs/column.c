/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"
#include "themis/column_layout.c"

static void release(struct themis_arrow_array *array) {}

/* fault: themis/column_layout.c: end > layout->data_end => end > layout->data_end + 1 */
bool column(void)
{
    const size_t rows = any_len(), offset = any_len(), row = any_len();
    const void *buffers[3] = {nondet_bool() ? any_bytes((rows + offset + 7) / 8) : NULL,
                              any_bytes((rows + offset + 1) * 8), in};
    const struct themis_arrow_array array = {.length = nondet_bool() ? (int64_t)rows : -1,
                                             .offset = (int64_t)offset,
                                             .n_buffers = nondet_uchar(),
                                             .buffers = buffers,
                                             .release = release};
    struct themis_column_layout layout;
    struct themis_column_value value;
    if (themis_column_layout_of(&array, types[2].type, &layout) != NULL || row >= layout.rows) {
        return false;
    }
    __ESBMC_assume(layout.data_end <= in_len); /* so much in Arrow promises */
    if (themis_column_layout_value(&layout, row, &value) != NULL || value.is_null) {
        return false;
    }
    reads(value.bytes.data, value.bytes.len);
    return true;
}

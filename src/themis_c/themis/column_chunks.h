/* SPDX-License-Identifier: Apache-2.0 */
/* A column: arrays of Arrow one after another, read as if they were one. */
#ifndef THEMIS_COLUMN_CHUNKS_H
#define THEMIS_COLUMN_CHUNKS_H

#include "themis.h"
#include "themis/column_layout.h"

/* An array. Its dictionary, if it has one, has the values; the array itself indexes. */
struct themis_column_chunk {
    uint64_t first; /* row of the column */
    bool has_dictionary;
    struct themis_column_layout values;
    struct themis_column_layout indices;
    struct themis_arrow_array owned; /* out of a stream; released with the column */
};

struct themis_column {
    struct themis_column_chunk *chunks;
    size_t count;
    size_t room;
    uint64_t rows;
    enum themis_column_kind kind; /* of all chunks; meaningless if there are none */
};

/* Where a reader is, which reads rows one after another. */
struct themis_column_cursor {
    const struct themis_column *column;
    size_t chunk;
};

/* The value of a row, which is less than column->rows; the fastest if rows come in order. Returns
 * NULL, or why it is refused: a static text. */
SOTER_MUST_USE const char *themis_column_read(struct themis_column_cursor *cursor,
                                              uint64_t row,
                                              struct themis_column_value *value);

#endif

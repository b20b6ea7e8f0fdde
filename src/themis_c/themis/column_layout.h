/* SPDX-License-Identifier: Apache-2.0 */
/* One array of Arrow: what it may be, and its values one by one, each bounded before it is read. */
#ifndef THEMIS_COLUMN_LAYOUT_H
#define THEMIS_COLUMN_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "soter/bytes.h"
#include "soter/status.h"
#include "themis/column_arrow.h"

/* What the values of a column are. */
enum themis_column_kind {
    THEMIS_COLUMN_OF_NULLS, /* nothing but nulls */
    THEMIS_COLUMN_OF_TEXT,
    THEMIS_COLUMN_OF_BYTES,
    THEMIS_COLUMN_OF_UUIDS, /* 16 bytes each */
    THEMIS_COLUMN_OF_INTEGERS
};

/* How they lie in memory. */
enum themis_column_form {
    THEMIS_COLUMN_EMPTY,   /* no buffers */
    THEMIS_COLUMN_OFFSETS, /* `width` bytes each, one more than values */
    THEMIS_COLUMN_VIEWS,   /* 16 bytes each: length, then the bytes or where they are */
    THEMIS_COLUMN_FIXED    /* `width` bytes each */
};

struct themis_column_type {
    enum themis_column_kind kind;
    enum themis_column_form form;
    size_t width;
    bool is_signed; /* of integers */
};

/* An array as it was checked. Its buffers belong to the array that it was made of. */
struct themis_column_layout {
    struct themis_column_type type;
    uint64_t rows;
    uint64_t offset;         /* the first row, in every buffer */
    const uint8_t *validity; /* NULL: no nulls */
    const uint8_t *slots;    /* offsets, views or values */
    const uint8_t *data;     /* what offsets lead to; NULL if that is nothing */
    uint64_t data_start;     /* the first and last offset, which bound all between them */
    uint64_t data_end;
    const void *const *more; /* what views lead to, `more_count` buffers of `more_sizes` bytes */
    uint64_t more_count;
    const uint8_t *more_sizes; /* of 8 bytes each */
};

/* The longest text of an integer, and that of a UUID. */
#define THEMIS_COLUMN_TEXT_SIZE 36

/* A value. Integers and UUIDs are written out as text into `text`. */
struct themis_column_value {
    bool is_null;
    struct soter_slice bytes;
    uint8_t text[THEMIS_COLUMN_TEXT_SIZE];
};

/* Reads what a schema says of its values. Returns NULL, or why they are refused: a static text. */
SOTER_MUST_USE const char *themis_column_type_of(const struct themis_arrow_schema *schema,
                                                 struct themis_column_type *type);

/* Checks the structure of an array. Returns NULL, or why it is refused: a static text. */
SOTER_MUST_USE const char *themis_column_layout_of(const struct themis_arrow_array *array,
                                                   struct themis_column_type type,
                                                   struct themis_column_layout *layout);

/* The value of a row, which is less than layout->rows. Returns NULL, or why it is refused. */
SOTER_MUST_USE const char *themis_column_layout_value(const struct themis_column_layout *layout,
                                                      uint64_t row,
                                                      struct themis_column_value *value);

/* The row's index into a dictionary, of a layout of integers. */
SOTER_MUST_USE const char *themis_column_layout_index(const struct themis_column_layout *layout,
                                                      uint64_t row,
                                                      bool *is_null,
                                                      uint64_t *index);

#endif

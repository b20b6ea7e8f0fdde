/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/column_layout.h"

#include <string.h>

#include "themis/column_text.h"

#define ROWS_MAX ((uint64_t)1 << 40) /* of one array: times 16 bytes it is far from overflow */
#define VIEW_SIZE 16
#define VIEW_INLINE 12 /* the longest value that a view holds itself */
#define METADATA_MAX 1024

/* ---- Types ---- */

static uint64_t load(const uint8_t *at, size_t width)
{
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (width) { /* buffers need not be aligned */
    case 1:
        memcpy(&one, at, sizeof one);
        return one;
    case 2:
        memcpy(&two, at, sizeof two);
        return two;
    case 4:
        memcpy(&four, at, sizeof four);
        return four;
    default:
        memcpy(&eight, at, sizeof eight);
        return eight;
    }
}

/* A signed number of this width, as one of 64 bits. */
static uint64_t extend(uint64_t number, size_t width)
{
    const unsigned int bits = (unsigned int)width * 8;
    return bits < 64 && (number >> (bits - 1)) != 0 ? number | (UINT64_MAX << bits) : number;
}

struct named_type {
    const char *format;
    struct themis_column_type type;
};

static const struct named_type types[] = {
    {"n", {THEMIS_COLUMN_OF_NULLS, THEMIS_COLUMN_EMPTY, 0, false}},
    {"u", {THEMIS_COLUMN_OF_TEXT, THEMIS_COLUMN_OFFSETS, 4, false}},
    {"U", {THEMIS_COLUMN_OF_TEXT, THEMIS_COLUMN_OFFSETS, 8, false}},
    {"z", {THEMIS_COLUMN_OF_BYTES, THEMIS_COLUMN_OFFSETS, 4, false}},
    {"Z", {THEMIS_COLUMN_OF_BYTES, THEMIS_COLUMN_OFFSETS, 8, false}},
    {"vu", {THEMIS_COLUMN_OF_TEXT, THEMIS_COLUMN_VIEWS, VIEW_SIZE, false}},
    {"vz", {THEMIS_COLUMN_OF_BYTES, THEMIS_COLUMN_VIEWS, VIEW_SIZE, false}},
    {"c", {THEMIS_COLUMN_OF_INTEGERS, THEMIS_COLUMN_FIXED, 1, true}},
    {"C", {THEMIS_COLUMN_OF_INTEGERS, THEMIS_COLUMN_FIXED, 1, false}},
    {"s", {THEMIS_COLUMN_OF_INTEGERS, THEMIS_COLUMN_FIXED, 2, true}},
    {"S", {THEMIS_COLUMN_OF_INTEGERS, THEMIS_COLUMN_FIXED, 2, false}},
    {"i", {THEMIS_COLUMN_OF_INTEGERS, THEMIS_COLUMN_FIXED, 4, true}},
    {"I", {THEMIS_COLUMN_OF_INTEGERS, THEMIS_COLUMN_FIXED, 4, false}},
    {"l", {THEMIS_COLUMN_OF_INTEGERS, THEMIS_COLUMN_FIXED, 8, true}},
    {"L", {THEMIS_COLUMN_OF_INTEGERS, THEMIS_COLUMN_FIXED, 8, false}},
};

/* Whether the metadata say that the values are UUIDs. Nothing bounds metadata but what they say
 * themselves: four bytes of a count, and each key and value behind its length. */
static bool is_uuid(const char *metadata)
{
    static const char key[] = "ARROW:extension:name";
    static const char uuid[] = "arrow.uuid";
    const uint8_t *at = (const uint8_t *)metadata;
    uint64_t count;
    if (at == NULL) {
        return false;
    }
    count = load(at, 4);
    at += 4;
    for (uint64_t i = 0; i < count && i < METADATA_MAX; i++) {
        struct soter_slice parts[2];
        for (int part = 0; part < 2; part++) {
            parts[part].len = (size_t)load(at, 4);
            parts[part].data = at + 4;
            if (parts[part].len > INT32_MAX) {
                return false;
            }
            at += 4 + parts[part].len;
        }
        if (parts[0].len == sizeof key - 1 && memcmp(parts[0].data, key, sizeof key - 1) == 0) {
            return parts[1].len == sizeof uuid - 1 &&
                   memcmp(parts[1].data, uuid, sizeof uuid - 1) == 0;
        }
    }
    return false;
}

/* "w:16" and the like. */
static bool read_width(const char *format, size_t *width)
{
    uint32_t number = 0;
    if (format[0] != 'w' || format[1] != ':' || format[2] == '\0') {
        return false;
    }
    for (const char *digit = format + 2; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || number > INT32_MAX / 10) {
            return false;
        }
        number = number * 10 + (uint32_t)(*digit - '0');
    }
    *width = number;
    return number <= INT32_MAX;
}

const char *themis_column_type_of(const struct themis_arrow_schema *schema,
                                  struct themis_column_type *type)
{
    const struct themis_column_type fixed = {THEMIS_COLUMN_OF_BYTES, THEMIS_COLUMN_FIXED, 0, false};
    if (schema == NULL || schema->release == NULL || schema->format == NULL) {
        return "the schema was released";
    }
    if (schema->n_children != 0) {
        return "it has fields of its own: pass a column";
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(schema->format, types[i].format) == 0) {
            *type = types[i].type;
            return NULL;
        }
    }
    *type = fixed;
    if (!read_width(schema->format, &type->width)) {
        return "its values are neither text, bytes, integers nor UUIDs: cast them first";
    }
    if (type->width == 16 && is_uuid(schema->metadata)) {
        type->kind = THEMIS_COLUMN_OF_UUIDS;
    }
    return NULL;
}

/* ---- Arrays ---- */

static const char *take_offsets(const struct themis_arrow_array *array,
                                struct themis_column_layout *layout)
{
    const size_t width = layout->type.width;
    const uint64_t last = layout->offset + layout->rows;
    layout->data = array->buffers[2];
    if (layout->slots == NULL) {
        return "it has no offsets";
    }
    layout->data_start = load(layout->slots + layout->offset * width, width);
    layout->data_end = load(layout->slots + last * width, width);
    if (layout->data_end > (width == 4 ? (uint64_t)INT32_MAX : (uint64_t)INT64_MAX) ||
        layout->data_end > SIZE_MAX || layout->data_start > layout->data_end) {
        return "its offsets are corrupted";
    }
    return layout->data == NULL && layout->data_end != layout->data_start ? "it has no data" : NULL;
}

static const char *take_views(const struct themis_arrow_array *array,
                              struct themis_column_layout *layout)
{
    layout->more = (const void *const *)array->buffers + 2;
    layout->more_count = (uint64_t)array->n_buffers - 3;
    layout->more_sizes = array->buffers[array->n_buffers - 1];
    if (layout->slots == NULL || (layout->more_count != 0 && layout->more_sizes == NULL)) {
        return "it has no views, or no sizes of what they lead to";
    }
    return NULL;
}

static bool fits_buffers(const struct themis_arrow_array *array, struct themis_column_type type)
{
    switch (type.form) {
    case THEMIS_COLUMN_EMPTY:
        return array->n_buffers == 0;
    case THEMIS_COLUMN_OFFSETS:
        return array->n_buffers == 3;
    case THEMIS_COLUMN_VIEWS:
        return array->n_buffers >= 3;
    case THEMIS_COLUMN_FIXED:
        return array->n_buffers == 2;
    }
    return false;
}

const char *themis_column_layout_of(const struct themis_arrow_array *array,
                                    struct themis_column_type type,
                                    struct themis_column_layout *layout)
{
    const struct themis_column_layout blank = {.type = type};
    *layout = blank;
    if (array == NULL || array->release == NULL) {
        return "the array was released";
    }
    if (array->length < 0 || array->offset < 0 || (uint64_t)array->length > ROWS_MAX ||
        (uint64_t)array->offset > ROWS_MAX) {
        return "its length or offset is impossible";
    }
    if (!fits_buffers(array, type) || array->n_children != 0) {
        return "it has not the buffers of its type";
    }
    layout->rows = (uint64_t)array->length;
    layout->offset = (uint64_t)array->offset;
    if (layout->rows == 0 || type.form == THEMIS_COLUMN_EMPTY) {
        return NULL;
    }
    if (array->buffers == NULL) {
        return "it has no buffers";
    }
    if ((layout->offset + layout->rows) > (SIZE_MAX >> 1) / (type.width + 1)) {
        return "its length or offset is impossible";
    }
    layout->validity = array->buffers[0];
    layout->slots = array->buffers[1];
    if (layout->validity == NULL && array->null_count > 0) {
        return "it counts nulls, and does not say where they are";
    }
    switch (type.form) {
    case THEMIS_COLUMN_OFFSETS:
        return take_offsets(array, layout);
    case THEMIS_COLUMN_VIEWS:
        return take_views(array, layout);
    default:
        return layout->slots == NULL && type.width != 0 ? "it has no values" : NULL;
    }
}

/* ---- Values ---- */

static bool is_null_at(const struct themis_column_layout *layout, uint64_t at)
{
    return layout->type.form == THEMIS_COLUMN_EMPTY ||
           (layout->validity != NULL && ((layout->validity[at >> 3] >> (at & 7)) & 1) == 0);
}

static const char *
value_by_offset(const struct themis_column_layout *layout, uint64_t at, struct soter_slice *bytes)
{
    const size_t width = layout->type.width;
    const uint8_t *slot = layout->slots + at * width;
    const uint64_t start = load(slot, width);
    const uint64_t end = load(slot + width, width);
    if (start < layout->data_start || end < start || end > layout->data_end) {
        return "an offset leads outside of the data";
    }
    bytes->len = (size_t)(end - start);
    bytes->data = bytes->len != 0 ? layout->data + start : NULL;
    return NULL;
}

static const char *
value_by_view(const struct themis_column_layout *layout, uint64_t at, struct soter_slice *bytes)
{
    const uint8_t *view = layout->slots + at * VIEW_SIZE;
    const uint64_t len = load(view, 4);
    const uint64_t buffer = load(view + 8, 4);
    const uint64_t start = load(view + 12, 4);
    uint64_t size;
    if (len <= VIEW_INLINE) {
        bytes->data = view + 4;
        bytes->len = (size_t)len;
        return NULL;
    }
    if (len > INT32_MAX || start > INT32_MAX || buffer >= layout->more_count) {
        return "a view leads outside of the data";
    }
    size = load(layout->more_sizes + buffer * 8, 8);
    if (layout->more[buffer] == NULL || size > INT64_MAX || start > size || len > size - start) {
        return "a view leads outside of the data";
    }
    bytes->data = (const uint8_t *)layout->more[buffer] + start;
    bytes->len = (size_t)len;
    return NULL;
}

const char *themis_column_layout_value(const struct themis_column_layout *layout,
                                       uint64_t row,
                                       struct themis_column_value *value)
{
    const uint64_t at = layout->offset + row;
    const size_t width = layout->type.width;
    value->bytes.data = NULL;
    value->bytes.len = 0;
    value->is_null = is_null_at(layout, at);
    if (value->is_null) {
        return NULL;
    }
    if (layout->type.form == THEMIS_COLUMN_OFFSETS) {
        return value_by_offset(layout, at, &value->bytes);
    }
    if (layout->type.form == THEMIS_COLUMN_VIEWS) {
        return value_by_view(layout, at, &value->bytes);
    }
    value->bytes.data = width != 0 ? layout->slots + at * width : NULL;
    value->bytes.len = width;
    if (layout->type.kind == THEMIS_COLUMN_OF_UUIDS) {
        themis_column_write_uuid(value->bytes.data, value->text);
        value->bytes.data = value->text;
        value->bytes.len = THEMIS_COLUMN_TEXT_SIZE;
    } else if (layout->type.kind == THEMIS_COLUMN_OF_INTEGERS) {
        const uint64_t number = load(value->bytes.data, width);
        value->bytes = layout->type.is_signed
                           ? themis_column_write_signed(extend(number, width), value->text)
                           : themis_column_write_unsigned(number, value->text);
    }
    return NULL;
}

const char *themis_column_layout_index(const struct themis_column_layout *layout,
                                       uint64_t row,
                                       bool *is_null,
                                       uint64_t *index)
{
    const uint64_t at = layout->offset + row;
    const size_t width = layout->type.width;
    *index = 0;
    *is_null = is_null_at(layout, at);
    if (*is_null) {
        return NULL;
    }
    *index = load(layout->slots + at * width, width);
    if (layout->type.is_signed && extend(*index, width) > INT64_MAX) {
        return "an index into the dictionary is negative";
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/column_chunks.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 4
#define NO_VALUE SIZE_MAX

int themis_column_new(themis_column **out)
{
    themis_column *column = calloc(1, sizeof *column);
    if (column == NULL) {
        return SOTER_NO_MEMORY;
    }
    *out = column;
    return SOTER_SUCCESS;
}

static void release_array(struct themis_arrow_array *array)
{
    if (array->release != NULL) {
        array->release(array);
    }
}

void themis_column_free(themis_column *column)
{
    if (column != NULL) {
        for (size_t i = 0; i < column->count; i++) {
            release_array(&column->chunks[i].owned);
        }
        free(column->chunks);
        free(column);
    }
}

uint64_t themis_column_rows(const themis_column *column)
{
    return column->rows;
}

static soter_status make_room(themis_column *column)
{
    const size_t room = column->room != 0 ? column->room * 2 : ROOM_FIRST;
    struct themis_column_chunk *chunks;
    if (column->count < column->room) {
        return SOTER_SUCCESS;
    }
    if (column->room > SIZE_MAX / 2 / sizeof *chunks) {
        return SOTER_NO_MEMORY;
    }
    chunks = realloc(column->chunks, room * sizeof *chunks);
    if (chunks == NULL) {
        return SOTER_NO_MEMORY;
    }
    column->chunks = chunks;
    column->room = room;
    return SOTER_SUCCESS;
}

/* Checks an array, and its dictionary. */
static const char *read_chunk(const struct themis_arrow_schema *schema,
                              const struct themis_arrow_array *array,
                              struct themis_column_chunk *chunk)
{
    struct themis_column_type type;
    const char *why = themis_column_type_of(schema, &type);
    chunk->has_dictionary = why == NULL && schema->dictionary != NULL;
    if (why != NULL || !chunk->has_dictionary) {
        return why != NULL ? why : themis_column_layout_of(array, type, &chunk->values);
    }
    if (type.kind != THEMIS_COLUMN_OF_INTEGERS || schema->dictionary->dictionary != NULL) {
        return "its dictionary is not indexed by integers, or has one of its own";
    }
    why = themis_column_layout_of(array, type, &chunk->indices);
    if (why == NULL) {
        why = themis_column_type_of(schema->dictionary, &type);
    }
    return why != NULL ? why : themis_column_layout_of(array->dictionary, type, &chunk->values);
}

/* Adds an array, which becomes the column's if it is taken. */
static soter_status add(themis_column *column,
                        const struct themis_arrow_schema *schema,
                        const struct themis_arrow_array *array,
                        bool takes,
                        const char **why)
{
    struct themis_column_chunk chunk = {.first = column->rows};
    uint64_t rows;
    soter_status status;
    *why = read_chunk(schema, array, &chunk);
    if (*why != NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    rows = chunk.has_dictionary ? chunk.indices.rows : chunk.values.rows;
    if (column->count != 0 && column->kind != chunk.values.type.kind) {
        *why = "its chunks are of different types";
        return SOTER_INVALID_PARAMETER;
    }
    if (rows > THEMIS_COLUMN_ROWS_MAX - column->rows) {
        *why = "it has more than 4294967295 rows: pass it in parts";
        return SOTER_INVALID_PARAMETER;
    }
    status = make_room(column);
    if (status == SOTER_SUCCESS) {
        if (takes) {
            chunk.owned = *array;
        }
        column->chunks[column->count++] = chunk;
        column->rows += rows;
        column->kind = chunk.values.type.kind;
    }
    return status;
}

int themis_column_add(themis_column *column,
                      const void *schema,
                      const void *array,
                      const char **why)
{
    return add(column, schema, array, false, why);
}

/* The text that a stream's errors become: its own may hold data. */
static soter_status stream_failed(const char **why)
{
    *why = "the library that it is of failed to read it";
    return SOTER_FAIL;
}

static soter_status add_all(themis_column *column,
                            struct themis_arrow_stream *stream,
                            const struct themis_arrow_schema *schema,
                            const char **why)
{
    for (;;) {
        struct themis_arrow_array array = {0};
        soter_status status;
        if (stream->get_next(stream, &array) != 0) {
            return stream_failed(why);
        }
        if (array.release == NULL) { /* the end */
            return SOTER_SUCCESS;
        }
        status = array.length != 0 ? add(column, schema, &array, true, why) : SOTER_SUCCESS;
        if (status != SOTER_SUCCESS || array.length == 0) {
            release_array(&array);
        }
        if (status != SOTER_SUCCESS) {
            return status;
        }
    }
}

int themis_column_add_stream(themis_column *column, void *stream_place, const char **why)
{
    struct themis_arrow_stream *stream = stream_place;
    struct themis_arrow_schema schema = {0};
    struct themis_column_type type;
    soter_status status = SOTER_INVALID_PARAMETER;
    *why = NULL;
    if (stream == NULL || stream->release == NULL) {
        *why = "the stream was released";
        return SOTER_INVALID_PARAMETER;
    }
    if (stream->get_schema(stream, &schema) != 0) {
        status = stream_failed(why);
        goto out;
    }
    *why = themis_column_type_of(&schema, &type); /* a stream without arrays has a type, too */
    if (*why == NULL) {
        status = add_all(column, stream, &schema, why);
    }
out:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    stream->release(stream);
    return status;
}

/* ---- Values that lie one after another, as an array of Arrow ---- */

struct listed {
    const void *buffers[3];
    int64_t *offsets;
    uint8_t *validity;
};

static void listed_free(struct listed *listed)
{
    if (listed != NULL) {
        free(listed->offsets);
        free(listed->validity);
        free(listed);
    }
}

static void release_listed(struct themis_arrow_array *array)
{
    listed_free(array->private_data);
    array->release = NULL;
}

static void release_nothing(struct themis_arrow_schema *schema)
{
    schema->release = NULL;
}

static struct listed *listed_new(size_t count)
{
    struct listed *listed = calloc(1, sizeof *listed);
    if (listed == NULL || count > SIZE_MAX / sizeof *listed->offsets - 1) {
        free(listed);
        return NULL;
    }
    listed->offsets = malloc((count + 1) * sizeof *listed->offsets);
    listed->validity = calloc(count / 8 + 1, 1);
    if (listed->offsets == NULL || listed->validity == NULL) {
        listed_free(listed);
        return NULL;
    }
    return listed;
}

/* Whether the sizes are those of the data. */
static bool fill_listed(struct listed *listed, const size_t *sizes, size_t count, size_t left)
{
    int64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        listed->offsets[i] = end;
        if (sizes[i] == NO_VALUE) {
            continue;
        }
        if (sizes[i] > left) {
            return false;
        }
        listed->validity[i >> 3] |= (uint8_t)(1U << (i & 7));
        left -= sizes[i];
        end += (int64_t)sizes[i];
    }
    listed->offsets[count] = end;
    return left == 0;
}

int themis_column_add_values(themis_column *column,
                             int is_text,
                             const uint8_t *data,
                             size_t data_len,
                             const size_t *sizes,
                             size_t count,
                             const char **why)
{
    const struct themis_arrow_schema schema = {.format = is_text != 0 ? "U" : "Z",
                                               .release = release_nothing};
    struct themis_arrow_array array = {.null_count = -1, .n_buffers = 3};
    soter_status status = SOTER_INVALID_PARAMETER;
    struct listed *listed = listed_new(count);
    *why = NULL;
    if (listed == NULL) {
        return SOTER_NO_MEMORY;
    }
    array.release = release_listed;
    array.private_data = listed;
    array.length = (int64_t)count;
    array.buffers = listed->buffers;
    listed->buffers[0] = listed->validity;
    listed->buffers[1] = listed->offsets;
    listed->buffers[2] = data;
    if (fill_listed(listed, sizes, count, data_len)) {
        status = add(column, &schema, &array, true, why);
    }
    if (status != SOTER_SUCCESS) {
        listed_free(listed);
    }
    return status;
}

/* ---- Values ---- */

static bool has_row(const struct themis_column *column, size_t index, uint64_t row)
{
    const uint64_t end = index + 1 < column->count ? column->chunks[index + 1].first : column->rows;
    return row >= column->chunks[index].first && row < end;
}

/* The chunk of a row: the one before, the next, or wherever it is. */
static void seek(struct themis_column_cursor *cursor, uint64_t row)
{
    const struct themis_column *column = cursor->column;
    size_t low = 0;
    size_t high = column->count;
    if (has_row(column, cursor->chunk, row)) {
        return;
    }
    if (cursor->chunk + 1 < column->count && has_row(column, cursor->chunk + 1, row)) {
        cursor->chunk++;
        return;
    }
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (column->chunks[middle].first <= row) {
            low = middle;
        } else {
            high = middle;
        }
    }
    cursor->chunk = low;
}

const char *themis_column_read(struct themis_column_cursor *cursor,
                               uint64_t row,
                               struct themis_column_value *value)
{
    const struct themis_column_chunk *chunk;
    uint64_t index;
    const char *why;
    seek(cursor, row);
    chunk = &cursor->column->chunks[cursor->chunk];
    row -= chunk->first;
    if (!chunk->has_dictionary) {
        return themis_column_layout_value(&chunk->values, row, value);
    }
    why = themis_column_layout_index(&chunk->indices, row, &value->is_null, &index);
    if (why != NULL || value->is_null) {
        return why;
    }
    if (index >= chunk->values.rows) {
        return "an index leads outside of the dictionary";
    }
    return themis_column_layout_value(&chunk->values, index, value);
}

const uint8_t *themis_column_peek(const themis_column *column, uint64_t row, size_t *size)
{
    struct themis_column_cursor cursor = {column, 0};
    struct themis_column_value value;
    const char *why;
    *size = 0;
    if (row >= column->rows || column->kind == THEMIS_COLUMN_OF_INTEGERS ||
        column->kind == THEMIS_COLUMN_OF_UUIDS) { /* which are not in memory as text */
        return NULL;
    }
    why = themis_column_read(&cursor, row, &value);
    if (why != NULL || value.is_null) {
        return NULL;
    }
    *size = value.bytes.len;
    return value.bytes.data;
}

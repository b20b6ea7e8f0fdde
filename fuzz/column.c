/* SPDX-License-Identifier: Apache-2.0 */
/* Columns whose structures lie. Input: flags; a format and fields of an array of Arrow, with
 * buffers of this very size; the same for row ids. What stands in buffers is not bounded by what
 * the structure says but by what is there: offsets and validity get the room that the rows need, so
 * that the sanitizer sees each read of data that they do not allow.
 *
 * Promises: nothing outside of the buffers is read; a column that is encrypted is decrypted to the
 * values that it has, and the rows that are null stay null; cells that are no cells become null. */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"
#include "themis/column_arrow.h"

enum {
    FLAG_ROWS = 1,
    FLAG_NULLS = 2,
    FLAG_BARE = 4,
    FLAG_DICTIONARY = 8,
    FLAG_PADDED = 16,
    FLAG_PARTS = 32
};

#define ROWS_MAX 64
#define BUFFERS_MAX 6

static const char *const formats[] =
    {"u", "U", "z", "Z", "vu", "vz", "w:16", "w:0", "l", "c", "S", "n", "i", "w:3", "L", "g"};

struct made {
    struct themis_arrow_schema schema;
    struct themis_arrow_array array;
    const void *buffers[BUFFERS_MAX];
};

static void release_schema(struct themis_arrow_schema *schema)
{
    schema->release = NULL;
}

static void release_array(struct themis_arrow_array *array)
{
    array->release = NULL;
}

/* A block that has the bytes of the input first, and zeros up to `size`. */
static uint8_t *block(struct soter_slice bytes, size_t size)
{
    uint8_t *made = calloc(size != 0 ? size : 1, 1);
    MUST(made != NULL);
    if (bytes.len != 0 && size != 0) {
        memcpy(made, bytes.data, bytes.len < size ? bytes.len : size);
    }
    return made;
}

/* What a slot takes that the structure itself promises to be there. */
static size_t slot_size(const char *format)
{
    switch (format[0]) {
    case 'v':
        return 16;
    case 'U':
    case 'Z':
    case 'l':
    case 'L':
    case 'g':
        return 8;
    case 'w':
        return format[2] == '1' ? 16 : format[2] == '3' ? 3 : 0;
    case 'c':
        return 1;
    case 'S':
        return 2;
    default:
        return 4;
    }
}

/* Offsets lead where they like within what the last of them says: that many bytes must be there. */
static size_t data_size(const uint8_t *offsets, size_t width, size_t last)
{
    uint64_t end = 0;
    memcpy(&end, offsets + last * width, width); /* of a little-endian machine, as fuzzing has it */
    return end <= FUZZ_FIELD_MAX ? (size_t)end : 0;
}

/* Buffers as the format needs them; those of views say how long they are. */
static void fill(fuzz_input *input, const char *format, struct made *made, size_t slots)
{
    const size_t width = slot_size(format);
    const bool has_offsets = strchr("uUzZ", format[0]) != NULL;
    uint8_t *at = block(fuzz_field(input), (slots + 1) * width);
    made->buffers[1] = at;
    made->array.n_buffers = 2;
    if (has_offsets) {
        const size_t size = data_size(at, width, slots);
        made->buffers[2] = size != 0 ? block(fuzz_field(input), size) : NULL;
        made->array.n_buffers = 3;
        if (size == 0) { /* nothing is there, so no offset may say so */
            memset(at, 0, (slots + 1) * width);
        }
    } else if (format[0] == 'v') {
        const struct soter_slice more = fuzz_field(input);
        const int64_t size = (int64_t)more.len;
        made->buffers[2] = block(more, more.len);
        made->buffers[3] = block((struct soter_slice){(const uint8_t *)&size, sizeof size}, 8);
        made->array.n_buffers = 4;
    } else if (format[0] == 'n') {
        made->array.n_buffers = 0;
    }
}

static void make(fuzz_input *input, const char *format, struct made *made)
{
    const size_t rows = fuzz_byte(input) % (ROWS_MAX + 1);
    const size_t offset = fuzz_byte(input) % 20;
    const uint8_t oddity = fuzz_byte(input);
    memset(made, 0, sizeof *made);
    made->schema.format = format;
    made->schema.release = release_schema;
    made->array.length = (int64_t)rows;
    made->array.offset = (int64_t)offset;
    made->array.null_count = -1;
    made->array.buffers = made->buffers;
    made->array.release = release_array;
    fill(input, format, made, rows + offset);
    if ((oddity & 1) != 0) {
        made->buffers[0] = block(fuzz_field(input), (rows + offset) / 8 + 1);
    }
    if ((oddity & 0xF0) == 0xF0) { /* one field is below zero */
        int64_t *const fields[] = {&made->array.length,
                                   &made->array.offset,
                                   &made->array.n_buffers,
                                   &made->array.null_count};
        const uint64_t number = (uint64_t)fuzz_number(input) << 32;
        *fields[oddity % 4] = (int64_t)(number | UINT64_C(1) << 63);
    }
}

static void unmake(struct made *made)
{
    for (size_t i = 0; i < BUFFERS_MAX; i++) {
        free((void *)(uintptr_t)made->buffers[i]);
    }
}

static themis_column *column_of(struct made *made)
{
    const char *why = NULL;
    themis_column *column = NULL;
    int status;
    MUST(themis_column_new(&column) == THEMIS_SUCCESS);
    status = themis_column_add(column, &made->schema, &made->array, &why);
    MUST(status == THEMIS_SUCCESS || status == THEMIS_INVALID_PARAMETER);
    MUST((status == THEMIS_SUCCESS) == (why == NULL));
    if (status != THEMIS_SUCCESS) {
        themis_column_free(column);
        return NULL;
    }
    return column;
}

/* Does a job whole; NULL if it is refused. */
static themis_column_result *
run(themis_ring *ring, int operation, themis_column *values, themis_column *rows, uint8_t flags)
{
    themis_column_job *job = NULL;
    themis_column_result *result = NULL;
    size_t parts = 0;
    uint64_t failed = 0;
    const char *why = NULL;
    int status;
    MUST(themis_column_job_new(ring, operation, values, &job) == THEMIS_SUCCESS);
    MUST(themis_column_job_context(job, (const uint8_t *)"\3", 1, rows) == THEMIS_SUCCESS);
    if (rows != NULL && (flags & FLAG_PARTS) != 0) {
        MUST(themis_column_job_id_part(job, rows) == THEMIS_SUCCESS);
    }
    (void)themis_column_job_option(job, THEMIS_COLUMN_BARE, (flags & FLAG_BARE) != 0);
    (void)themis_column_job_option(job,
                                   THEMIS_COLUMN_PADDING,
                                   (flags & (FLAG_BARE | FLAG_PADDED)) == FLAG_PADDED ? 16 : 0);
    if (operation == THEMIS_COLUMN_DECRYPT) {
        (void)themis_column_job_option(job, THEMIS_COLUMN_NULLS, (flags & FLAG_NULLS) != 0);
    }
    status = themis_column_job_begin(job, &parts, &failed, &why);
    for (size_t part = 0; status == THEMIS_SUCCESS && part < parts; part++) {
        status = themis_column_job_part(job, part, &failed, &why);
    }
    if (status == THEMIS_SUCCESS) {
        MUST(themis_column_job_end(job, &result) == THEMIS_SUCCESS);
        MUST(themis_column_result_rows(result) == themis_column_rows(values));
    } else {
        MUST(status == THEMIS_INVALID_PARAMETER || status == THEMIS_FAIL ||
             status == THEMIS_NOT_SUPPORTED || status == THEMIS_DATA_CORRUPT);
        MUST(failed < themis_column_rows(values) || failed == 0);
    }
    themis_column_job_free(job);
    return result;
}

/* What was encrypted is decrypted, through structures of our own, to what it was. */
static void
demand_round(themis_ring *ring, themis_column *values, themis_column *rows, uint8_t flags)
{
    themis_column_result *sealed = run(ring, THEMIS_COLUMN_ENCRYPT, values, rows, flags);
    themis_column_result *opened;
    themis_column *column = NULL;
    const uint8_t *value;
    const char *why;
    size_t *sizes;
    void *schema;
    void *array;
    if (sealed == NULL) {
        return;
    }
    schema = themis_column_result_schema(sealed);
    array = themis_column_result_array(sealed);
    MUST(schema != NULL && array != NULL);
    MUST(themis_column_new(&column) == THEMIS_SUCCESS);
    MUST(themis_column_add(column, schema, array, &why) == THEMIS_SUCCESS);
    opened = run(ring, THEMIS_COLUMN_DECRYPT, column, rows, flags);
    MUST(opened != NULL && themis_column_result_refused(opened) == 0);
    MUST(themis_column_result_nulls(opened) == themis_column_result_nulls(sealed));
    sizes = calloc((size_t)themis_column_rows(values) + 1, sizeof *sizes);
    MUST(sizes != NULL);
    value = themis_column_result_values(opened, sizes);
    for (uint64_t row = 0; row < themis_column_rows(values); row++) {
        const size_t size = sizes[row];
        size_t old_size;
        const uint8_t *old = themis_column_peek(values, row, &old_size);
        MUST(old == NULL || (size == old_size && memcmp(value, old, size) == 0));
        value += size != SIZE_MAX ? size : 0;
    }
    free(sizes);
    themis_column_free(column);
    themis_arrow_schema_free(schema);
    themis_arrow_array_free(array);
    themis_column_result_free(opened);
    themis_column_result_free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    const char *why = NULL;
    struct made made[3];
    themis_column *values;
    themis_column *rows = NULL;
    themis_ring *blank = NULL;
    themis_ring *ring = NULL;
    MUST(themis_ring_new((const uint8_t *)"shop", 4, &blank) == THEMIS_SUCCESS);
    MUST(themis_ring_add(blank,
                         1,
                         (const uint8_t *)"32 bytes of a ring: 7d1e5b9a20c4",
                         32,
                         &ring,
                         &why) == THEMIS_SUCCESS);
    make(&input, formats[fuzz_byte(&input) % 16], &made[0]);
    make(&input, (flags & FLAG_DICTIONARY) != 0 ? "u" : "z", &made[1]);
    if ((flags & FLAG_DICTIONARY) != 0) {
        made[0].schema.dictionary = &made[1].schema;
        made[0].array.dictionary = &made[1].array;
    }
    make(&input, formats[fuzz_byte(&input) % 16], &made[2]);
    values = column_of(&made[0]);
    if ((flags & FLAG_ROWS) != 0) {
        rows = column_of(&made[2]);
    }
    if (values != NULL && (rows != NULL || (flags & FLAG_ROWS) == 0)) {
        demand_round(ring, values, rows, flags);
        themis_column_result_free(run(ring, THEMIS_COLUMN_DECRYPT, values, rows, flags));
        themis_column_result_free(run(ring, THEMIS_COLUMN_ROTATE, values, rows, flags));
        themis_column_result_free(run(ring, THEMIS_COLUMN_INDEX, values, rows, flags));
    }
    themis_column_free(values);
    themis_column_free(rows);
    for (size_t i = 0; i < 3; i++) {
        unmake(&made[i]);
    }
    themis_ring_free(ring);
    themis_ring_free(blank);
    return 0;
}

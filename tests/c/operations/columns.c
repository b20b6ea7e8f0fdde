/* SPDX-License-Identifier: Apache-2.0 */
/* Columns: three rows, of which the second has no value. */
#include "operations/stage.h"

#include <stdlib.h>
#include <string.h>

#include "secrets.h"

static const char payload[] =
    "{\"keys\":["
    "{\"created\":1,\"id\":\"0102030405\",\"key\":"
    "\"aXRzIG9sZGVyIGtleSwgYXMgbG9uZzogMDNmYTk4ZTE=\",\"state\":\"active\"},"
    "{\"created\":2,\"id\":\"1112131415\",\"key\":"
    "\"MzIgYnl0ZXMgb2YgYSByaW5nOiA3ZDFlNWI5YTIwYzQ=\",\"state\":\"active\"}],"
    "\"legacy\":[],\"name\":\"shop\",\"primary\":\"1112131415\",\"version\":7}";
static const uint8_t older_key[THEMIS_RING_KEY_SIZE] = "its older key, as long: 03fa98e1";
static const uint8_t primary_key[THEMIS_RING_KEY_SIZE] = "32 bytes of a ring: 7d1e5b9a20c4";
static const uint8_t older_id[THEMIS_RING_ID_SIZE] = {1, 2, 3, 4, 5};
static const uint8_t place[] = {3, 0, 1, 't', 0, 1, 'c'};
static const uint8_t ids[] = "1234567890";
static const size_t ids_sizes[] = {1, 4, 5};

enum { ROWS = 3, FRAMED_SIZE = TEXT_SIZE + 1, CELL_SIZE = FRAMED_SIZE + THEMIS_RING_OVERHEAD };

/* The context of the row with this number. */
static void place_of(int row, uint8_t out[16], size_t *len)
{
    const uint8_t *id = ids + (row == 0 ? 0 : 5);
    const size_t size = ids_sizes[row];
    memcpy(out, place, sizeof place);
    out[sizeof place] = 0;
    out[sizeof place + 1] = (uint8_t)size;
    memcpy(out + sizeof place + 2, id, size);
    *len = sizeof place + 2 + size;
}

static void set_up_ring(const struct operation *operation)
{
    (void)operation;
    add_cell("primary key", primary_key, sizeof primary_key, FRAMED_SIZE, false);
    add_cell("older key", older_key, sizeof older_key, FRAMED_SIZE, false);
    secrets_add("message", text, TEXT_SIZE);
    must(themis_ring_read((const uint8_t *)payload, sizeof payload - 1, &stage.ring, &stage.why),
         "a ring");
    must(themis_column_new(&stage.column), "a column");
    must(themis_column_new(&stage.rows), "a column of row ids");
    must(themis_column_add_values(stage.rows, 1, ids, sizeof ids - 1, ids_sizes, ROWS, &stage.why),
         "row ids");
}

static void add_values(size_t size)
{
    const size_t sizes[ROWS] = {size, SIZE_MAX, size};
    stage.in_len = 2 * size;
    must(themis_column_add_values(stage.column, 0, stage.in, stage.in_len, sizes, ROWS, &stage.why),
         "values");
}

static void set_up_values(const struct operation *operation)
{
    set_up_ring(operation);
    memcpy(stage.in, text, TEXT_SIZE);
    memcpy(stage.in + TEXT_SIZE, text, TEXT_SIZE);
    add_values(TEXT_SIZE);
}

/* operation->flag: under the older key. */
static void set_up_cells(const struct operation *operation)
{
    uint8_t framed[FRAMED_SIZE] = {0};
    themis_ring *writer = NULL;
    set_up_ring(operation);
    memcpy(framed + 1, text, TEXT_SIZE);
    must(themis_ring_change(stage.ring, THEMIS_RING_PROMOTE, older_id, &writer, &stage.why),
         "an older ring");
    for (int row = 0; row < ROWS; row += 2) {
        uint8_t context_of[16];
        size_t len;
        place_of(row, context_of, &len);
        must(themis_ring_encrypt(operation->flag ? writer : stage.ring,
                                 framed,
                                 sizeof framed,
                                 context_of,
                                 len,
                                 stage.in + (row == 0 ? 0 : CELL_SIZE),
                                 CELL_SIZE),
             "to encrypt");
    }
    themis_ring_free(writer);
    memset(framed, 0, sizeof framed);
    add_values(CELL_SIZE);
}

static void set_up_forged(const struct operation *operation)
{
    set_up_cells(operation);
    stage.in[stage.in_len - 1] ^= 1;
}

static int do_parts(themis_column_job *job, size_t parts)
{
    uint64_t row;
    int status = THEMIS_SUCCESS;
    for (size_t part = 0; status == THEMIS_SUCCESS && part < parts; part++) {
        status = themis_column_job_part(job, part, &row, &stage.why);
    }
    return status;
}

/* Puts the values of a result one after another. */
static void take(const themis_column_result *result)
{
    size_t sizes[ROWS];
    const uint8_t *values = themis_column_result_values(result, sizes);
    size_t total = 0;
    for (uint64_t row = 0; row < themis_column_result_rows(result); row++) {
        total += sizes[row] != SIZE_MAX ? sizes[row] : 0;
    }
    memcpy(stage.out + stage.out_len, values, total);
    stage.out_len += total;
}

static int run_job(const struct operation *operation)
{
    themis_column_job *job = NULL;
    themis_column_result *result = NULL;
    size_t parts = 0;
    uint64_t row;
    int status = themis_column_job_new(stage.ring, operation->kind, stage.column, &job);
    stage.out_len = 0;
    if (status == THEMIS_SUCCESS) {
        themis_column *rows = operation->kind == THEMIS_COLUMN_INDEX ? NULL : stage.rows;
        status = themis_column_job_context(job, place, sizeof place, rows);
    }
    if (status == THEMIS_SUCCESS) {
        status = themis_column_job_begin(job, &parts, &row, &stage.why);
    }
    if (status == THEMIS_SUCCESS) {
        status = do_parts(job, parts);
    }
    if (status == THEMIS_SUCCESS) {
        status = themis_column_job_end(job, &result);
    }
    if (status == THEMIS_SUCCESS) {
        take(result);
    }
    themis_column_result_free(result);
    themis_column_job_free(job);
    return status;
}

/* SUCCESS is to be refused. */
static int run_forged(const struct operation *operation)
{
    const int status = run_job(operation);
    return status == THEMIS_FAIL ? THEMIS_SUCCESS : status;
}

static bool is_nothing(const struct operation *operation)
{
    (void)operation;
    return stage.out_len == 0;
}

static bool are_cells(const struct operation *operation)
{
    bool right = stage.out_len == (size_t)2 * CELL_SIZE;
    (void)operation;
    for (int row = 0; right && row < ROWS; row += 2) {
        const uint8_t *cell = stage.out + (row == 0 ? 0 : CELL_SIZE);
        uint8_t opened[FRAMED_SIZE];
        uint8_t context_of[16];
        size_t len;
        place_of(row, context_of, &len);
        right = memcmp(cell, "TK1\x11\x12\x13\x14\x15", THEMIS_RING_PREFIX_SIZE) == 0 &&
                themis_ring_decrypt(stage.ring,
                                    cell,
                                    CELL_SIZE,
                                    context_of,
                                    len,
                                    opened,
                                    sizeof opened) == THEMIS_SUCCESS &&
                opened[0] == 0 && memcmp(opened + 1, text, TEXT_SIZE) == 0;
    }
    return right;
}

static bool are_values(const struct operation *operation)
{
    (void)operation;
    return stage.out_len == (size_t)2 * TEXT_SIZE && memcmp(stage.out, text, TEXT_SIZE) == 0 &&
           memcmp(stage.out + TEXT_SIZE, text, TEXT_SIZE) == 0;
}

static bool are_equal(const struct operation *operation)
{
    (void)operation;
    return stage.out_len == 2 && stage.out[0] == stage.out[1];
}

/* ---- A result as structures of Arrow ---- */

static int run_export(const struct operation *operation)
{
    themis_column_result *result = NULL;
    themis_column_job *job = NULL;
    size_t parts = 0;
    uint64_t row;
    void *array = NULL;
    void *schema = NULL;
    int status = themis_column_job_new(stage.ring, operation->kind, stage.column, &job);
    if (status == THEMIS_SUCCESS) {
        status = themis_column_job_begin(job, &parts, &row, &stage.why);
    }
    if (status == THEMIS_SUCCESS) {
        status = do_parts(job, parts);
    }
    if (status == THEMIS_SUCCESS) {
        status = themis_column_job_end(job, &result);
    }
    if (status == THEMIS_SUCCESS) {
        array = themis_column_result_array(result);
        schema = themis_column_result_schema(result);
        status = array != NULL && schema != NULL ? THEMIS_SUCCESS : THEMIS_NO_MEMORY;
        stage.out[0] = 1;
    }
    themis_column_result_free(result);
    themis_arrow_array_free(array);
    themis_arrow_schema_free(schema);
    themis_column_job_free(job);
    return status;
}

/* ---- Columns of lists ---- */

static int run_add(const struct operation *operation)
{
    const size_t sizes[2] = {TEXT_SIZE - 1, 1};
    themis_column *column = NULL;
    int status = themis_column_new(&column);
    (void)operation;
    if (status == THEMIS_SUCCESS) {
        status = themis_column_add_values(column, 0, text, TEXT_SIZE, sizes, 2, &stage.why);
    }
    stage.out[0] = column != NULL && themis_column_rows(column) == 2;
    themis_column_free(column);
    return status;
}

static bool is_done(const struct operation *operation)
{
    (void)operation;
    return stage.out[0] == 1;
}

const struct operation column_operations[] = {
    {.name = "column_add_values", .run = run_add, .is_right = is_done},
    {.name = "column encrypt",
     .set_up = set_up_values,
     .run = run_job,
     .is_right = are_cells,
     .kind = THEMIS_COLUMN_ENCRYPT},
    {.name = "column decrypt",
     .set_up = set_up_cells,
     .run = run_job,
     .is_right = are_values,
     .kind = THEMIS_COLUMN_DECRYPT},
    {.name = "column decrypt a forgery",
     .set_up = set_up_forged,
     .run = run_forged,
     .is_right = is_nothing,
     .kind = THEMIS_COLUMN_DECRYPT},
    {.name = "column rotate",
     .set_up = set_up_cells,
     .run = run_job,
     .is_right = are_cells,
     .kind = THEMIS_COLUMN_ROTATE,
     .flag = 1},
    {.name = "column index",
     .set_up = set_up_values,
     .run = run_job,
     .is_right = are_equal,
     .kind = THEMIS_COLUMN_INDEX},
    {.name = "column export",
     .set_up = set_up_values,
     .run = run_export,
     .is_right = is_done,
     .kind = THEMIS_COLUMN_INDEX},
    {.name = NULL},
};

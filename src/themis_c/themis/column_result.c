/* SPDX-License-Identifier: Apache-2.0 */
/* What a job made, as an array of Arrow. Arrays that are exported share it. */
#include <stdlib.h>
#include <string.h>

#include "soter/compiler.h"
#include "soter/wipe.h"
#include "themis/column_state.h"

void themis_column_put(uint8_t *offsets, size_t width, uint64_t row, uint64_t number)
{
    if (width == 4) {
        const uint32_t four = (uint32_t)number;
        memcpy(offsets + row * 4, &four, 4);
    } else {
        memcpy(offsets + row * 8, &number, 8);
    }
}

uint64_t themis_column_get(const uint8_t *offsets, size_t width, uint64_t row)
{
    uint32_t four;
    uint64_t eight;
    if (width == 4) {
        memcpy(&four, offsets + row * 4, 4);
        return four;
    }
    memcpy(&eight, offsets + row * 8, 8);
    return eight;
}

void themis_column_result_free(themis_column_result *result)
{
    if (result == NULL || SOTER_ADD(&result->references, -1) != 0) {
        return;
    }
    if (result->is_plain) {
        soter_wipe(result->data, result->data_len);
    }
    free(result->data);
    free(result->offsets);
    free(result->validity);
    free(result);
}

uint64_t themis_column_result_rows(const themis_column_result *result)
{
    return result->rows;
}

uint64_t themis_column_result_nulls(const themis_column_result *result)
{
    return result->nulls;
}

uint64_t themis_column_result_refused(const themis_column_result *result)
{
    return result->refused;
}

const uint8_t *themis_column_result_values(const themis_column_result *result, size_t *sizes)
{
    uint64_t start = 0;
    for (uint64_t row = 0; row < result->rows; row++) {
        const uint64_t end = themis_column_get(result->offsets, result->width, row + 1);
        const bool is_null = ((result->validity[row >> 3] >> (row & 7)) & 1) == 0;
        sizes[row] = is_null ? SIZE_MAX : (size_t)(end - start);
        start = end;
    }
    return result->data;
}

/* ---- As structures of Arrow ---- */

struct exported {
    const void *buffers[3];
    themis_column_result *result;
};

static void release_array(struct themis_arrow_array *array)
{
    struct exported *exported = array->private_data;
    themis_column_result_free(exported->result);
    free(exported);
    array->release = NULL;
}

static void release_schema(struct themis_arrow_schema *schema)
{
    schema->release = NULL;
}

void *themis_column_result_schema(const themis_column_result *result)
{
    struct themis_arrow_schema *schema = calloc(1, sizeof *schema);
    if (schema != NULL) {
        schema->format = result->is_text      ? result->width == 4 ? "u" : "U"
                         : result->width == 4 ? "z"
                                              : "Z";
        schema->name = "";
        schema->flags = THEMIS_ARROW_NULLABLE;
        schema->release = release_schema;
    }
    return schema;
}

void *themis_column_result_array(themis_column_result *result)
{
    struct themis_arrow_array *array = calloc(1, sizeof *array);
    struct exported *exported = calloc(1, sizeof *exported);
    if (array == NULL || exported == NULL) {
        free(array);
        free(exported);
        return NULL;
    }
    (void)SOTER_ADD(&result->references, 1);
    exported->result = result;
    exported->buffers[0] = result->nulls != 0 ? result->validity : NULL;
    exported->buffers[1] = result->offsets;
    exported->buffers[2] = result->data;
    array->length = (int64_t)result->rows;
    array->null_count = (int64_t)result->nulls;
    array->n_buffers = 3;
    array->buffers = exported->buffers;
    array->release = release_array;
    array->private_data = exported;
    return array;
}

void themis_arrow_schema_free(void *place)
{
    struct themis_arrow_schema *schema = place;
    if (schema != NULL && schema->release != NULL) {
        schema->release(schema);
    }
    free(schema);
}

void themis_arrow_array_free(void *place)
{
    struct themis_arrow_array *array = place;
    if (array != NULL && array->release != NULL) {
        array->release(array);
    }
    free(array);
}

/* ---- In capsules of Python, which the core does not know: it is given what it needs ---- */

#define SCHEMA_NAME "arrow_schema"
#define ARRAY_NAME "arrow_array"

const char *themis_arrow_schema_name(void)
{
    return SCHEMA_NAME;
}

const char *themis_arrow_array_name(void)
{
    return ARRAY_NAME;
}

static void *(*pointer_of)(void *capsule, const char *name);

void themis_arrow_capsules(void *(*get_pointer)(void *capsule, const char *name))
{
    pointer_of = get_pointer;
}

void themis_arrow_schema_capsule_end(void *capsule)
{
    themis_arrow_schema_free(pointer_of(capsule, SCHEMA_NAME));
}

void themis_arrow_array_capsule_end(void *capsule)
{
    themis_arrow_array_free(pointer_of(capsule, ARRAY_NAME));
}

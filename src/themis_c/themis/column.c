/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs on whole columns. The values are measured first, and room is made for all results; then
 * threads work through parts, each within room of its own; at last the results move together.
 * Between the first and the second look other programs may have written to the column's memory: the
 * room is compared each time. */
#include <stdlib.h>
#include <string.h>

#include "soter/rand.h"
#include "soter/wipe.h"
#include "themis/column_row.h"

#define PART_ROWS 4096
#define PART_SIZE ((uint64_t)1 << 20)
#define PARTS_FIRST 16
#define PLACE_PART_MAX (2 + 65535) /* a part of a place, and its length */

int themis_column_job_new(themis_ring *ring,
                          int operation,
                          const themis_column *values,
                          themis_column_job **out)
{
    themis_column_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        return SOTER_NO_MEMORY;
    }
    job->result = calloc(1, sizeof *job->result);
    if (job->result == NULL) {
        free(job);
        return SOTER_NO_MEMORY;
    }
    job->ring = ring;
    job->operation = operation;
    job->values = values;
    job->bits = 8;
    job->result->references = 1;
    job->result->rows = values->rows;
    job->result->is_plain = true; /* until nothing secret is left in it */
    *out = job;
    return SOTER_SUCCESS;
}

void themis_column_job_free(themis_column_job *job)
{
    if (job != NULL) {
        themis_column_result_free(job->result);
        free(job->context);
        free(job->parts);
        free(job);
    }
}

/* ---- What it shall do ---- */

int themis_column_job_context(themis_column_job *job,
                              const uint8_t *context,
                              size_t context_len,
                              const themis_column *rows)
{
    uint8_t *copy = malloc(context_len + 1);
    if (copy == NULL) {
        return SOTER_NO_MEMORY;
    }
    if (context_len != 0) {
        memcpy(copy, context, context_len);
    }
    free(job->context);
    job->context = copy;
    job->context_len = context_len;
    job->rows[0] = rows;
    job->rows_count = rows != NULL ? 1 : 0;
    job->rows_are_contexts = false;
    return SOTER_SUCCESS;
}

int themis_column_job_id_part(themis_column_job *job, const themis_column *rows)
{
    if (job->rows_count == 0 || job->rows_count == THEMIS_COLUMN_ID_PARTS_MAX ||
        job->rows_are_contexts) {
        return SOTER_INVALID_PARAMETER;
    }
    job->rows[job->rows_count++] = rows;
    return SOTER_SUCCESS;
}

void themis_column_job_contexts(themis_column_job *job, const themis_column *contexts)
{
    job->rows[0] = contexts;
    job->rows_count = 1;
    job->rows_are_contexts = true;
}

int themis_column_job_option(themis_column_job *job, int option, uint64_t value)
{
    switch (option) {
    case THEMIS_COLUMN_BARE:
        job->is_bare = value != 0;
        return SOTER_SUCCESS;
    case THEMIS_COLUMN_PADDING:
        job->padding = (size_t)value;
        return value <= THEMIS_COLUMN_PADDING_MAX ? SOTER_SUCCESS : SOTER_INVALID_PARAMETER;
    case THEMIS_COLUMN_TEXT:
        job->result->is_text = value != 0;
        return SOTER_SUCCESS;
    case THEMIS_COLUMN_NULLS:
        job->refused_are_null = value != 0;
        return value == 0 || job->operation == THEMIS_COLUMN_DECRYPT ? SOTER_SUCCESS
                                                                     : SOTER_INVALID_PARAMETER;
    case THEMIS_COLUMN_KEY:
        job->key = (size_t)value;
        return value < job->ring->keys_count ? SOTER_SUCCESS : SOTER_INVALID_PARAMETER;
    case THEMIS_COLUMN_BITS:
        job->bits = (size_t)value;
        return value >= 8 && value <= 256 ? SOTER_SUCCESS : SOTER_INVALID_PARAMETER;
    default:
        return SOTER_INVALID_PARAMETER;
    }
}

/* Whether the parts of the job go together. */
static const char *check(const struct themis_column_job *job)
{
    const enum themis_column_kind kind = job->values->kind;
    const bool reads =
        job->operation == THEMIS_COLUMN_DECRYPT || job->operation == THEMIS_COLUMN_ROTATE;
    if (reads && job->values->rows != 0 && kind != THEMIS_COLUMN_OF_BYTES &&
        kind != THEMIS_COLUMN_OF_NULLS) {
        return "cells are bytes, and this column is not: is it encrypted?";
    }
    if (job->is_bare && job->padding != 0) {
        return "bare values cannot be padded";
    }
    for (size_t i = 0; i < job->rows_count; i++) {
        if (job->rows[i]->rows != job->values->rows) {
            return "its row ids or contexts are of another number";
        }
    }
    if (job->operation == THEMIS_COLUMN_INDEX && job->key >= job->ring->keys_count) {
        return "the ring of its index has no keys";
    }
    return NULL;
}

/* ---- Measuring ---- */

static soter_status add_part(struct themis_column_job *job, uint64_t row, uint64_t start)
{
    const struct themis_column_part part = {row, start, 0};
    if (job->parts_count == job->parts_room) {
        const size_t room = job->parts_room != 0 ? job->parts_room * 2 : PARTS_FIRST;
        struct themis_column_part *parts = realloc(job->parts, room * sizeof *parts);
        if (parts == NULL) {
            return SOTER_NO_MEMORY;
        }
        job->parts = parts;
        job->parts_room = room;
    }
    job->parts[job->parts_count++] = part;
    return SOTER_SUCCESS;
}

/* Cuts the rows into parts, and measures the room of each. Behind the last is one that begins where
 * the others end. */
static soter_status measure(struct themis_column_job *job, uint64_t *failed, const char **why)
{
    const uint64_t rows = job->values->rows;
    const size_t slack = themis_column_slack(job);
    struct themis_column_cursor cursor = {job->values, 0};
    struct themis_column_value value;
    uint64_t size = 0;
    uint64_t total = 0;
    soter_status status = add_part(job, 0, 0);
    for (uint64_t row = 0; status == SOTER_SUCCESS && row < rows; row++) {
        const struct themis_column_part *part = &job->parts[job->parts_count - 1];
        if (row % 8 == 0 && (row - part->first >= PART_ROWS || total - part->start >= PART_SIZE)) {
            total += slack;
            status = add_part(job, row, total);
        }
        *failed = row;
        *why = themis_column_read(&cursor, row, &value);
        if (*why == NULL) {
            *why = themis_column_row_size(job, &value, &size);
        }
        total += size;
        if (*why != NULL || total > SIZE_MAX / 4) {
            *why = *why != NULL ? *why : "the column is too large: pass it in parts";
            status = SOTER_INVALID_PARAMETER;
        }
    }
    soter_wipe(&value, sizeof value);
    if (status == SOTER_SUCCESS) {
        total += slack;
        job->result->data_len = (size_t)total;
        job->result->width = total <= INT32_MAX ? 4 : 8;
        status = add_part(job, rows, total);
    }
    return status;
}

static soter_status make_room(themis_column_result *result)
{
    if (result->rows <= SIZE_MAX / 8 - 1) {
        result->validity = malloc((size_t)(result->rows / 8) + 1);
        result->offsets = malloc((size_t)(result->rows + 1) * result->width);
    }
    result->data = malloc(result->data_len + 1);
    if (result->data == NULL) {
        result->data_len = 0; /* nothing is there to be wiped */
    }
    if (result->validity == NULL || result->offsets == NULL || result->data == NULL) {
        return SOTER_NO_MEMORY;
    }
    return SOTER_SUCCESS;
}

int themis_column_job_begin(themis_column_job *job,
                            size_t *parts,
                            uint64_t *failed,
                            const char **why)
{
    uint8_t seed[16] = {0}; /* public, but not predictable */
    soter_status status;
    *failed = 0;
    *why = NULL;
    if (job->result == NULL || job->parts != NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    *why = check(job);
    if (*why != NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    status = measure(job, failed, why);
    if (status == SOTER_SUCCESS) {
        status = make_room(job->result);
    }
    if (status == SOTER_SUCCESS && job->operation == THEMIS_COLUMN_ENCRYPT &&
        job->rows_count != 0 && !job->rows_are_contexts) {
        status = soter_rand_public(seed, sizeof seed);
        if (status == SOTER_SUCCESS) {
            *why = themis_column_check_ids(job, seed, failed);
            status = *why == NULL ? SOTER_SUCCESS : SOTER_INVALID_PARAMETER;
        }
    }
    if (status == SOTER_SUCCESS) {
        *parts = job->parts_count - 1;
    }
    return status;
}

/* ---- Working ---- */

/* Whether a row that was refused may become null: its cell is, and not the structure of columns. */
static bool is_null_then(const struct themis_column_job *job, soter_status status)
{
    if (!job->refused_are_null || job->operation != THEMIS_COLUMN_DECRYPT) {
        return false;
    }
    return status == SOTER_FAIL || status == SOTER_INVALID_PARAMETER ||
           status == SOTER_NOT_SUPPORTED || status == SOTER_DATA_CORRUPT;
}

static soter_status do_row(struct themis_column_worker *worker,
                           struct themis_column_part *part,
                           uint64_t row,
                           const char **why)
{
    const struct themis_column_job *job = worker->job;
    themis_column_result *result = job->result;
    struct themis_column_value value;
    struct soter_slice context = {NULL, 0};
    size_t size = 0;
    soter_status status = SOTER_INVALID_PARAMETER;
    *why = themis_column_row_context(worker, row, &context);
    if (*why == NULL) {
        *why = themis_column_read(&worker->values, row, &value);
    }
    if (*why != NULL) {
        return status;
    }
    if (!value.is_null) {
        status = themis_column_row_run(worker, &value, context, &size, why);
        if (status != SOTER_SUCCESS && is_null_then(job, status)) {
            part->refused++;
            value.is_null = true;
            *why = NULL;
        } else if (status != SOTER_SUCCESS) {
            goto out;
        }
    }
    if (value.is_null) {
        size = 0;
    } else {
        result->validity[row >> 3] |= (uint8_t)(1U << (row & 7));
    }
    themis_column_put(result->offsets, result->width, row, size);
    worker->at += size;
    worker->left -= size;
    status = SOTER_SUCCESS;
out:
    if (job->values->kind == THEMIS_COLUMN_OF_INTEGERS ||
        job->values->kind == THEMIS_COLUMN_OF_UUIDS) {
        soter_wipe(value.text, sizeof value.text);
    }
    return status;
}

static soter_status
begin_part(const struct themis_column_job *job, size_t index, struct themis_column_worker *worker)
{
    const struct themis_column_part *part = &job->parts[index];
    const size_t room =
        job->context_len + (job->rows_are_contexts ? 0 : job->rows_count * PLACE_PART_MAX) + 1;
    soter_status status = themis_ring_hand_open(&worker->hand);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    worker->context = malloc(room);
    if (worker->context == NULL) {
        return SOTER_NO_MEMORY;
    }
    if (job->context_len != 0) {
        memcpy(worker->context, job->context, job->context_len);
    }
    worker->context_len = job->context_len;
    worker->at = job->result->data + part->start;
    worker->left = (size_t)(part[1].start - part->start);
    memset(job->result->validity + part->first / 8,
           0,
           (size_t)(part[1].first - part->first + 7) / 8);
    return SOTER_SUCCESS;
}

int themis_column_job_part(themis_column_job *job, size_t index, uint64_t *failed, const char **why)
{
    struct themis_column_worker worker = {.job = job,
                                          .hand = {job->ring, NULL},
                                          .values = {job->values, 0}};
    struct themis_column_part *part;
    soter_status status;
    *failed = 0;
    *why = NULL;
    if (job->result == NULL || job->result->data == NULL || index >= job->parts_count - 1) {
        return SOTER_INVALID_PARAMETER;
    }
    part = &job->parts[index];
    for (size_t i = 0; i < job->rows_count; i++) {
        worker.rows[i].column = job->rows[i];
    }
    status = begin_part(job, index, &worker);
    for (uint64_t row = part->first; status == SOTER_SUCCESS && row < part[1].first; row++) {
        *failed = row;
        status = do_row(&worker, part, row, why);
    }
    free(worker.context); /* public */
    themis_ring_hand_close(&worker.hand);
    return status;
}

/* ---- The result ---- */

int themis_column_job_end(themis_column_job *job, themis_column_result **out)
{
    themis_column_result *result = job->result;
    uint64_t end = 0;
    if (job->parts_count == 0 || result == NULL || result->data == NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    for (size_t i = 0; i + 1 < job->parts_count; i++) {
        const struct themis_column_part *part = &job->parts[i];
        const uint64_t start = end;
        for (uint64_t row = part->first; row < part[1].first; row++) {
            const uint64_t size = themis_column_get(result->offsets, result->width, row);
            themis_column_put(result->offsets, result->width, row, end);
            result->nulls += ((result->validity[row >> 3] >> (row & 7)) & 1) == 0;
            end += size;
        }
        if (start != part->start) {
            memmove(result->data + start, result->data + part->start, (size_t)(end - start));
        }
        result->refused += part->refused;
    }
    themis_column_put(result->offsets, result->width, result->rows, end);
    result->is_plain = job->operation == THEMIS_COLUMN_DECRYPT;
    job->result = NULL;
    *out = result;
    return SOTER_SUCCESS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a job on a column, and of its result, for their parts. */
#ifndef THEMIS_COLUMN_STATE_H
#define THEMIS_COLUMN_STATE_H

#include "themis.h"
#include "themis/column_chunks.h"
#include "themis/ring_hand.h"

/* Rows that one thread works on. Threads never write to one byte: it begins at a multiple of 8. */
struct themis_column_part {
    uint64_t first;   /* row */
    uint64_t start;   /* of its room in the data */
    uint64_t refused; /* rows that became null */
};

struct themis_column_result {
    long references;
    uint64_t rows;
    uint64_t nulls;
    uint64_t refused;
    size_t width;  /* of an offset: 4 or 8 */
    bool is_text;  /* else bytes */
    bool is_plain; /* to be wiped */
    uint8_t *validity;
    uint8_t *offsets; /* lengths of the values, until the job ends */
    uint8_t *data;
    size_t data_len; /* of the room */
};

struct themis_column_job {
    themis_ring *ring;
    const themis_column *values;
    const themis_column *rows[THEMIS_COLUMN_ID_PARTS_MAX]; /* a part of the row ids each */
    size_t rows_count;                                     /* 0: one context for all */
    int operation;
    bool rows_are_contexts; /* a single one; else the last parts of places */
    uint8_t *context;       /* all of a context, or what stands before the last parts of a place */
    size_t context_len;
    size_t padding; /* of framed values; 0: none */
    bool is_bare;
    bool refused_are_null;
    size_t key;  /* of an index */
    size_t bits; /* of an index */
    struct themis_column_part *parts;
    size_t parts_count;
    size_t parts_room;
    themis_column_result *result;
};

/* Reads and writes an offset. */
void themis_column_put(uint8_t *offsets, size_t width, uint64_t row, uint64_t number);
SOTER_MUST_USE uint64_t themis_column_get(const uint8_t *offsets, size_t width, uint64_t row);

/* Whether no two rows that have a value have one id. Uses the room for data, which has 53 bytes or
 * more for each of these rows. Returns NULL, or why not; *failed is the second of them. */
SOTER_MUST_USE const char *themis_column_check_ids(const struct themis_column_job *job,
                                                   const uint8_t seed[16],
                                                   uint64_t *failed);

#endif

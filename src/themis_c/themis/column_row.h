/* SPDX-License-Identifier: Apache-2.0 */
/* One row of a job: its context, its value, its result. */
#ifndef THEMIS_COLUMN_ROW_H
#define THEMIS_COLUMN_ROW_H

#include "themis/column_state.h"

/* Where one thread is. */
struct themis_column_worker {
    const struct themis_column_job *job;
    struct themis_ring_hand hand;
    struct themis_column_cursor values;
    struct themis_column_cursor rows[THEMIS_COLUMN_ID_PARTS_MAX];
    struct themis_column_value id; /* a part of the row's, or where its context lies */
    uint8_t *context;              /* the beginning of a place, and room for its last parts */
    size_t context_len;
    uint8_t *at; /* where the next result begins, and what is left of the room */
    size_t left;
};

/* What a row needs at most; 0 if it is null. Returns NULL, or why it is refused. */
SOTER_MUST_USE const char *themis_column_row_size(const struct themis_column_job *job,
                                                  const struct themis_column_value *value,
                                                  uint64_t *size);

/* What a part needs beside that: its last row is longer before it is done. */
SOTER_MUST_USE size_t themis_column_slack(const struct themis_column_job *job);

/* The row's context. Returns NULL, or why there is none. */
SOTER_MUST_USE const char *themis_column_row_context(struct themis_column_worker *worker,
                                                     uint64_t row,
                                                     struct soter_slice *context);

/* Does the work for a value that is not null, at worker->at. `size` is that of the result. After a
 * failure *why is a static text, or NULL. */
SOTER_MUST_USE soter_status themis_column_row_run(struct themis_column_worker *worker,
                                                  const struct themis_column_value *value,
                                                  struct soter_slice context,
                                                  size_t *size,
                                                  const char **why);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One Seal cell in pieces. */
#include "operations/stage.h"

#include <string.h>

#include "secrets.h"

enum { READ, FORGED, CHANGED }; /* what reading meets */

static void set_up_writing(const struct operation *operation)
{
    (void)operation;
    must(themis_cell_new(SHORT_KEY, 0, &stage.cell), "a cell");
    add_cell("master key", SHORT_KEY, TEXT_SIZE, true);
    secrets_add("message", text, TEXT_SIZE);
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_writer(const struct operation *operation)
{
    themis_cell_writer *writer = NULL;
    int status = themis_cell_writer_new(stage.cell, stage.in_len, CONTEXT, &writer);
    (void)operation;
    stage.out_len = THEMIS_CELL_TOKEN_SIZE + TEXT_SIZE;
    if (status == THEMIS_SUCCESS) {
        status = themis_cell_writer_part(writer,
                                         stage.in,
                                         stage.in_len,
                                         stage.out + THEMIS_CELL_TOKEN_SIZE,
                                         stage.in_len);
    }
    if (status == THEMIS_SUCCESS) {
        status = themis_cell_writer_finish(writer, stage.out, THEMIS_CELL_TOKEN_SIZE);
    }
    themis_cell_writer_free(writer);
    return status;
}

static bool is_written(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return themis_cell_unseal(stage.cell,
                              stage.out,
                              THEMIS_CELL_TOKEN_SIZE + TEXT_SIZE,
                              CONTEXT,
                              opened,
                              TEXT_SIZE) == THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

static void set_up_reading(const struct operation *operation)
{
    set_up_writing(operation);
    stage.in_len = THEMIS_CELL_TOKEN_SIZE + TEXT_SIZE;
    must(themis_cell_seal(stage.cell, text, TEXT_SIZE, CONTEXT, stage.in, stage.in_len), "to seal");
    if (operation->flag == FORGED) {
        stage.in[stage.in_len - 1] ^= 1;
    }
}

static bool was_taken; /* the cell was verified, so that reading began */

static int run_reader(const struct operation *operation)
{
    const uint8_t *encrypted = stage.in + THEMIS_CELL_TOKEN_SIZE;
    themis_cell_reader *reader = NULL;
    int status = themis_cell_reader_new(stage.cell, stage.in, stage.in_len, CONTEXT, &reader);
    stage.out_len = TEXT_SIZE;
    if (status == THEMIS_SUCCESS) {
        status = themis_cell_reader_take(reader, encrypted, TEXT_SIZE);
    }
    was_taken = status == THEMIS_SUCCESS;
    if (operation->flag == CHANGED) {
        stage.in[stage.in_len - 1] ^= 1;
    }
    if (was_taken) {
        status = themis_cell_reader_read(reader, 0, encrypted, TEXT_SIZE, 0, stage.out, TEXT_SIZE);
    }
    if (operation->flag == CHANGED) {
        stage.in[stage.in_len - 1] ^= 1;
    }
    themis_cell_reader_free(reader);
    return status;
}

static int run_refused(const struct operation *operation)
{
    const int status = run_reader(operation);
    return status == THEMIS_FAIL ? THEMIS_SUCCESS : status;
}

/* Nothing is written for a forged cell, and what was written of a changed one is wiped. (With a
 * fault injected, the changed one may be refused before it is read.) */
static bool is_refused(const struct operation *operation)
{
    return stage.out[0] == (operation->flag == CHANGED && was_taken ? 0 : STAGE_FILL) &&
           memcmp(stage.out, stage.out + 1, TEXT_SIZE - 1) == 0;
}

const struct operation piece_operations[] = {
    {.name = "cell in pieces, writing",
     .set_up = set_up_writing,
     .run = run_writer,
     .is_right = is_written},
    {.name = "cell in pieces, reading",
     .set_up = set_up_reading,
     .run = run_reader,
     .is_right = is_opened},
    {.name = "cell in pieces, forged",
     .set_up = set_up_reading,
     .run = run_refused,
     .is_right = is_refused,
     .flag = FORGED},
    {.name = "cell in pieces, changed",
     .set_up = set_up_reading,
     .run = run_refused,
     .is_right = is_refused,
     .flag = CHANGED},
    {.name = NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Values are framed (formats, section 10.2) before they are encrypted, unless the column is bare:
 *
 *   0      1
 *   | 00 | value |
 *   | 01 | value | 80 | zeros, up to a multiple of the padding | */
#include "themis/column_row.h"

#include <string.h>

#include "soter/kdf.h"
#include "soter/wipe.h"
#include "themis/column_text.h"

#define OVERHEAD THEMIS_RING_OVERHEAD
#define TOKEN_SIZE THEMIS_CELL_TOKEN_SIZE
#define PART_MAX 65535 /* bytes of a part of a place (formats, section 7) */
#define CHANGED "it changed while it was read"

enum { PLAIN_FRAME = 0, PADDED_FRAME = 1, PADDING_START = 0x80 };

static bool has_prefix(struct soter_slice cell)
{
    return cell.len >= 2 && memcmp(cell.data, "TK", 2) == 0;
}

static uint64_t framed_size(const struct themis_column_job *job, uint64_t size)
{
    const uint64_t padding = job->padding;
    if (job->is_bare) {
        return size;
    }
    return padding == 0 ? size + 1 : (size + 2 + padding - 1) / padding * padding;
}

const char *themis_column_row_size(const struct themis_column_job *job,
                                   const struct themis_column_value *value,
                                   uint64_t *size)
{
    const uint64_t len = value->bytes.len;
    uint64_t before;
    *size = 0;
    if (value->is_null) {
        return NULL;
    }
    switch (job->operation) {
    case THEMIS_COLUMN_ENCRYPT:
        if (len > THEMIS_CELL_MESSAGE_MAX || framed_size(job, len) > THEMIS_CELL_MESSAGE_MAX) {
            return "it has more than 4294967295 bytes";
        }
        if (framed_size(job, len) == 0) {
            return "it is empty, and bare cells cannot be";
        }
        *size = framed_size(job, len) + OVERHEAD;
        return NULL;
    case THEMIS_COLUMN_DECRYPT: /* a frame takes a byte more */
        before = has_prefix(value->bytes) ? OVERHEAD : TOKEN_SIZE;
        before += job->is_bare ? 0 : 1;
        *size = len > before ? len - before : 0;
        return NULL;
    case THEMIS_COLUMN_ROTATE:
        *size = len + (has_prefix(value->bytes) ? 0 : THEMIS_RING_PREFIX_SIZE);
        return NULL;
    default:
        *size = (job->bits + 7) / 8;
        return NULL;
    }
}

size_t themis_column_slack(const struct themis_column_job *job)
{
    return job->operation == THEMIS_COLUMN_DECRYPT ? OVERHEAD + 1 : 0;
}

/* Adds a part of a row id to a place. Returns NULL, or why not. */
static const char *add_part(struct themis_column_worker *worker,
                            enum themis_column_kind kind,
                            struct soter_slice *context)
{
    const struct themis_column_value *id = &worker->id;
    uint8_t *end = worker->context + context->len;
    if (id->is_null) {
        return "its row id is null";
    }
    if (id->bytes.len > PART_MAX) {
        return "its row id has more than 65535 bytes";
    }
    if (kind == THEMIS_COLUMN_OF_TEXT && !themis_column_is_utf8(id->bytes)) {
        return "its row id is not UTF-8";
    }
    end[0] = (uint8_t)(id->bytes.len >> 8);
    end[1] = (uint8_t)id->bytes.len;
    if (id->bytes.len != 0) {
        memcpy(end + 2, id->bytes.data, id->bytes.len);
    }
    context->len += 2 + id->bytes.len;
    return NULL;
}

const char *themis_column_row_context(struct themis_column_worker *worker,
                                      uint64_t row,
                                      struct soter_slice *context)
{
    const struct themis_column_job *job = worker->job;
    const char *why = NULL;
    context->data = worker->context;
    context->len = worker->context_len;
    for (size_t i = 0; why == NULL && i < job->rows_count; i++) {
        why = themis_column_read(&worker->rows[i], row, &worker->id);
        if (why == NULL && !job->rows_are_contexts) {
            why = add_part(worker, job->rows[i]->kind, context);
        }
    }
    if (why == NULL && job->rows_are_contexts) {
        *context = worker->id.bytes;
        return worker->id.is_null                  ? "its context is null"
               : themis_ring_is_reserved(*context) ? "its context begins with TSFILE1, as those of "
                                                     "sealed files do"
                                                   : NULL;
    }
    return why;
}

/* ---- Encrypting ---- */

/* The message is copied to where it is encrypted, and judged there: other programs may write to the
 * column's memory. */
static soter_status encrypt(struct themis_column_worker *worker,
                            const struct themis_column_value *value,
                            struct soter_slice context,
                            size_t *size,
                            const char **why)
{
    const struct themis_column_job *job = worker->job;
    const size_t len = value->bytes.len;
    uint8_t *framed = worker->at + OVERHEAD;
    uint8_t *copy = framed + (job->is_bare ? 0 : 1);
    const struct themis_cell_text text = {framed,
                                          (size_t)framed_size(job, len),
                                          context.data,
                                          context.len};
    *size = text.len + OVERHEAD;
    if (!job->is_bare) {
        framed[0] = job->padding != 0 ? PADDED_FRAME : PLAIN_FRAME;
    }
    if (len != 0) {
        memcpy(copy, value->bytes.data, len);
    }
    if (job->padding != 0) {
        copy[len] = PADDING_START;
        memset(copy + len + 1, 0, text.len - len - 2);
    }
    if (job->values->kind == THEMIS_COLUMN_OF_TEXT &&
        !themis_column_is_utf8((struct soter_slice){copy, len})) {
        *why = "it is text, and not UTF-8";
        return SOTER_INVALID_PARAMETER;
    }
    return themis_ring_seal(&worker->hand, &text, worker->at);
}

/* ---- Decrypting ---- */

/* Takes the value out of its frame. */
static soter_status unframe(struct soter_slice *text, const char **why)
{
    const uint8_t frame = text->data[0];
    if (frame != PLAIN_FRAME && frame != PADDED_FRAME) {
        *why = "its frame is of a newer version, or it was written with framing=\"bare\"";
        return SOTER_NOT_SUPPORTED;
    }
    text->data++;
    text->len--;
    if (frame == PLAIN_FRAME) {
        return SOTER_SUCCESS;
    }
    while (text->len != 0 && text->data[text->len - 1] == 0) {
        text->len--;
    }
    if (text->len == 0 || text->data[text->len - 1] != PADDING_START) {
        *why = "its padding is corrupted";
        return SOTER_DATA_CORRUPT;
    }
    text->len--;
    return SOTER_SUCCESS;
}

/* The cell is copied to where its message shall be, and judged there. It reaches beyond what the
 * message needs: into the room of later rows, or into the slack. */
static soter_status decrypt(struct themis_column_worker *worker,
                            const struct themis_column_value *value,
                            struct soter_slice context,
                            size_t *size,
                            const char **why)
{
    const struct themis_column_job *job = worker->job;
    const size_t len = value->bytes.len;
    struct soter_slice text = {NULL, 0};
    size_t before;
    soter_status status;
    if (len != 0) {
        memcpy(worker->at, value->bytes.data, len);
    }
    status = themis_ring_measure(worker->at, len, &before);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = themis_ring_open(&worker->hand, worker->at, len, before, context, worker->at + before);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    text.data = worker->at + before;
    text.len = len - before;
    if (!job->is_bare) {
        status = unframe(&text, why);
    }
    if (status == SOTER_SUCCESS && job->result->is_text && !themis_column_is_utf8(text)) {
        *why = "what it holds is not UTF-8: read it as bytes";
        status = SOTER_DATA_CORRUPT;
    }
    if (status == SOTER_SUCCESS) {
        memmove(worker->at, text.data, *size = text.len);
    }
    return status;
}

/* ---- Rotating ---- */

/* `shift` is what the room was compared with: the memory is not asked for it again. */
static soter_status rotate(struct themis_column_worker *worker,
                           const struct themis_column_value *value,
                           struct soter_slice context,
                           size_t shift,
                           size_t *size)
{
    const struct themis_ring *ring = worker->hand.ring;
    const size_t len = value->bytes.len;
    uint8_t *cell = worker->at + shift;
    struct themis_cell_text text = {worker->at + OVERHEAD, 0, context.data, context.len};
    size_t before;
    soter_status status;
    if (ring->primary == THEMIS_RING_NONE) {
        return SOTER_INVALID_PARAMETER;
    }
    if (len != 0) {
        memcpy(cell, value->bytes.data, len);
    }
    *size = shift + len;
    status = themis_ring_measure(cell, len, &before);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (before + shift != OVERHEAD) { /* the memory changed */
        return SOTER_INVALID_PARAMETER;
    }
    if (shift == 0 && memcmp(cell + 3, ring->keys[ring->primary].id, THEMIS_RING_ID_SIZE) == 0) {
        return SOTER_SUCCESS;
    }
    text.len = len - before;
    status = themis_ring_open(&worker->hand, cell, len, before, context, worker->at + OVERHEAD);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return themis_ring_seal(&worker->hand, &text, worker->at);
}

/* ---- Blind indexes (formats, section 10.4) ---- */

static soter_status index_of(struct themis_column_worker *worker,
                             const struct themis_column_value *value,
                             struct soter_slice context,
                             size_t *size,
                             const char **why)
{
    const struct themis_column_job *job = worker->job;
    const struct soter_slice contexts[2] = {context, value->bytes};
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("pythemis blind index"), contexts, 2};
    struct themis_cell_key *key = NULL;
    soter_status status;
    if (job->values->kind == THEMIS_COLUMN_OF_TEXT && !themis_column_is_utf8(value->bytes)) {
        *why = "it is text, and not UTF-8";
        return SOTER_INVALID_PARAMETER;
    }
    status = themis_ring_hand_key(&worker->hand, job->key, &key);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    *size = (job->bits + 7) / 8;
    status = soter_kdf(key->master, &purpose, worker->at, *size);
    if (status == SOTER_SUCCESS && job->bits % 8 != 0) {
        worker->at[*size - 1] &= (uint8_t)(0xFF << (8 - job->bits % 8));
    }
    return status;
}

soter_status themis_column_row_run(struct themis_column_worker *worker,
                                   const struct themis_column_value *value,
                                   struct soter_slice context,
                                   size_t *size,
                                   const char **why)
{
    uint64_t needed;
    *size = 0;
    *why = themis_column_row_size(worker->job, value, &needed);
    if (*why != NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    /* Decrypting writes the whole cell first. */
    if (worker->job->operation == THEMIS_COLUMN_DECRYPT && needed < value->bytes.len) {
        needed = value->bytes.len;
    }
    if (needed > worker->left) {
        *why = CHANGED;
        return SOTER_INVALID_PARAMETER;
    }
    switch (worker->job->operation) {
    case THEMIS_COLUMN_ENCRYPT:
        return encrypt(worker, value, context, size, why);
    case THEMIS_COLUMN_DECRYPT:
        return decrypt(worker, value, context, size, why);
    case THEMIS_COLUMN_ROTATE:
        return rotate(worker, value, context, (size_t)needed - value->bytes.len, size);
    default:
        return index_of(worker, value, context, size, why);
    }
}

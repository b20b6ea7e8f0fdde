/* SPDX-License-Identifier: Apache-2.0 */
/* Many cells in one call, each encrypted or decrypted where it lies in one buffer. */
#include "soter/wipe.h"
#include "themis.h"
#include "themis/cell.h"

/* The buffer, and where the next item begins. */
struct batch {
    uint8_t *at;
    size_t left;
    const uint8_t *contexts;
    size_t contexts_left;
};

struct item {
    uint8_t *bytes; /* a token of `growth` bytes, and the message after it */
    size_t message_len;
    struct soter_slice context;
};

/* One item of one operation. */
typedef int (*item_function)(themis_cell *cell, const struct item *item);

static bool next_item(struct batch *batch, size_t growth, struct item *item)
{
    if (item->message_len > batch->left || batch->left - item->message_len < growth ||
        item->context.len > batch->contexts_left) {
        return false;
    }
    item->bytes = batch->at;
    item->context.data = batch->contexts;
    batch->at += growth + item->message_len;
    batch->left -= growth + item->message_len;
    if (item->context.len != 0) {
        batch->contexts += item->context.len;
        batch->contexts_left -= item->context.len;
    }
    return true;
}

/* Threads that work through parts of one list share the cell: each takes a copy for itself, so
 * that none disturbs what another keeps for reuse. */
static int for_each(themis_cell *shared,
                    struct batch *batch,
                    const size_t *sizes,
                    size_t count,
                    size_t growth,
                    item_function function,
                    size_t *failed)
{
    themis_cell *cell = NULL;
    int status = themis_cell_copy(shared, &cell);
    for (*failed = 0; status == SOTER_SUCCESS && *failed < count; ++*failed) {
        struct item item = {0};
        item.message_len = sizes[*failed];
        item.context.len = batch->contexts != NULL ? sizes[count + *failed] : 0;
        status = next_item(batch, growth, &item) ? function(cell, &item) : SOTER_INVALID_PARAMETER;
        if (status != SOTER_SUCCESS) {
            break;
        }
    }
    themis_cell_free(cell);
    return status;
}

static int seal(themis_cell *cell, const struct item *item)
{
    return themis_cell_seal(cell,
                            item->bytes + THEMIS_CELL_TOKEN_SIZE,
                            item->message_len,
                            item->context.data,
                            item->context.len,
                            item->bytes,
                            item->message_len + THEMIS_CELL_TOKEN_SIZE);
}

static int unseal(themis_cell *cell, const struct item *item)
{
    return themis_cell_unseal(cell,
                              item->bytes,
                              THEMIS_CELL_TOKEN_SIZE + item->message_len,
                              item->context.data,
                              item->context.len,
                              item->bytes + THEMIS_CELL_TOKEN_SIZE,
                              item->message_len);
}

static int imprint(themis_cell *cell, const struct item *item)
{
    return themis_cell_imprint(cell,
                               item->bytes,
                               item->message_len,
                               item->context.data,
                               item->context.len,
                               item->bytes,
                               item->message_len);
}

int themis_cell_many(themis_cell *cell,
                     int operation,
                     uint8_t *buffer,
                     size_t buffer_len,
                     const uint8_t *contexts,
                     size_t contexts_len,
                     const size_t *sizes,
                     size_t count,
                     size_t *failed)
{
    struct batch batch = {buffer, buffer_len, contexts, contexts_len};
    int status = SOTER_INVALID_PARAMETER;
    *failed = 0;
    switch (operation) {
    case THEMIS_CELL_SEAL:
        status = for_each(cell, &batch, sizes, count, THEMIS_CELL_TOKEN_SIZE, seal, failed);
        break;
    case THEMIS_CELL_UNSEAL:
        status = for_each(cell, &batch, sizes, count, THEMIS_CELL_TOKEN_SIZE, unseal, failed);
        break;
    case THEMIS_CELL_IMPRINT:
        status = for_each(cell, &batch, sizes, count, 0, imprint, failed);
        break;
    default:
        break;
    }
    if (status != SOTER_SUCCESS) {
        soter_wipe(buffer, buffer_len);
    }
    return status;
}

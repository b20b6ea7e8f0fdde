/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Cell in Context Imprint mode (specification, section 3): AES-CTR with a key derived from
 * the message's length and a counter block derived from that key and the context. */
#include <stdlib.h>

#include "soter/ctr.h"
#include "soter/wipe.h"
#include "themis.h"
#include "themis/cell.h"

#define KEY_SIZE 32

/* What an operation works with, and leaves for the next: which goes on with key and counter, if its
 * message has the same length and context. */
struct tools {
    soter_hmac_key *counter_key;
    soter_ctr *ctr;
    struct themis_cell_subject subject;
    uint8_t counter[SOTER_CTR_BLOCK_SIZE];
};

static void tools_free(struct tools *tools)
{
    if (tools != NULL) {
        soter_hmac_key_free(tools->counter_key);
        soter_ctr_free(tools->ctr);
        soter_wipe_free(tools, sizeof *tools);
    }
}

static soter_status tools_new(struct tools **out)
{
    soter_status status;
    struct tools *tools = calloc(1, sizeof *tools);
    if (tools == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_ctr_new(&tools->ctr);
    if (status != SOTER_SUCCESS) {
        tools_free(tools);
        return status;
    }
    *out = tools;
    return SOTER_SUCCESS;
}

static soter_status tools_take(soter_spare *spare, struct tools **out)
{
    *out = soter_spare_take(spare);
    return *out != NULL ? SOTER_SUCCESS : tools_new(out);
}

void themis_cell_imprint_clear(struct themis_cell *cell)
{
    tools_free(soter_spare_take(&cell->imprint));
}

static soter_status derive_key(themis_cell *cell, size_t data_len, uint8_t key[KEY_SIZE])
{
    uint8_t length[THEMIS_CELL_LENGTH_WIDTH]; /* public */
    const struct soter_slice context = {length, sizeof length};
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("Themis secure cell message key"),
                                              &context,
                                              1};
    soter_put_u32le(length, (uint32_t)data_len);
    return soter_kdf(cell->key.master, &purpose, key, KEY_SIZE);
}

static soter_status
derive_counter(struct tools *tools, const uint8_t key[KEY_SIZE], struct soter_slice context)
{
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("Themis secure cell message iv"),
                                              &context,
                                              1};
    const soter_status status = tools->counter_key == NULL
                                    ? soter_hmac_key_new(key, KEY_SIZE, &tools->counter_key)
                                    : soter_hmac_key_set(tools->counter_key, key, KEY_SIZE);
    return status == SOTER_SUCCESS
               ? soter_kdf(tools->counter_key, &purpose, tools->counter, SOTER_CTR_BLOCK_SIZE)
               : status;
}

static soter_status derive(themis_cell *cell,
                           struct tools *tools,
                           const struct themis_cell_text *text,
                           uint8_t key[KEY_SIZE])
{
    const struct soter_slice context =
        themis_cell_subject_set(&tools->subject, text, THEMIS_CELL_LENGTH_WIDTH, KEY_SIZE);
    const soter_status status = derive_key(cell, text->len, key);
    return status == SOTER_SUCCESS ? derive_counter(tools, key, context) : status;
}

static soter_status crypt_with(themis_cell *cell,
                               struct tools *tools,
                               const struct themis_cell_text *text,
                               uint8_t *out)
{
    uint8_t derived[KEY_SIZE] = {0};
    const uint8_t *key = NULL; /* the one that is there */
    soter_status status = SOTER_SUCCESS;
    if (!themis_cell_subject_is(&tools->subject, text, THEMIS_CELL_LENGTH_WIDTH, KEY_SIZE)) {
        key = derived;
        status = derive(cell, tools, text, derived);
    }
    if (status == SOTER_SUCCESS) {
        status = soter_ctr_crypt(tools->ctr, key, tools->counter, text->data, text->len, out);
    }
    soter_wipe(derived, sizeof derived);
    return status;
}

int themis_cell_imprint(themis_cell *cell,
                        const uint8_t *data,
                        size_t data_len,
                        const uint8_t *context,
                        size_t context_len,
                        uint8_t *out,
                        size_t out_len)
{
    const struct themis_cell_text text = {data, data_len, context, context_len};
    soter_status status;
    struct tools *tools = NULL;
    if (!themis_cell_fits(data_len) || context_len == 0) {
        return SOTER_INVALID_PARAMETER;
    }
    if (out_len < data_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    status = tools_take(&cell->imprint, &tools);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = crypt_with(cell, tools, &text, out);
    tools_free(status == SOTER_SUCCESS ? soter_spare_leave(&cell->imprint, tools) : tools);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Cell in Context Imprint mode (specification, section 3): AES-CTR with a key derived from
 * the message's length and a counter block derived from that key and the context. */
#include <stdlib.h>

#include "soter/ctr.h"
#include "soter/wipe.h"
#include "themis.h"
#include "themis/cell.h"

/* What an operation works with, and leaves for the next. */
struct tools {
    soter_hmac_key *counter_key;
    soter_ctr *ctr;
};

static void tools_free(struct tools *tools)
{
    if (tools != NULL) {
        soter_hmac_key_free(tools->counter_key);
        soter_ctr_free(tools->ctr);
        free(tools);
    }
}

/* Left ones are made to fit, or new ones are made. */
static soter_status tools_take(soter_spare *spare, const uint8_t key[32], struct tools **out)
{
    soter_status status;
    struct tools *tools = soter_spare_take(spare);
    if (tools != NULL) {
        status = soter_hmac_key_set(tools->counter_key, key, 32);
        goto out;
    }
    tools = calloc(1, sizeof *tools);
    if (tools == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_ctr_new(&tools->ctr);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_hmac_key_new(key, 32, &tools->counter_key);
out:
    if (status != SOTER_SUCCESS) {
        tools_free(tools);
        return status;
    }
    *out = tools;
    return SOTER_SUCCESS;
}

void themis_cell_imprint_clear(struct themis_cell *cell)
{
    tools_free(soter_spare_take(&cell->imprint));
}

static soter_status derive_key(themis_cell *cell, size_t data_len, uint8_t key[32])
{
    uint8_t length[4]; /* public */
    const struct soter_slice context = {length, sizeof length};
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("Themis secure cell message key"),
                                              &context,
                                              1};
    soter_put_u32le(length, (uint32_t)data_len);
    return soter_kdf(cell->key.master, &purpose, key, 32);
}

static soter_status derive_counter(struct tools *tools,
                                   struct soter_slice context,
                                   uint8_t counter[SOTER_CTR_BLOCK_SIZE])
{
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("Themis secure cell message iv"),
                                              &context,
                                              1};
    return soter_kdf(tools->counter_key, &purpose, counter, SOTER_CTR_BLOCK_SIZE);
}

int themis_cell_imprint(themis_cell *cell,
                        const uint8_t *data,
                        size_t data_len,
                        const uint8_t *context,
                        size_t context_len,
                        uint8_t *out)
{
    const struct soter_slice bound_to = {context, context_len};
    soter_status status;
    uint8_t key[32] = {0};
    uint8_t counter[SOTER_CTR_BLOCK_SIZE] = {0};
    struct tools *tools = NULL;
    if (!themis_cell_fits(data_len) || context_len == 0) {
        return SOTER_INVALID_PARAMETER;
    }
    status = derive_key(cell, data_len, key);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = tools_take(&cell->imprint, key, &tools);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = derive_counter(tools, bound_to, counter);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_ctr_crypt(tools->ctr, key, counter, data, data_len, out);
out:
    if (status != SOTER_SUCCESS) {
        tools_free(tools);
    } else {
        tools_free(soter_spare_leave(&cell->imprint, tools));
    }
    soter_wipe(counter, sizeof counter);
    soter_wipe(key, sizeof key);
    return status;
}

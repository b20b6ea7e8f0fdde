/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Cell in Context Imprint mode (specification, section 3): AES-CTR with a key derived from
 * the message's length and a counter block derived from that key and the context. */
#include "themis/cell_imprint.h"

#include <stdlib.h>

#include "soter/ctr.h"
#include "soter/hmac.h"
#include "soter/kdf.h"
#include "soter/wipe.h"
#include "themis.h"

#define KEY_SIZE 32

/* What an operation works with, and leaves for the next one, which reuses key and counter if its
 * message has the same length and context. */
struct imprint {
    soter_hmac_key *counter_key;
    soter_ctr *ctr;
    struct themis_cell_subject subject;
    uint8_t counter[SOTER_CTR_BLOCK_SIZE];
};

static void imprint_free(struct imprint *work)
{
    if (work != NULL) {
        soter_hmac_key_free(work->counter_key);
        soter_ctr_free(work->ctr);
        soter_wipe_free(work, sizeof *work);
    }
}

static soter_status imprint_new(struct imprint **out)
{
    soter_status status;
    struct imprint *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_ctr_new(&work->ctr);
    if (status != SOTER_SUCCESS) {
        imprint_free(work);
        return status;
    }
    *out = work;
    return SOTER_SUCCESS;
}

static soter_status imprint_take(soter_reuse *kept, struct imprint **out)
{
    *out = soter_reuse_take(kept);
    return *out != NULL ? SOTER_SUCCESS : imprint_new(out);
}

void themis_cell_imprint_clear(struct themis_cell *cell)
{
    imprint_free(soter_reuse_take(&cell->imprint));
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
derive_counter(struct imprint *work, const uint8_t key[KEY_SIZE], struct soter_slice context)
{
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("Themis secure cell message iv"),
                                              &context,
                                              1};
    const soter_status status = work->counter_key == NULL
                                    ? soter_hmac_key_new(key, KEY_SIZE, &work->counter_key)
                                    : soter_hmac_key_set(work->counter_key, key, KEY_SIZE);
    return status == SOTER_SUCCESS
               ? soter_kdf(work->counter_key, &purpose, work->counter, SOTER_CTR_BLOCK_SIZE)
               : status;
}

static soter_status derive(themis_cell *cell,
                           struct imprint *work,
                           const struct themis_cell_text *text,
                           uint8_t key[KEY_SIZE])
{
    const struct soter_slice context =
        themis_cell_subject_set(&work->subject, text, THEMIS_CELL_LENGTH_WIDTH, KEY_SIZE);
    const soter_status status = derive_key(cell, text->len, key);
    return status == SOTER_SUCCESS ? derive_counter(work, key, context) : status;
}

static soter_status crypt_with(themis_cell *cell,
                               struct imprint *work,
                               const struct themis_cell_text *text,
                               uint8_t *out)
{
    uint8_t derived[KEY_SIZE] = {0};
    const uint8_t *key = NULL; /* the one that is there */
    soter_status status = SOTER_SUCCESS;
    if (!themis_cell_subject_is(&work->subject, text, THEMIS_CELL_LENGTH_WIDTH, KEY_SIZE)) {
        key = derived;
        status = derive(cell, work, text, derived);
    }
    if (status == SOTER_SUCCESS) {
        status = soter_ctr_crypt(work->ctr, key, work->counter, 0, text->data, text->len, out);
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
    struct imprint *work = NULL;
    if (!themis_cell_fits(data_len) || context_len == 0) {
        return SOTER_INVALID_PARAMETER;
    }
    if (out_len < data_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    status = imprint_take(&cell->imprint, &work);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = crypt_with(cell, work, &text, out);
    imprint_free(status == SOTER_SUCCESS ? soter_reuse_leave(&cell->imprint, work) : work);
    return status;
}

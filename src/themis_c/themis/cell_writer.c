/* SPDX-License-Identifier: Apache-2.0 */
/* Writing one Seal cell in pieces. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "soter/rand.h"
#include "soter/wipe.h"
#include "themis/cell_pieces.h"

#define KEY_SIZE (THEMIS_CELL_KEY_BITS / 8)
#define BLOCK_SIZE 16

struct themis_cell_writer {
    soter_aead *aead;
    size_t left; /* of the message */
    bool is_over;
    struct themis_cell_head head;
};

soter_status themis_cell_writer_start(const struct themis_cell_key *key,
                                      const struct themis_cell_text *text,
                                      const struct themis_cell_head *head,
                                      themis_cell_writer **out)
{
    uint8_t derived[KEY_SIZE] = {0};
    const struct soter_aead_key aead_key = {derived, sizeof derived, true};
    soter_status status = SOTER_NO_MEMORY;
    themis_cell_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        goto out;
    }
    writer->left = text->len;
    writer->head = *head;
    writer->head.nonce = writer->head.token + (head->nonce - head->token);
    writer->head.tag = writer->head.token + (head->tag - head->token);
    status = soter_rand_public(writer->head.nonce, SOTER_AEAD_NONCE_SIZE);
    if (status == SOTER_SUCCESS) {
        status = soter_aead_new(&writer->aead);
    }
    if (status == SOTER_SUCCESS) {
        status = themis_cell_key_derive(key, text, derived, sizeof derived);
    }
    if (status == SOTER_SUCCESS) {
        status = soter_aead_start(writer->aead,
                                  &aead_key,
                                  writer->head.nonce,
                                  text->context,
                                  text->context_len);
    }
    if (status == SOTER_SUCCESS) {
        *out = writer;
        writer = NULL;
    }
out:
    soter_wipe(derived, sizeof derived);
    themis_cell_writer_free(writer);
    return status;
}

void themis_cell_writer_free(themis_cell_writer *writer)
{
    if (writer != NULL) {
        soter_aead_free(writer->aead);
        free(writer);
    }
}

int themis_cell_writer_part(themis_cell_writer *writer,
                            const uint8_t *data,
                            size_t data_len,
                            uint8_t *encrypted,
                            size_t encrypted_len)
{
    soter_status status;
    if (writer->is_over || data_len > writer->left ||
        (data_len != writer->left && data_len % BLOCK_SIZE != 0)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (encrypted_len < data_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    status = soter_aead_part(writer->aead, data, data_len, encrypted);
    writer->left -= data_len;
    if (status != SOTER_SUCCESS) { /* where the cipher stands now is not known */
        writer->is_over = true;
        soter_wipe(encrypted, data_len);
    }
    return status;
}

int themis_cell_writer_finish(themis_cell_writer *writer, uint8_t *token, size_t token_len)
{
    uint8_t unused[1] = {0}; /* public */
    soter_status status;
    if (writer->is_over || writer->left != 0) {
        return SOTER_INVALID_PARAMETER;
    }
    if (token_len < writer->head.token_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    writer->is_over = true;
    status = soter_aead_encrypt(writer->aead, unused, 0, unused, writer->head.tag);
    if (status == SOTER_SUCCESS) {
        memcpy(token, writer->head.token, writer->head.token_len);
    }
    return status;
}

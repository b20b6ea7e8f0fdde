/* SPDX-License-Identifier: Apache-2.0 */
/* One Seal cell in pieces: what its two ways to a key share. */
#ifndef THEMIS_CELL_PIECES_H
#define THEMIS_CELL_PIECES_H

#include "soter/status.h"
#include "themis.h"
#include "themis/cell_gcm.h"

/* What a new cell begins with; the nonce and the tag are places in it that the writer fills. */
struct themis_cell_head {
    uint8_t token[THEMIS_PASSPHRASE_TOKEN_SIZE]; /* public */
    size_t token_len;
    uint8_t *nonce;
    uint8_t *tag;
};

/* text->data is not looked at: only the length and the context of the message. */
SOTER_MUST_USE soter_status themis_cell_writer_start(const struct themis_cell_key *key,
                                                     const struct themis_cell_text *text,
                                                     const struct themis_cell_head *head,
                                                     themis_cell_writer **out);

/* NOT_SUPPORTED: the key of the cell is shorter than 256 bits. */
SOTER_MUST_USE soter_status themis_cell_reader_start(const struct themis_cell_key *key,
                                                     const struct themis_cell_text *text,
                                                     const struct themis_cell_token *token,
                                                     themis_cell_reader **out);

#endif

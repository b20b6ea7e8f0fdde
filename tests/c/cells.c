/* SPDX-License-Identifier: Apache-2.0 */
#include "known_answers.h"
#include "themis.h"

/* key, context, cell, accepted, compat_096, message */
bool check_seal(const struct line *line)
{
    const struct field *key = &line->fields[0];
    const struct field *context = &line->fields[1];
    const struct field *sealed = &line->fields[2];
    const struct field *message = &line->fields[5];
    const bool accepted = field_number(line->fields[3]) != 0;
    bool is_right = true;
    uint8_t *opened = odd_block(sealed->len);
    uint8_t *again = odd_block(message->len + THEMIS_CELL_TOKEN_SIZE);
    themis_cell *cell = NULL;
    int status = themis_cell_new(key->data, key->len, field_number(line->fields[4]) != 0, &cell);
    DEMAND(status == THEMIS_SUCCESS);
    status = themis_cell_unseal(cell,
                                sealed->data,
                                sealed->len,
                                context->data,
                                context->len,
                                opened,
                                sealed->len - THEMIS_CELL_TOKEN_SIZE);
    DEMAND((status == THEMIS_SUCCESS) == accepted);
    if (!accepted) {
        goto out;
    }
    DEMAND(field_is(*message, opened, message->len));
    status = themis_cell_seal(cell,
                              message->data,
                              message->len,
                              context->data,
                              context->len,
                              again,
                              message->len + THEMIS_CELL_TOKEN_SIZE);
    DEMAND(status == THEMIS_SUCCESS);
    status = themis_cell_unseal(cell,
                                again,
                                message->len + THEMIS_CELL_TOKEN_SIZE,
                                context->data,
                                context->len,
                                opened,
                                message->len + THEMIS_CELL_TOKEN_SIZE - THEMIS_CELL_TOKEN_SIZE);
    DEMAND(status == THEMIS_SUCCESS && field_is(*message, opened, message->len));
    again[message->len / 2] ^= 1;
    status = themis_cell_unseal(cell,
                                again,
                                message->len + THEMIS_CELL_TOKEN_SIZE,
                                context->data,
                                context->len,
                                opened,
                                message->len + THEMIS_CELL_TOKEN_SIZE - THEMIS_CELL_TOKEN_SIZE);
    DEMAND(status == THEMIS_INVALID_PARAMETER || status == THEMIS_FAIL);
out:
    themis_cell_free(cell);
    odd_free(opened);
    odd_free(again);
    return is_right;
}

/* key, context, encrypted, token, accepted, message */
bool check_token(const struct line *line)
{
    const struct field *key = &line->fields[0];
    const struct field *context = &line->fields[1];
    const struct field *encrypted = &line->fields[2];
    const struct field *token = &line->fields[3];
    const struct field *message = &line->fields[5];
    const bool accepted = field_number(line->fields[4]) != 0;
    bool is_right = true;
    uint8_t *opened = odd_block(encrypted->len);
    uint8_t *again = odd_block(message->len);
    uint8_t *new_token = odd_block(THEMIS_CELL_TOKEN_SIZE);
    themis_cell *cell = NULL;
    int status = themis_cell_new(key->data, key->len, 0, &cell);
    DEMAND(status == THEMIS_SUCCESS);
    if (token->len < THEMIS_CELL_TOKEN_SIZE) {
        DEMAND(!accepted); /* by callers of C */
        goto out;
    }
    status = themis_cell_unprotect(cell,
                                   encrypted->data,
                                   encrypted->len,
                                   token->data,
                                   context->data,
                                   context->len,
                                   opened,
                                   encrypted->len);
    DEMAND((status == THEMIS_SUCCESS) == accepted);
    if (!accepted) {
        goto out;
    }
    DEMAND(field_is(*message, opened, encrypted->len));
    status = themis_cell_protect(cell,
                                 message->data,
                                 message->len,
                                 context->data,
                                 context->len,
                                 again,
                                 message->len,
                                 new_token);
    DEMAND(status == THEMIS_SUCCESS);
    status = themis_cell_unprotect(cell,
                                   again,
                                   message->len,
                                   new_token,
                                   context->data,
                                   context->len,
                                   opened,
                                   message->len);
    DEMAND(status == THEMIS_SUCCESS && field_is(*message, opened, message->len));
out:
    themis_cell_free(cell);
    odd_free(opened);
    odd_free(again);
    odd_free(new_token);
    return is_right;
}

/* key, context, message, encrypted */
bool check_imprint(const struct line *line)
{
    const struct field *key = &line->fields[0];
    const struct field *context = &line->fields[1];
    bool is_right = true;
    themis_cell *cell = NULL;
    uint8_t *made = odd_block(line->fields[2].len);
    int status = themis_cell_new(key->data, key->len, 0, &cell);
    DEMAND(status == THEMIS_SUCCESS && line->fields[2].len == line->fields[3].len);
    for (size_t from = 2; from <= 3; from++) { /* both directions are one */
        status = themis_cell_imprint(cell,
                                     line->fields[from].data,
                                     line->fields[from].len,
                                     context->data,
                                     context->len,
                                     made,
                                     line->fields[from].len);
        DEMAND(status == THEMIS_SUCCESS);
        DEMAND(field_is(line->fields[5 - from], made, line->fields[from].len));
    }
out:
    themis_cell_free(cell);
    odd_free(made);
    return is_right;
}

/* passphrase, context, cell, accepted, message */
bool check_passphrase(const struct line *line)
{
    const struct field *secret = &line->fields[0];
    const struct field *context = &line->fields[1];
    const struct field *sealed = &line->fields[2];
    const struct field *message = &line->fields[4];
    const bool accepted = field_number(line->fields[3]) != 0;
    bool is_right = true;
    size_t size = 0;
    uint8_t *opened = odd_block(sealed->len);
    themis_passphrase *passphrase = NULL;
    int status = themis_passphrase_new(secret->data,
                                       secret->len,
                                       THEMIS_PASSPHRASE_ITERATIONS,
                                       1,
                                       THEMIS_PASSPHRASE_MAX_ITERATIONS,
                                       &passphrase);
    DEMAND(status == THEMIS_SUCCESS);
    status = themis_passphrase_message_size(passphrase, sealed->data, sealed->len, &size);
    if (status == THEMIS_SUCCESS) {
        DEMAND(size < sealed->len);
        status = themis_passphrase_unseal(passphrase,
                                          sealed->data,
                                          sealed->len,
                                          context->data,
                                          context->len,
                                          opened,
                                          size);
    }
    DEMAND((status == THEMIS_SUCCESS) == accepted);
    DEMAND(!accepted || field_is(*message, opened, size));
out:
    themis_passphrase_free(passphrase);
    odd_free(opened);
    return is_right;
}

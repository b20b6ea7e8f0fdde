/* SPDX-License-Identifier: Apache-2.0 */
/* Stored values (formats, section 9.1), and the bare cells that legacy keys read.
 *
 *   0       3        8
 *   | "TK1" | key id | strict cell: the token of cell.c, in its one canonical form, ciphertext | */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "soter/wipe.h"
#include "themis/ring_hand.h"

#define MAGIC "TK1"
#define MAGIC_SIZE 3
#define TOKEN_SIZE THEMIS_CELL_TOKEN_SIZE
#define PREFIX_SIZE THEMIS_RING_PREFIX_SIZE
#define RESERVED "TSFILE1" /* with this the contexts of sealed files begin */

static_assert(PREFIX_SIZE == MAGIC_SIZE + THEMIS_RING_ID_SIZE, "a prefix is a magic and an id");
static_assert(THEMIS_RING_OVERHEAD == PREFIX_SIZE + TOKEN_SIZE, "a prefix, and a cell's token");

static soter_status key_at(const struct themis_ring_hand *hand,
                           struct themis_ring_entry *key,
                           size_t number,
                           struct themis_cell_key **out)
{
    struct themis_cell_key *copy;
    if (hand->copies == NULL) {
        *out = &key->cell;
        return SOTER_SUCCESS;
    }
    *out = copy = &hand->copies[number];
    return copy->master != NULL ? SOTER_SUCCESS
                                : soter_hmac_key_copy(key->cell.master, &copy->master);
}

soter_status themis_ring_hand_open(struct themis_ring_hand *hand)
{
    const size_t keys = hand->ring->keys_count + hand->ring->legacy_count;
    hand->copies = calloc(keys + 1, sizeof *hand->copies);
    return hand->copies != NULL ? SOTER_SUCCESS : SOTER_NO_MEMORY;
}

void themis_ring_hand_close(struct themis_ring_hand *hand)
{
    const size_t keys = hand->ring->keys_count + hand->ring->legacy_count;
    for (size_t i = 0; hand->copies != NULL && i < keys; i++) {
        themis_cell_key_clear(&hand->copies[i]);
    }
    free(hand->copies);
    hand->copies = NULL;
}

soter_status themis_ring_hand_key(const struct themis_ring_hand *hand,
                                  size_t index,
                                  struct themis_cell_key **out)
{
    return key_at(hand, &hand->ring->keys[index], index, out);
}

bool themis_ring_is_reserved(struct soter_slice context)
{
    return context.len >= sizeof RESERVED - 1 &&
           memcmp(context.data, RESERVED, sizeof RESERVED - 1) == 0;
}

/* ---- Strict cells: one form, compared before anything is decrypted ---- */

static bool read_strict(const uint8_t *cell, size_t cell_len, struct themis_cell_token *token)
{
    uint8_t start[THEMIS_CELL_START_SIZE];
    if (cell_len <= TOKEN_SIZE || !themis_cell_fits(cell_len - TOKEN_SIZE)) {
        return false;
    }
    themis_cell_put_start(start, (uint32_t)(cell_len - TOKEN_SIZE));
    token->key_len = THEMIS_CELL_KEY_BITS / 8;
    token->length_width = THEMIS_CELL_LENGTH_WIDTH;
    token->message_len = (uint32_t)(cell_len - TOKEN_SIZE);
    token->nonce = cell + THEMIS_CELL_START_SIZE;
    token->tag = token->nonce + SOTER_AEAD_NONCE_SIZE;
    return memcmp(cell, start, sizeof start) == 0;
}

/* ---- Single values ---- */

soter_status themis_ring_seal(const struct themis_ring_hand *hand,
                              const struct themis_cell_text *text,
                              uint8_t *stored)
{
    const size_t primary = hand->ring->primary;
    uint8_t *cell = stored + PREFIX_SIZE;
    struct themis_cell_key *key;
    soter_status status;
    if (primary == THEMIS_RING_NONE || !themis_cell_fits(text->len) ||
        themis_ring_is_reserved((struct soter_slice){text->context, text->context_len})) {
        return SOTER_INVALID_PARAMETER;
    }
    status = key_at(hand, &hand->ring->keys[primary], primary, &key);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    memcpy(stored, MAGIC, MAGIC_SIZE);
    memcpy(stored + MAGIC_SIZE, hand->ring->keys[primary].id, THEMIS_RING_ID_SIZE);
    themis_cell_put_start(cell, (uint32_t)text->len);
    return themis_cell_encrypt(key,
                               text,
                               cell + TOKEN_SIZE,
                               cell + THEMIS_CELL_START_SIZE,
                               cell + THEMIS_CELL_START_SIZE + SOTER_AEAD_NONCE_SIZE);
}

/* Tries the legacy keys in their order. A try that fails wipes the place of its result: where the
 * ciphertext lies there, a copy of it is for the others. */
static soter_status open_bare(const struct themis_ring_hand *hand,
                              const struct themis_cell_token *token,
                              struct themis_cell_text text,
                              uint8_t *message)
{
    const themis_ring *ring = hand->ring;
    soter_status status = SOTER_FAIL;
    uint8_t *copy = NULL; /* public */
    if (text.data == message && ring->legacy_count > 1) {
        copy = malloc(text.len);
        if (copy == NULL) {
            return SOTER_NO_MEMORY;
        }
        memcpy(copy, text.data, text.len);
        text.data = copy;
    }
    for (size_t i = 0; status == SOTER_FAIL && i < ring->legacy_count; i++) {
        struct themis_cell_key *key;
        status = key_at(hand, &ring->legacy[i], ring->keys_count + i, &key);
        if (status == SOTER_SUCCESS) {
            status = themis_cell_decrypt(key, token, &text, message);
        }
    }
    free(copy);
    return status;
}

static soter_status open_by_id(const struct themis_ring_hand *hand,
                               const uint8_t *id,
                               const struct themis_cell_token *token,
                               const struct themis_cell_text *text,
                               uint8_t *message)
{
    const size_t index = themis_ring_find(hand->ring, id);
    struct themis_cell_key *key;
    soter_status status;
    if (index == THEMIS_RING_NONE) {
        return SOTER_FAIL;
    }
    status = key_at(hand, &hand->ring->keys[index], index, &key);
    return status == SOTER_SUCCESS ? themis_cell_decrypt(key, token, text, message) : status;
}

soter_status themis_ring_measure(const uint8_t *stored, size_t stored_len, size_t *before)
{
    *before = TOKEN_SIZE;
    if (stored_len >= MAGIC_SIZE && memcmp(stored, MAGIC, MAGIC_SIZE - 1) == 0 &&
        stored[MAGIC_SIZE - 1] >= '0' && stored[MAGIC_SIZE - 1] <= '9') {
        if (stored[MAGIC_SIZE - 1] != '1') {
            return SOTER_NOT_SUPPORTED;
        }
        *before = THEMIS_RING_OVERHEAD;
    }
    return stored_len > *before ? SOTER_SUCCESS : SOTER_INVALID_PARAMETER;
}

soter_status themis_ring_open(const struct themis_ring_hand *hand,
                              const uint8_t *stored,
                              size_t stored_len,
                              size_t before,
                              struct soter_slice context,
                              uint8_t *message)
{
    const struct themis_cell_text text = {stored + before,
                                          stored_len - before,
                                          context.data,
                                          context.len};
    struct themis_cell_token token;
    if (themis_ring_is_reserved(context) ||
        !read_strict(text.data - TOKEN_SIZE, text.len + TOKEN_SIZE, &token)) {
        return SOTER_INVALID_PARAMETER;
    }
    return before == TOKEN_SIZE ? open_bare(hand, &token, text, message)
                                : open_by_id(hand, stored + MAGIC_SIZE, &token, &text, message);
}

int themis_ring_encrypt(themis_ring *ring,
                        const uint8_t *message,
                        size_t message_len,
                        const uint8_t *context,
                        size_t context_len,
                        uint8_t *stored,
                        size_t stored_len)
{
    const struct themis_ring_hand hand = {ring, NULL};
    const struct themis_cell_text text = {message, message_len, context, context_len};
    if (!themis_cell_fits(message_len)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (stored_len < THEMIS_RING_OVERHEAD || stored_len - THEMIS_RING_OVERHEAD < message_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    return themis_ring_seal(&hand, &text, stored);
}

int themis_ring_decrypt(themis_ring *ring,
                        const uint8_t *stored,
                        size_t stored_len,
                        const uint8_t *context,
                        size_t context_len,
                        uint8_t *message,
                        size_t message_len)
{
    const struct themis_ring_hand hand = {ring, NULL};
    size_t before;
    const soter_status status = themis_ring_measure(stored, stored_len, &before);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (message_len < stored_len - before) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    return themis_ring_open(&hand,
                            stored,
                            stored_len,
                            before,
                            (struct soter_slice){context, context_len},
                            message);
}

int themis_ring_rotate(themis_ring *ring,
                       const uint8_t *stored,
                       size_t stored_len,
                       const uint8_t *context,
                       size_t context_len,
                       uint8_t *rotated,
                       size_t rotated_len)
{
    const struct themis_ring_hand hand = {ring, NULL};
    struct themis_cell_text text = {NULL, 0, context, context_len};
    uint8_t *message;
    size_t before;
    soter_status status = themis_ring_measure(stored, stored_len, &before);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (rotated_len < THEMIS_RING_OVERHEAD ||
        rotated_len - THEMIS_RING_OVERHEAD < stored_len - before) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    message = rotated + THEMIS_RING_OVERHEAD;
    status = themis_ring_open(&hand,
                              stored,
                              stored_len,
                              before,
                              (struct soter_slice){context, context_len},
                              message);
    if (status == SOTER_SUCCESS) {
        text.data = message;
        text.len = stored_len - before;
        status = themis_ring_seal(&hand, &text, rotated);
        if (status != SOTER_SUCCESS) {
            soter_wipe(rotated, rotated_len);
        }
    }
    return status;
}

/* ---- Lists ---- */

struct list {
    uint8_t *at;
    size_t left;
    const uint8_t *contexts;
    size_t contexts_left;
    bool encrypts;
};

static soter_status
do_next(const struct themis_ring_hand *hand, struct list *list, size_t size, size_t context)
{
    const size_t growth = list->encrypts ? THEMIS_RING_OVERHEAD : 0;
    uint8_t *item = list->at;
    const struct themis_cell_text text = {item + growth, size, list->contexts, context};
    size_t before;
    soter_status status;
    if (size > list->left || list->left - size < growth || context > list->contexts_left) {
        return SOTER_INVALID_PARAMETER;
    }
    list->at += growth + size;
    list->left -= growth + size;
    if (context != 0) {
        list->contexts += context;
        list->contexts_left -= context;
    }
    if (list->encrypts) {
        return themis_ring_seal(hand, &text, item);
    }
    status = themis_ring_measure(item, size, &before);
    return status != SOTER_SUCCESS ? status
                                   : themis_ring_open(hand,
                                                      item,
                                                      size,
                                                      before,
                                                      (struct soter_slice){text.context, context},
                                                      item + before);
}

int themis_ring_many(themis_ring *ring,
                     int operation,
                     uint8_t *buffer,
                     size_t buffer_len,
                     const uint8_t *contexts,
                     size_t contexts_len,
                     const size_t *sizes,
                     size_t count,
                     size_t *failed)
{
    struct themis_ring_hand hand = {ring, NULL};
    struct list list = {buffer, buffer_len, contexts, contexts_len, false};
    soter_status status = themis_ring_hand_open(&hand);
    list.encrypts = operation == THEMIS_RING_ENCRYPT;
    if (operation != THEMIS_RING_ENCRYPT && operation != THEMIS_RING_DECRYPT) {
        status = SOTER_INVALID_PARAMETER;
    }
    for (*failed = 0; status == SOTER_SUCCESS && *failed < count; ++*failed) {
        status =
            do_next(&hand, &list, sizes[*failed], contexts != NULL ? sizes[count + *failed] : 0);
        if (status != SOTER_SUCCESS) {
            break;
        }
    }
    themis_ring_hand_close(&hand);
    if (status != SOTER_SUCCESS) {
        soter_wipe(buffer, buffer_len);
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one Seal cell in pieces: a pass that verifies, then pieces in any order.
 *
 * GCM has one tag for the whole message. So that a piece can be read alone later, the pass makes a
 * tag for each: a GMAC (GCM of nothing, with the ciphertext as associated data) under a random key
 * that never leaves this object, with the number of the piece as its nonce. GCM encrypts with
 * AES-CTR from a counter of 2 on, so a piece is decrypted from the counter of its first block. A
 * message has less than 2^28 + 1 blocks: the 32 bits of the counter do not wrap. */
#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "soter/ctr.h"
#include "soter/rand.h"
#include "soter/reuse.h"
#include "soter/wipe.h"
#include "themis/cell_pieces.h"

#define KEY_SIZE 32
#define TAG_SIZE SOTER_AEAD_TAG_SIZE
#define PIECE_SIZE ((size_t)THEMIS_CELL_PIECE_SIZE)
#define BLOCK_SIZE ((size_t)SOTER_CTR_BLOCK_SIZE)
#define FIRST_COUNTER 2 /* of the data: 1 is for the tag */
#define THREADS 4       /* that find what another read left them, without waiting */

static_assert(PIECE_SIZE % BLOCK_SIZE == 0, "a piece begins with a block");
static_assert(THEMIS_CELL_MESSAGE_MAX / 16 + 1 + FIRST_COUNTER < UINT32_MAX, "no counter wraps");

/* What one read works with. */
struct work {
    soter_aead *mac;
    soter_ctr *ctr;
    bool has_key; /* ctr has it */
};

enum state { TAKING, VERIFIED, REFUSED };

struct themis_cell_reader {
    enum state state;
    size_t size;  /* of the message */
    size_t taken; /* of it, so far */
    uint8_t key[KEY_SIZE];
    uint8_t mac_key[KEY_SIZE];
    uint8_t nonce[SOTER_AEAD_NONCE_SIZE]; /* public */
    uint8_t tag[TAG_SIZE];                /* public */
    uint8_t *tags;                        /* of the pieces */
    soter_aead *aead;                     /* of the pass */
    uint8_t *plain;                       /* a piece that it decrypted, and gives to none */
    struct work *taking;
    soter_reuse works[THREADS];
};

static size_t pieces_of(size_t size)
{
    return size / PIECE_SIZE + (size % PIECE_SIZE != 0);
}

static void work_free(struct work *work)
{
    if (work != NULL) {
        soter_aead_free(work->mac);
        soter_ctr_free(work->ctr);
        free(work);
    }
}

static soter_status work_new(const struct themis_cell_reader *reader, struct work **out)
{
    const struct soter_aead_key key = {reader->mac_key, KEY_SIZE, true};
    struct work *work = calloc(1, sizeof *work);
    soter_status status = SOTER_NO_MEMORY;
    if (work == NULL) {
        return status;
    }
    status = soter_aead_new(&work->mac);
    if (status == SOTER_SUCCESS) {
        status = soter_aead_set_key(work->mac, &key);
    }
    if (status == SOTER_SUCCESS) {
        status = soter_ctr_new(&work->ctr);
    }
    if (status != SOTER_SUCCESS) {
        work_free(work);
        return status;
    }
    *out = work;
    return SOTER_SUCCESS;
}

static soter_status work_take(struct themis_cell_reader *reader, struct work **out)
{
    for (size_t i = 0; i < THREADS; i++) {
        *out = soter_reuse_take(&reader->works[i]);
        if (*out != NULL) {
            return SOTER_SUCCESS;
        }
    }
    return work_new(reader, out);
}

/* Leaves it in the first free place; what was in the last one goes. */
static void work_leave(struct themis_cell_reader *reader, struct work *work)
{
    for (size_t i = 0; i < THREADS && work != NULL; i++) {
        work = soter_reuse_leave(&reader->works[i], work);
    }
    work_free(work);
}

/* Ends the pass, whatever came of it. */
static void stop_taking(struct themis_cell_reader *reader)
{
    soter_aead_free(reader->aead);
    reader->aead = NULL;
    soter_wipe_free(reader->plain, PIECE_SIZE);
    reader->plain = NULL;
    work_free(reader->taking);
    reader->taking = NULL;
}

void themis_cell_reader_free(themis_cell_reader *reader)
{
    if (reader != NULL) {
        stop_taking(reader);
        for (size_t i = 0; i < THREADS; i++) {
            work_free(soter_reuse_take(&reader->works[i]));
        }
        free(reader->tags);
        soter_wipe_free(reader, sizeof *reader);
    }
}

/* What has to be there before a pass begins. */
static soter_status make_room(themis_cell_reader *reader)
{
    soter_status status;
    reader->plain = malloc(PIECE_SIZE);
    reader->tags = calloc(pieces_of(reader->size), TAG_SIZE);
    if (reader->plain == NULL || reader->tags == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_rand_secret(reader->mac_key, KEY_SIZE);
    if (status == SOTER_SUCCESS) {
        status = soter_aead_new(&reader->aead);
    }
    return status == SOTER_SUCCESS ? work_new(reader, &reader->taking) : status;
}

soter_status themis_cell_reader_start(const struct themis_cell_key *key,
                                      const struct themis_cell_text *text,
                                      const struct themis_cell_token *token,
                                      themis_cell_reader **out)
{
    themis_cell_reader *reader;
    struct soter_aead_key aead_key = {NULL, KEY_SIZE, false};
    soter_status status;
    if (token->key_len != KEY_SIZE) {
        return SOTER_NOT_SUPPORTED;
    }
    reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return SOTER_NO_MEMORY;
    }
    reader->size = text->len;
    memcpy(reader->nonce, token->nonce, sizeof reader->nonce);
    memcpy(reader->tag, token->tag, sizeof reader->tag);
    aead_key.bytes = reader->key;
    status = make_room(reader);
    if (status == SOTER_SUCCESS) {
        status = themis_cell_key_derive(key, text, reader->key, KEY_SIZE);
    }
    if (status == SOTER_SUCCESS) {
        status = soter_aead_start(reader->aead,
                                  &aead_key,
                                  reader->nonce,
                                  text->context,
                                  text->context_len);
    }
    if (status != SOTER_SUCCESS) {
        themis_cell_reader_free(reader);
        return status;
    }
    *out = reader;
    return SOTER_SUCCESS;
}

size_t themis_cell_reader_size(const themis_cell_reader *reader)
{
    return reader->size;
}

static soter_status piece_tag(struct work *work,
                              size_t number,
                              const uint8_t *data,
                              size_t data_len,
                              uint8_t tag[TAG_SIZE])
{
    const struct soter_aead_key key = {NULL, KEY_SIZE, true};
    uint8_t nonce[SOTER_AEAD_NONCE_SIZE] = {0}; /* public */
    uint8_t unused[1] = {0};                    /* public */
    soter_status status;
    soter_put_u64be(nonce + SOTER_AEAD_NONCE_SIZE - 8, number);
    status = soter_aead_start(work->mac, &key, nonce, data, data_len);
    return status == SOTER_SUCCESS ? soter_aead_encrypt(work->mac, unused, 0, unused, tag) : status;
}

/* ---- The pass ---- */

/* A piece while it is in the processor's cache: decrypted for GCM's sake, then tagged. */
static soter_status take_piece(themis_cell_reader *reader, const uint8_t *data, size_t data_len)
{
    const size_t number = reader->taken / PIECE_SIZE;
    const bool is_last = data_len == reader->size - reader->taken;
    soter_status status =
        is_last ? soter_aead_decrypt(reader->aead, data, data_len, reader->tag, reader->plain)
                : soter_aead_part(reader->aead, data, data_len, reader->plain);
    if (status == SOTER_SUCCESS) {
        status =
            piece_tag(reader->taking, number, data, data_len, reader->tags + number * TAG_SIZE);
    }
    reader->taken += data_len;
    return status;
}

int themis_cell_reader_take(themis_cell_reader *reader, const uint8_t *data, size_t data_len)
{
    soter_status status = SOTER_SUCCESS;
    if (reader->state != TAKING || data_len > reader->size - reader->taken ||
        (data_len != reader->size - reader->taken && data_len % PIECE_SIZE != 0)) {
        return SOTER_INVALID_PARAMETER;
    }
    while (data_len != 0 && status == SOTER_SUCCESS) {
        const size_t piece = data_len < PIECE_SIZE ? data_len : PIECE_SIZE;
        status = take_piece(reader, data, piece);
        data += piece;
        data_len -= piece;
    }
    if (status != SOTER_SUCCESS) {
        reader->state = REFUSED;
    } else if (reader->taken == reader->size) {
        reader->state = VERIFIED;
    }
    if (reader->state != TAKING) {
        stop_taking(reader);
    }
    return status;
}

/* ---- Pieces in any order ---- */

/* Decrypts from the byte `at` of the message on, which need not be the first of a block. */
static soter_status decrypt_at(const struct themis_cell_reader *reader,
                               struct work *work,
                               size_t at,
                               const uint8_t *data,
                               size_t data_len,
                               uint8_t *out)
{
    uint8_t counter[SOTER_CTR_BLOCK_SIZE]; /* public */
    soter_status status;
    memcpy(counter, reader->nonce, SOTER_AEAD_NONCE_SIZE);
    soter_put_u32be(counter + SOTER_AEAD_NONCE_SIZE, (uint32_t)(FIRST_COUNTER + at / BLOCK_SIZE));
    status = soter_ctr_crypt(work->ctr,
                             work->has_key ? NULL : reader->key,
                             counter,
                             at % BLOCK_SIZE,
                             data,
                             data_len,
                             out);
    work->has_key = status == SOTER_SUCCESS;
    return status;
}

static soter_status check_piece(const struct themis_cell_reader *reader,
                                struct work *work,
                                size_t number,
                                const uint8_t *data,
                                size_t data_len)
{
    uint8_t tag[TAG_SIZE];
    soter_status status = piece_tag(work, number, data, data_len, tag);
    if (status == SOTER_SUCCESS && !soter_equal(tag, reader->tags + number * TAG_SIZE, TAG_SIZE)) {
        status = SOTER_FAIL;
    }
    soter_wipe(tag, sizeof tag);
    return status;
}

/* Whether these are whole pieces, but for the last of all, with the wanted bytes in them. */
static bool is_range(const themis_cell_reader *reader,
                     size_t piece,
                     size_t data_len,
                     size_t skip,
                     size_t out_len)
{
    size_t left;
    if (piece >= pieces_of(reader->size)) {
        return false;
    }
    left = reader->size - piece * PIECE_SIZE;
    return data_len <= left && (data_len == left || data_len % PIECE_SIZE == 0) &&
           skip <= data_len && out_len <= data_len - skip;
}

int themis_cell_reader_read(themis_cell_reader *reader,
                            size_t piece,
                            const uint8_t *data,
                            size_t data_len,
                            size_t skip,
                            uint8_t *out,
                            size_t out_len)
{
    const size_t last = data_len - data_len % PIECE_SIZE;
    struct work *work = NULL;
    soter_status status = SOTER_SUCCESS;
    if (reader->state != VERIFIED || !is_range(reader, piece, data_len, skip, out_len)) {
        return SOTER_INVALID_PARAMETER;
    }
    status = work_take(reader, &work);
    for (size_t at = 0; at < data_len && status == SOTER_SUCCESS; at += PIECE_SIZE) {
        const size_t len = at == last ? data_len - at : PIECE_SIZE;
        status = check_piece(reader, work, piece + at / PIECE_SIZE, data + at, len);
    }
    if (status == SOTER_SUCCESS && out_len != 0) {
        status = decrypt_at(reader, work, piece * PIECE_SIZE + skip, data + skip, out_len, out);
    }
    if (status != SOTER_SUCCESS) {
        soter_wipe(out, out_len);
    }
    if (status == SOTER_SUCCESS || status == SOTER_FAIL) {
        work_leave(reader, work);
    } else {
        work_free(work);
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed files: the chunks. Each is a cell of its own, with the context
 *
 *   0         8      9        17
 *   | magic   | log2 | number | 1 if it is the last of the file |
 *
 * the number being big-endian, so chunks cannot change places, and none of them ends a file but the
 * last. */
#include <string.h>

#include "soter/wipe.h"
#include "themis.h"
#include "themis/sealed_state.h"

#define LABEL_SIZE 18

/* What is yet to be done, as chunks and as pieces. */
struct run {
    const themis_sealed *sealed;
    uint64_t number;
    bool is_last; /* the last of the run is the last of the file */
    size_t pieces_left;
};

static void put_label(const struct run *run, bool is_last, uint8_t label[LABEL_SIZE])
{
    memcpy(label, "TSFILE1\n", 8);
    label[8] = run->sealed->log2;
    soter_put_u64be(label + 9, run->number);
    label[17] = is_last ? 1 : 0;
}

static size_t next_len(const struct run *run)
{
    const size_t full = (size_t)1 << run->sealed->log2;
    return run->pieces_left < full ? run->pieces_left : full;
}

/* Whether so many bytes are pieces: full ones, and at the end of the file one that holds the length
 * field. */
static bool are_pieces(const themis_sealed *sealed, uint64_t number, bool is_last, size_t len)
{
    const size_t rest = len & (((size_t)1 << sealed->log2) - 1);
    return sealed->has_fk && len != 0 && number <= UINT64_MAX - (len >> sealed->log2) - 1 &&
           (rest == 0 || (is_last && rest >= THEMIS_SEALED_LAST_MIN));
}

int themis_sealed_encrypt(themis_sealed *sealed,
                          uint64_t number,
                          int is_last,
                          const uint8_t *pieces,
                          size_t pieces_len,
                          uint8_t *chunks,
                          size_t chunks_len)
{
    struct run run = {sealed, number, is_last != 0, pieces_len};
    struct themis_cell_key key;
    size_t growth;
    soter_status status = SOTER_SUCCESS;
    if (!are_pieces(sealed, number, is_last != 0, pieces_len)) {
        return SOTER_INVALID_PARAMETER;
    }
    growth = (((pieces_len - 1) >> sealed->log2) + 1) * THEMIS_CELL_TOKEN_SIZE;
    if (chunks_len < growth || chunks_len - growth < pieces_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    themis_cell_key_borrow(&sealed->chunks, &key);
    while (status == SOTER_SUCCESS && run.pieces_left != 0) {
        const size_t len = next_len(&run);
        uint8_t label[LABEL_SIZE]; /* public */
        const struct themis_cell_text text = {pieces, len, label, sizeof label};
        put_label(&run, run.is_last && run.pieces_left == len, label);
        themis_cell_put_start(chunks, (uint32_t)len);
        status = themis_cell_encrypt(&key,
                                     &text,
                                     chunks + THEMIS_CELL_TOKEN_SIZE,
                                     chunks + THEMIS_CELL_START_SIZE,
                                     chunks + THEMIS_CELL_START_SIZE + SOTER_AEAD_NONCE_SIZE);
        pieces += len;
        chunks += THEMIS_CELL_TOKEN_SIZE + len;
        run.pieces_left -= len;
        run.number++;
    }
    themis_cell_key_return(&sealed->chunks, &key);
    return status;
}

static soter_status decrypt_one(struct themis_cell_key *key,
                                const struct run *run,
                                const uint8_t *chunk,
                                uint8_t *piece)
{
    uint8_t label[LABEL_SIZE];             /* public */
    uint8_t start[THEMIS_CELL_START_SIZE]; /* public */
    const size_t len = next_len(run);
    const struct themis_cell_text text = {chunk + THEMIS_CELL_TOKEN_SIZE, len, label, sizeof label};
    const struct themis_cell_token token = {.key_len = THEMIS_CELL_KEY_BITS / 8,
                                            .length_width = THEMIS_CELL_LENGTH_WIDTH,
                                            .message_len = (uint32_t)len,
                                            .nonce = chunk + THEMIS_CELL_START_SIZE,
                                            .tag = chunk + THEMIS_CELL_START_SIZE +
                                                   SOTER_AEAD_NONCE_SIZE};
    put_label(run, run->is_last && run->pieces_left == len, label);
    themis_cell_put_start(start, (uint32_t)len);
    if (memcmp(chunk, start, sizeof start) != 0) {
        return SOTER_FAIL;
    }
    return themis_cell_decrypt(key, &token, &text, piece);
}

/* Of how many bytes these chunks are the pieces; 0 if they are not whole ones. */
static size_t pieces_in(const themis_sealed *sealed, size_t chunks_len)
{
    const size_t chunk_len = ((size_t)1 << sealed->log2) + THEMIS_CELL_TOKEN_SIZE;
    const size_t rest = chunks_len % chunk_len;
    const size_t full = (chunks_len / chunk_len) << sealed->log2;
    if (rest == 0) {
        return full;
    }
    return rest > THEMIS_CELL_TOKEN_SIZE ? full + rest - THEMIS_CELL_TOKEN_SIZE : 0;
}

int themis_sealed_decrypt(themis_sealed *sealed,
                          uint64_t number,
                          int is_last,
                          const uint8_t *chunks,
                          size_t chunks_len,
                          uint8_t *pieces,
                          size_t pieces_len)
{
    const size_t all = pieces_in(sealed, chunks_len);
    struct run run = {sealed, number, is_last != 0, all};
    struct themis_cell_key key;
    soter_status status = SOTER_SUCCESS;
    if (!are_pieces(sealed, number, is_last != 0, all)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (pieces_len < all) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    themis_cell_key_borrow(&sealed->chunks, &key);
    while (status == SOTER_SUCCESS && run.pieces_left != 0) {
        const size_t len = next_len(&run);
        status = decrypt_one(&key, &run, chunks, pieces + (all - run.pieces_left));
        chunks += THEMIS_CELL_TOKEN_SIZE + len;
        run.pieces_left -= len;
        run.number++;
    }
    themis_cell_key_return(&sealed->chunks, &key);
    if (status != SOTER_SUCCESS) {
        soter_wipe(pieces, all);
    }
    return status;
}

size_t themis_sealed_zeros(const uint8_t *data, size_t data_len)
{
    size_t left = data_len;
    uint64_t word = 0;
    while (left >= sizeof word) {
        memcpy(&word, data + left - sizeof word, sizeof word);
        if (word != 0) {
            break;
        }
        left -= sizeof word;
    }
    while (left != 0 && data[left - 1] == 0) {
        left--;
    }
    return data_len - left;
}

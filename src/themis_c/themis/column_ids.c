/* SPDX-License-Identifier: Apache-2.0 */
/* No two rows of one id: two cells of one place could be exchanged. A table of hashes finds them,
 * in the room that the cells will take. Who writes the ids must not know the hash in advance, or he
 * could make all of them meet: SipHash-1-3 (Aumasson, Bernstein) under a fresh key. */
#include <assert.h>
#include <string.h>

#include "soter/wipe.h"
#include "themis/column_state.h"

#define SLOT_SIZE 8
#define ROOM_PER_ROW (THEMIS_RING_OVERHEAD + 1)

static_assert(2 * 2 * SLOT_SIZE <= ROOM_PER_ROW, "twice the rows, up to the next power of two");
static_assert(THEMIS_COLUMN_ROWS_MAX <= UINT32_MAX, "a row and half a hash fit in a slot");

static uint64_t rotated(uint64_t number, unsigned int bits)
{
    return (number << bits) | (number >> (64 - bits));
}

static void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotated(v[1], 13) ^ v[0];
    v[3] = rotated(v[3], 16) ^ v[2];
    v[0] = rotated(v[0], 32) + v[3];
    v[2] += v[1];
    v[3] = rotated(v[3], 21) ^ v[0];
    v[1] = rotated(v[1], 17) ^ v[2];
    v[2] = rotated(v[2], 32);
}

static uint64_t hash(struct soter_slice bytes, const uint64_t key[2])
{
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575),
                     key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261),
                     key[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t last = (uint64_t)(bytes.len & 0xFF) << 56;
    size_t at = 0;
    for (; bytes.len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.data + at, sizeof word);
        v[3] ^= word;
        mix(v);
        v[0] ^= word;
    }
    for (unsigned int shift = 0; at < bytes.len; at++, shift += 8) {
        last |= (uint64_t)bytes.data[at] << shift;
    }
    v[3] ^= last;
    mix(v);
    v[0] ^= last;
    v[2] ^= 0xFF;
    mix(v);
    mix(v);
    mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The table, and the readers of rows. */
struct table {
    uint8_t *slots;
    uint64_t mask;
    uint64_t key[2];
    struct themis_column_cursor others;
};

static bool is_id_of(struct table *table, uint64_t row, struct soter_slice id)
{
    struct themis_column_value other;
    return themis_column_read(&table->others, row, &other) == NULL && !other.is_null &&
           other.bytes.len == id.len &&
           (id.len == 0 || memcmp(other.bytes.data, id.data, id.len) == 0);
}

/* A slot has half a hash and a row + 1; 0 is empty. Returns whether the id is new. */
static bool insert(struct table *table, uint64_t row, struct soter_slice id)
{
    const uint64_t hashed = hash(id, table->key);
    const uint64_t slot = (hashed & ~(uint64_t)UINT32_MAX) | (row + 1);
    for (uint64_t at = hashed & table->mask;; at = (at + 1) & table->mask) {
        const uint64_t found = themis_column_get(table->slots, SLOT_SIZE, at);
        if (found == 0) {
            themis_column_put(table->slots, SLOT_SIZE, at, slot);
            return true;
        }
        if ((found ^ slot) >> 32 == 0 && is_id_of(table, (found & UINT32_MAX) - 1, id)) {
            return false;
        }
    }
}

const char *themis_column_check_ids(const struct themis_column_job *job,
                                    const uint8_t seed[16],
                                    uint64_t *failed)
{
    const themis_column *rows = job->rows;
    const uint64_t most = job->result->data_len / ROOM_PER_ROW;
    struct table table = {job->result->data, 1, {0, 0}, {rows, 0}};
    struct themis_column_cursor ids = {rows, 0};
    struct themis_column_cursor values = {job->values, 0};
    struct themis_column_value value;
    const char *why = NULL;
    uint64_t count = 0;
    if (most == 0) {
        return NULL;
    }
    memcpy(table.key, seed, sizeof table.key);
    while (table.mask < most && table.mask < rows->rows) {
        table.mask *= 2;
    }
    table.mask = table.mask * 2 - 1;
    memset(table.slots, 0, (size_t)(table.mask + 1) * SLOT_SIZE);
    for (uint64_t row = 0; why == NULL && row < rows->rows; row++) {
        struct themis_column_value id;
        *failed = row;
        why = themis_column_read(&ids, row, &id);
        if (why == NULL) {
            why = themis_column_read(&values, row, &value);
        }
        if (why != NULL || value.is_null || id.is_null) {
            continue;
        }
        if (++count > most) {
            why = "it changed while it was read";
        } else if (!insert(&table, row, id.bytes)) {
            why = "its row id occurs before";
        }
    }
    soter_wipe(&value, sizeof value);
    return why;
}

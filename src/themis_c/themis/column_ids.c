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
#define WAITING_MAX 32

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

/* The table, the readers of rows, and ids that wait to be put into it: a slot of a large table is
 * far from the processor, and it waits only once for those of many ids. */
struct table {
    uint8_t *slots;
    uint64_t mask;
    uint64_t key[2];
    size_t parts; /* of an id */
    struct themis_column_cursor ids[THEMIS_COLUMN_ID_PARTS_MAX];
    struct themis_column_cursor others[THEMIS_COLUMN_ID_PARTS_MAX];
    uint64_t rows[WAITING_MAX];
    uint64_t hashes[WAITING_MAX];
    size_t waiting;
};

static bool are_same(struct table *table, uint64_t row, uint64_t other_row)
{
    bool same = true;
    for (size_t i = 0; same && i < table->parts; i++) {
        struct themis_column_value id;
        struct themis_column_value other;
        same = themis_column_read(&table->ids[i], row, &id) == NULL && !id.is_null &&
               themis_column_read(&table->others[i], other_row, &other) == NULL && !other.is_null &&
               other.bytes.len == id.bytes.len &&
               (id.bytes.len == 0 || memcmp(other.bytes.data, id.bytes.data, id.bytes.len) == 0);
    }
    return same;
}

/* The hash of an id: each part under a key that has the hash of those before it. Returns NULL, or
 * why a part is refused. */
static const char *
hash_id(struct table *table, uint64_t row, struct themis_column_value *part, uint64_t *hashed)
{
    uint64_t key[2] = {table->key[0], table->key[1]};
    const char *why = NULL;
    for (size_t i = 0; why == NULL && i < table->parts; i++) {
        why = themis_column_read(&table->ids[i], row, part);
        if (why != NULL || part->is_null) {
            break; /* which is refused later */
        }
        *hashed = hash(part->bytes, key);
        key[0] ^= *hashed;
    }
    return why;
}

/* A slot has half a hash and a row + 1; 0 is empty. Returns whether the id is new. */
static bool insert(struct table *table, uint64_t row, uint64_t hashed)
{
    const uint64_t slot = (hashed & ~(uint64_t)UINT32_MAX) | (row + 1);
    for (uint64_t at = hashed & table->mask;; at = (at + 1) & table->mask) {
        const uint64_t found = themis_column_get(table->slots, SLOT_SIZE, at);
        if (found == 0) {
            themis_column_put(table->slots, SLOT_SIZE, at, slot);
            return true;
        }
        if ((found ^ slot) >> 32 == 0 && are_same(table, row, (found & UINT32_MAX) - 1)) {
            return false;
        }
    }
}

/* Returns NULL, or why one of the ids that wait is refused. None waits any more. */
static const char *insert_waiting(struct table *table, uint64_t *failed)
{
    const volatile uint8_t *slots = table->slots;
    const size_t count = table->waiting;
    table->waiting = 0;
    for (size_t i = 0; i < count; i++) {
        (void)slots[(table->hashes[i] & table->mask) * SLOT_SIZE]; /* which brings it here */
    }
    for (size_t i = 0; i < count; i++) {
        if (!insert(table, table->rows[i], table->hashes[i])) {
            *failed = table->rows[i];
            return "its row id occurs before";
        }
    }
    return NULL;
}

/* Puts the ids of all rows that have a value into the table. Returns NULL, or why one is refused.
 */
static const char *insert_all(struct table *table,
                              const struct themis_column_job *job,
                              uint64_t most,
                              uint64_t *failed)
{
    struct themis_column_cursor values = {job->values, 0};
    struct themis_column_value value;
    struct themis_column_value id;
    const char *why = NULL;
    const char *earlier;
    for (uint64_t row = 0; why == NULL && row < job->values->rows; row++) {
        uint64_t hashed = 0;
        *failed = row;
        why = hash_id(table, row, &id, &hashed);
        if (why == NULL) {
            why = themis_column_read(&values, row, &value);
        }
        if (why != NULL || value.is_null || id.is_null) {
            continue;
        }
        if (most-- == 0) {
            why = "it changed while it was read";
            continue;
        }
        table->rows[table->waiting] = row;
        table->hashes[table->waiting++] = hashed;
        if (table->waiting == WAITING_MAX) {
            why = insert_waiting(table, failed);
        }
    }
    earlier = insert_waiting(table, failed);
    soter_wipe(&value, sizeof value);
    return earlier != NULL ? earlier : why;
}

const char *themis_column_check_ids(const struct themis_column_job *job,
                                    const uint8_t seed[16],
                                    uint64_t *failed)
{
    const uint64_t rows = job->values->rows;
    const uint64_t most = job->result->data_len / ROOM_PER_ROW;
    struct table table = {.slots = job->result->data, .mask = 1, .parts = job->rows_count};
    if (most == 0) {
        return NULL;
    }
    memcpy(table.key, seed, sizeof table.key);
    for (size_t i = 0; i < table.parts; i++) {
        table.ids[i].column = table.others[i].column = job->rows[i];
    }
    while (table.mask < most && table.mask < rows) {
        table.mask *= 2;
    }
    table.mask = table.mask * 2 - 1;
    memset(table.slots, 0, (size_t)(table.mask + 1) * SLOT_SIZE);
    return insert_all(&table, job, most, failed);
}

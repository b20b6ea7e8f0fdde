/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a keyring, for its parts. */
#ifndef THEMIS_RING_STATE_H
#define THEMIS_RING_STATE_H

#include <stdbool.h>

#include "soter/bytes.h"
#include "soter/status.h"
#include "themis.h"
#include "themis/cell_gcm.h"

#define THEMIS_RING_NONE ((size_t)-1) /* no index */

/* What the payload has: digits of an id, and how a key ends. */
#define THEMIS_RING_ID_DIGITS (2 * THEMIS_RING_ID_SIZE)
#define THEMIS_RING_IS_ACTIVE "\"active\"}"
#define THEMIS_RING_IS_RETIRED "\"retired\"}"

/* A key of the ring, or a legacy key, which has a text and a cell alone. */
struct themis_ring_entry {
    uint8_t id[THEMIS_RING_ID_SIZE];
    bool is_active;
    uint64_t created;
    struct soter_slice text; /* its base64, in the payload */
    struct themis_cell_key cell;
};

/* A payload, which holds all keys, in guarded memory. */
struct themis_ring_text {
    uint8_t *data;
    size_t len;
};

/* A ring never changes: a change makes another one. */
struct themis_ring {
    struct themis_ring_text payload; /* what it was read from */
    struct soter_slice name;         /* in the payload */
    uint64_t version;
    size_t primary; /* an index of keys, or THEMIS_RING_NONE if there are none */
    struct themis_ring_entry *keys;
    size_t keys_count;
    struct themis_ring_entry *legacy;
    size_t legacy_count;
};

/* The index of the key with this id, or THEMIS_RING_NONE. */
SOTER_MUST_USE size_t themis_ring_find(const struct themis_ring *ring,
                                       const uint8_t id[THEMIS_RING_ID_SIZE]);

/* Whether this may be the name of a ring. */
SOTER_MUST_USE bool themis_ring_is_name(struct soter_slice name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The payload of a keyring (formats, section 9.2), written. */
#ifndef THEMIS_RING_WRITE_H
#define THEMIS_RING_WRITE_H

#include "themis/ring_state.h"

/* How a ring differs from the one it is made of. */
struct themis_ring_edit {
    size_t promoted; /* indices of keys, or THEMIS_RING_NONE */
    size_t retired;
    size_t removed;
    const struct themis_ring_addition *added; /* a key, or NULL */
    struct soter_slice legacy; /* the bytes of a legacy key to add; data NULL: none */
    bool drops_legacy;
};

struct themis_ring_addition {
    uint8_t id[THEMIS_RING_ID_SIZE];
    uint64_t created;
    const uint8_t *key; /* THEMIS_RING_KEY_SIZE bytes */
};

/* The payload of an edited ring. */
SOTER_MUST_USE soter_status themis_ring_edited(const struct themis_ring *ring,
                                               const struct themis_ring_edit *edit,
                                               struct themis_ring_text *out);

/* The payload of a draft without keys. */
SOTER_MUST_USE soter_status themis_ring_blank(struct soter_slice name,
                                              struct themis_ring_text *out);

#endif

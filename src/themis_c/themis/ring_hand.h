/* SPDX-License-Identifier: Apache-2.0 */
/* A ring at work on many values, for lists and for columns. */
#ifndef THEMIS_RING_HAND_H
#define THEMIS_RING_HAND_H

#include "themis/ring_state.h"

/* Threads that work through parts of one list share the ring: each takes copies of the keys for
 * itself, so that none disturbs what another keeps for reuse. */
struct themis_ring_hand {
    struct themis_ring *ring;
    struct themis_cell_key *copies; /* keys, then legacy keys; NULL: those of the ring */
};

/* Copies of its own for a hand. Then the hand must be closed, also after a failure. */
SOTER_MUST_USE soter_status themis_ring_hand_open(struct themis_ring_hand *hand);
void themis_ring_hand_close(struct themis_ring_hand *hand);

/* The prepared key with this index of the ring's keys. */
SOTER_MUST_USE soter_status themis_ring_hand_key(const struct themis_ring_hand *hand,
                                                 size_t index,
                                                 struct themis_cell_key **out);

/* Whether a context belongs to sealed files, and never to a stored value. */
SOTER_MUST_USE bool themis_ring_is_reserved(struct soter_slice context);

/* Encrypts under the primary key; `stored` takes text->len + THEMIS_RING_OVERHEAD bytes, the
 * message may stand at their end. */
SOTER_MUST_USE soter_status themis_ring_seal(const struct themis_ring_hand *hand,
                                             const struct themis_cell_text *text,
                                             uint8_t *stored);

/* What stands before the ciphertext of a stored value, or of a bare cell. */
SOTER_MUST_USE soter_status themis_ring_measure(const uint8_t *stored,
                                                size_t stored_len,
                                                size_t *before);

/* Decrypts what was measured; `message` takes stored_len - before bytes, and the ciphertext may
 * stand there. It is not measured again: memory that others write to may give another answer. */
SOTER_MUST_USE soter_status themis_ring_open(const struct themis_ring_hand *hand,
                                             const uint8_t *stored,
                                             size_t stored_len,
                                             size_t before,
                                             struct soter_slice context,
                                             uint8_t *message);

#endif

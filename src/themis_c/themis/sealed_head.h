/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a sealed file, as far as it can be checked without a key (8.5, steps 1 and 2). */
#ifndef THEMIS_SEALED_HEAD_H
#define THEMIS_SEALED_HEAD_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/status.h"
#include "themis.h"

/* One slot; the slices are borrowed from the header. */
struct themis_sealed_slot {
    uint8_t kind;
    struct soter_slice encoded; /* all of it */
    struct soter_slice id;
    struct soter_slice body;
    uint32_t iterations; /* of a passphrase slot, else 0 */
};

struct themis_sealed_head {
    uint8_t log2; /* of the bytes of a piece */
    size_t count;
    struct themis_sealed_slot slots[THEMIS_SEALED_SLOTS_MAX];
};

/* What breaks a rule: a static text, and the number of the slot, counted from 1, or 0. */
struct themis_sealed_fault {
    const char *why;
    size_t slot;
};

/* The fixed numbers; *slots_len is how many bytes of slots follow. INVALID_PARAMETER: no sealed
 * file. DATA_CORRUPT: one that breaks a rule. NOT_SUPPORTED: of a later version. */
SOTER_MUST_USE soter_status themis_sealed_head_begin(const uint8_t *bytes,
                                                     size_t bytes_len,
                                                     struct themis_sealed_head *head,
                                                     size_t *slots_len,
                                                     struct themis_sealed_fault *fault);

/* All of a header, without the mac; answers as the function above. */
SOTER_MUST_USE soter_status themis_sealed_head_read(const uint8_t *bytes,
                                                    size_t bytes_len,
                                                    struct themis_sealed_head *head,
                                                    struct themis_sealed_fault *fault);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the two sides of a slot share: keys, labels, and what is encrypted (FORMATS, 8.3). */
#ifndef THEMIS_SEALED_KEYS_H
#define THEMIS_SEALED_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"
#include "themis.h"

#define THEMIS_SEALED_KEY_LABEL "TSFILE1\nkey"
#define THEMIS_SEALED_PASSPHRASE_LABEL "TSFILE1\npassphrase"

#define THEMIS_SEALED_SENDER_ID_SIZE (2 * THEMIS_SEALED_NAME_SIZE)
#define THEMIS_SEALED_PREFIX_SIZE 62 /* of what a sender encrypts; fk follows */

/* The cell that a key slot is sealed with: under KDF(key, "TSFILE1 key slot", [D], 32).
 * INVALID_PARAMETER: an empty key. */
SOTER_MUST_USE soter_status themis_sealed_slot_cell(const themis_sealed *sealed,
                                                    const uint8_t *key,
                                                    size_t key_len,
                                                    themis_cell **out);

/* "TSFILE1\nsender" || id || D */
void themis_sealed_prefix(const themis_sealed *sealed,
                          const uint8_t id[THEMIS_SEALED_SENDER_ID_SIZE],
                          uint8_t prefix[THEMIS_SEALED_PREFIX_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text: numbers, UUIDs, UTF-8. */
#ifndef THEMIS_COLUMN_TEXT_H
#define THEMIS_COLUMN_TEXT_H

#include <stdbool.h>

#include "soter/bytes.h"

#define THEMIS_COLUMN_NUMBER_SIZE 20 /* of the longest number of 64 bits, with its sign */

/* Decimal digits, within `out`. The bits of a signed number are two's complement. */
struct soter_slice themis_column_write_unsigned(uint64_t number,
                                                uint8_t out[THEMIS_COLUMN_NUMBER_SIZE]);
struct soter_slice themis_column_write_signed(uint64_t number,
                                              uint8_t out[THEMIS_COLUMN_NUMBER_SIZE]);

/* 36 characters, lower-case hex with hyphens. */
void themis_column_write_uuid(const uint8_t uuid[16], uint8_t out[36]);

/* Whether bytes are UTF-8 (RFC 3629). The time depends on where the text has characters beyond
 * ASCII, as in Python's own decoder, which has the text before or after. */
SOTER_MUST_USE bool themis_column_is_utf8(struct soter_slice text);

#endif

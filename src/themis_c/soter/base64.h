/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, section 4) of secrets: no branch and no table depends on what is encoded. */
#ifndef SOTER_BASE64_H
#define SOTER_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/compiler.h"

/* The characters that so many bytes take, with padding. */
#define SOTER_BASE64_SIZE(len) (((len) + 2) / 3 * 4)

/* The bytes that a text would decode to, by its length and padding; 0 if those are not of base64.
 */
size_t soter_base64_decoded_size(struct soter_slice text);

/* Decodes the one text that encodes its bytes: padded, the unused bits zero, nothing else between
 * or behind. Whether it is that, and has 1 to out_len bytes; *made tells how many. What was
 * written before a refusal is the caller's to wipe. */
SOTER_MUST_USE bool
soter_base64_decode(struct soter_slice text, uint8_t *out, size_t out_len, size_t *made);

/* The same where the number of bytes is known: then no branch depends on where padding begins. */
SOTER_MUST_USE bool
soter_base64_decode_exact(struct soter_slice text, uint8_t *out, size_t out_len);

/* Writes the base64 of `data`; whether it fits. */
SOTER_MUST_USE bool soter_base64_encode(struct soter_writer *writer, struct soter_slice data);

#endif

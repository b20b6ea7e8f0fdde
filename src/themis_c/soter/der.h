/* SPDX-License-Identifier: Apache-2.0 */
/* DER (ITU-T X.690), as far as keys need it: over the bounded reader, linear, without recursion.
 *
 *   | tag, 1 byte | length, 1 to 5 bytes | content ... |
 *
 * A length may have leading zeros, which some software writes; one that is left open (BER) and tags
 * of more than one byte are refused. A read that fails moves nothing. */
#ifndef SOTER_DER_H
#define SOTER_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"

#define SOTER_DER_INTEGER 0x02
#define SOTER_DER_BIT_STRING 0x03
#define SOTER_DER_OCTET_STRING 0x04
#define SOTER_DER_OID 0x06
#define SOTER_DER_SEQUENCE 0x30
#define SOTER_DER_CONTEXT(n) (0xA0 + (n)) /* [n], constructed */

/* The tag that comes next; 0, which no value has, at the end. */
uint8_t soter_der_next(const struct soter_reader *reader);

/* The next value, which has this tag: its content. */
SOTER_MUST_USE bool
soter_der_read(struct soter_reader *reader, uint8_t tag, struct soter_reader *content);

/* Passes over the next value, whatever it is. */
SOTER_MUST_USE bool soter_der_skip(struct soter_reader *reader);

/* The content of an OCTET STRING, of a BIT STRING without odd bits, or of an INTEGER. */
SOTER_MUST_USE bool
soter_der_string(struct soter_reader *reader, uint8_t tag, struct soter_slice *out);

/* An INTEGER that is not negative and fits: a count, or a version. */
SOTER_MUST_USE bool soter_der_count(struct soter_reader *reader, uint64_t *out);

/* An AlgorithmIdentifier: its OID, and what it has of parameters, a single value or none. */
SOTER_MUST_USE bool soter_der_algorithm(struct soter_reader *reader,
                                        struct soter_slice *oid,
                                        struct soter_reader *params);

/* Whether an OID is this one. */
SOTER_MUST_USE bool soter_der_is_oid(struct soter_slice oid, const uint8_t *wanted, size_t len);

/* Writes a number as `size` big-endian bytes, padded or without its leading zeros; false if it has
 * more. A number that began with a set bit would be negative in an INTEGER; it is read as the
 * positive number whose leading zero was lost, as OpenSSL does. Branches on lengths, and on whether
 * what exceeds `size` is zero, alone. */
SOTER_MUST_USE bool soter_der_pad(struct soter_slice number, uint8_t *out, size_t size);

#endif

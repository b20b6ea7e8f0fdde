/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of keys, as bytes: in the order of the machine, compared, and multiplied. */
#ifndef SOTER_NUMBER_H
#define SOTER_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/compiler.h"

/* A number as OSSL_PARAM wants it, in the byte order of the machine, from big-endian bytes. */
void soter_number_to_native(const uint8_t *number, size_t len, uint8_t *out);

/* The way back, in its place. */
void soter_number_from_native(uint8_t *number, size_t len);

/* Whether a < b, both big-endian with `len` bytes, in time that depends on `len` alone. */
SOTER_MUST_USE bool soter_number_less(const uint8_t *a, const uint8_t *b, size_t len);

/* Whether a * b is the product, which has 2 * len bytes: in time that depends on `len` alone, a
 * multiple of 4 of at most 512. */
SOTER_MUST_USE bool
soter_number_product_is(const uint8_t *a, const uint8_t *b, size_t len, const uint8_t *product);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Points of the three curves, as bytes. OpenSSL's EC_GROUP does the arithmetic, with curves
 * that are built once. With EVP, OpenSSL 3.0 would build a curve for each private key: half the
 * cost of a signature. */
#ifndef SOTER_EC_POINT_H
#define SOTER_EC_POINT_H

#include <stdint.h>

#include "soter/ec_curve.h"
#include "soter/status.h"

#define SOTER_EC_NUMBER_MAX_SIZE 66 /* of P-521 */
#define SOTER_EC_POINT_MAX_SIZE (1 + 2 * SOTER_EC_NUMBER_MAX_SIZE)

#define SOTER_POINT_UNCOMPRESSED 0x04 /* | 04       | x | y | */
#define SOTER_POINT_COMPRESSED 0x02   /* | 02 or 03 | x |, plus the lowest bit of y */

/* A whole point is 1 + 2 * number_size bytes, uncompressed. All of these belong between
 * ERR_set_mark and ERR_pop_to_mark. */

/* Whether the coordinates are below the field's prime and the point is on its curve:
 * DATA_CORRUPT if not. */
SOTER_MUST_USE soter_status soter_point_judge(const struct soter_curve *curve,
                                              const uint8_t *point);

/* Finds y; the result is judged. DATA_CORRUPT: the curve has no such x. */
SOTER_MUST_USE soter_status soter_point_decompress(const struct soter_curve *curve,
                                                   const uint8_t *compressed,
                                                   uint8_t *point);

/* d times a whole point that was judged, or the base point for NULL; in time that does not depend
 * on d, which is from 1 to n-1. The product is as secret as its use makes it. */
SOTER_MUST_USE soter_status soter_point_multiply(const struct soter_curve *curve,
                                                 const uint8_t *d,
                                                 const uint8_t *point,
                                                 uint8_t *product);

#endif

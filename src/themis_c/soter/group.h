/* SPDX-License-Identifier: Apache-2.0 */
/* The prime-order subgroup of edwards25519, and scalars modulo its order L = 2^252 + 2774...8493.
 *
 * Base point B. Points are kept as they travel: the y coordinate and the sign of x, 32 bytes.
 * Scalars are little-endian numbers of 256 bits, not always below L.
 * Nothing here branches on a scalar or takes an address from one. Points are another matter:
 * decoding one branches on whether it is valid, and nothing else. */
#ifndef SOTER_GROUP_H
#define SOTER_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "soter/hash.h"
#include "soter/status.h"

#define SOTER_POINT_SIZE 32
#define SOTER_SCALAR_SIZE 32

struct soter_point {
    uint8_t bytes[SOTER_POINT_SIZE];
};

struct soter_scalar {
    uint8_t bytes[SOTER_SCALAR_SIZE];
};

/* Before anything else of the group, from any thread; calling again is fine and cheap. */
SOTER_MUST_USE soter_status soter_group_init(void);

/* Which libsodium does the work: the one that is loaded. */
const char *soter_sodium_version(void);

/* Makes 32 bytes a scalar the way Curve25519 does: a multiple of 8 from 2^254 to 2^255 - 1. It is
 * never 0 modulo L, because the multiples of L in that range are 4L to 7L, and 8 divides none. */
void soter_scalar_clamp(struct soter_scalar *scalar);

/* A random clamped scalar. */
SOTER_MUST_USE soter_status soter_scalar_random(struct soter_scalar *out);

/* A digest modulo L. */
void soter_scalar_of_digest(const uint8_t digest[SOTER_SHA512_SIZE], struct soter_scalar *out);

/* Whether a scalar is below L. */
SOTER_MUST_USE bool soter_scalar_is_reduced(const struct soter_scalar *scalar);

/* a * b modulo L; `out` may be one of them. */
void soter_scalar_multiply(const struct soter_scalar *a,
                           const struct soter_scalar *b,
                           struct soter_scalar *out);

/* a * b + c modulo L, for a c below 2^255. */
void soter_scalar_multiply_add(const struct soter_scalar *a,
                               const struct soter_scalar *b,
                               const struct soter_scalar *c,
                               struct soter_scalar *out);

SOTER_MUST_USE bool soter_point_is_identity(const struct soter_point *point);
SOTER_MUST_USE bool soter_point_equal(const struct soter_point *a, const struct soter_point *b);

/* scalar * B. Bit 255 of the scalar does not count, here and below. */
void soter_group_multiply_base(const struct soter_scalar *scalar, struct soter_point *out);

/* scalar * point, and the judge of every point that arrives: INVALID_PARAMETER unless it is
 * canonical, on the curve, of order L (so not the identity either). */
SOTER_MUST_USE soter_status soter_group_multiply(const struct soter_scalar *scalar,
                                                 const struct soter_point *point,
                                                 struct soter_point *out);

/* Sum and difference of points that were judged, or made here; `out` may be one of them. */
SOTER_MUST_USE soter_status soter_group_add(const struct soter_point *a,
                                            const struct soter_point *b,
                                            struct soter_point *out);
SOTER_MUST_USE soter_status soter_group_subtract(const struct soter_point *a,
                                                 const struct soter_point *b,
                                                 struct soter_point *out);

#endif

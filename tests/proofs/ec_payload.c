/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"
#include "soter/ec_point.h"
#include "soter/key_internal.h"
#include "soter/number.h"

static struct soter_curve its_curve;
static soter_key its_key;

#define soter_curve_find(bits) (agrees() ? &its_curve : NULL)
#define soter_number_less(a, b, size)                                                              \
    (CLAIM((size) == its_curve.number_size), reads(a, size),                                       \
     CLAIM(asked == 1 ? (b) == its_key.d : (a) == its_key.d && (b) == its_curve.order), agrees())
#define soter_point_judge(curve, at)                                                               \
    (CLAIM((at) == its_key.point && memcmp(at, in, EXACT) == 0), any_status())
#define soter_point_decompress(curve, from, to)                                                    \
    (CLAIM((from) == in && (to) == its_key.point), any_status())

#include "soter/ec_key.c"

/* fault: soter/ec_key.c: payload.len - curve->number_size), => payload.len),
 * with EXACT=4 */
bool ec_payload(void)
{
    const size_t n = nondet_bool() ? 32 : nondet_bool() ? 48 : 66;
    const struct soter_key_kind kind = {"", SOTER_KEY_EC, nondet_bool(), 256, n};
    soter_status status;
    bool fits;
    its_key.kind = &kind;
    its_curve.number_size = n;
    its_curve.order = any_bytes(n);
    CLAIM(payload_fits(&kind, in_len) ==
          (in_len == n + 1 || in_len == (kind.is_private ? n : 2 * n + 1)));
    if (!payload_fits(&kind, in_len)) {
        return false;
    }
    fits = kind.is_private   ? in_len == n || in[0] == 0
           : in_len == n + 1 ? in[0] == 2 || in[0] == 3
                             : in[0] == 4;
    status = import(&its_key, (struct soter_slice){in, in_len});
    CLAIM((status == SOTER_SUCCESS) == (fits && !refused));
    if (status == SOTER_SUCCESS) {
        CLAIM(asked == (kind.is_private ? 3 : 2));
        CLAIM(!kind.is_private || memcmp(its_key.d, in + (in_len - n), EXACT) == 0);
    }
    return status == SOTER_SUCCESS;
}

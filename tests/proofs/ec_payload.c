/* SPDX-License-Identifier: Apache-2.0 */
/* fault: soter/ec_key.c: payload.len - curve->number_size) => payload.len - curve->number_size + 1)
 *
 * The payload of an EC key, of every curve and both halves: taken if and only if section 2 allows
 * it. Whether a point is on the curve is OpenSSL's to say; how numbers compare, `numbers` proves.
 */
#define EXACT 4
#include "proof.h"
#include "soter/ec_key.c"

static struct soter_curve curve;
static soter_status judged;
static bool less[2]; /* what numbers are below others, in the order in which that is asked */
static size_t compared;

const struct soter_curve *soter_curve_find(unsigned bits) { return nondet_bool() ? &curve : NULL; }

bool soter_number_less(const uint8_t *a, const uint8_t *b, size_t len)
{
    touch(a, len);
    touch(b, len);
    return less[compared++ % 2];
}

soter_status soter_point_judge(const struct soter_curve *its, const uint8_t *point)
{
    touch(point, 1 + 2 * its->number_size);
    return judged;
}

soter_status soter_point_decompress(const struct soter_curve *its, const uint8_t *compressed,
                                    uint8_t *point)
{
    touch(compressed, 1 + its->number_size);
    fill(point, 1 + 2 * its->number_size);
    return judged;
}

int main(void)
{
    const size_t n = nondet_bool() ? 32 : nondet_bool() ? 48 : 66;
    const size_t len = any_len(MOST);
    const struct soter_key_kind kind = {"", SOTER_KEY_EC, nondet_bool(), 256, n};
    const uint8_t *data = any_bytes(len);
    soter_key key = {.kind = &kind};
    soter_status status;
    curve.number_size = n;
    curve.order = any_bytes(n);
    judged = any_status();
    less[0] = nondet_bool();
    less[1] = nondet_bool();
    CLAIM(payload_fits(&kind, len) == (len == n + 1 || len == (kind.is_private ? n : 2 * n + 1)));
    if (!payload_fits(&kind, len)) {
        return 0;
    }
    status = import(&key, (struct soter_slice){data, len});
    if (status != SOTER_ENGINE_FAIL && kind.is_private) {
        CLAIM((status == SOTER_SUCCESS) == ((len == n || data[0] == 0) && less[0] && less[1]));
        CLAIM(memcmp(key.d, data + (len - n), EXACT) == 0);
    } else if (status == SOTER_SUCCESS) {
        CLAIM(judged == SOTER_SUCCESS);
        CLAIM(len == n + 1 ? data[0] == 2 || data[0] == 3 : data[0] == 4);
        REACHED();
    }
}

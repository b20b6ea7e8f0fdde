/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/wipe.h"
#include "themis.h"

int themis_overlap(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    const uintptr_t a_start = (uintptr_t)a;
    const uintptr_t b_start = (uintptr_t)b;
    if (a_len == 0 || b_len == 0) {
        return 0;
    }
    return a_start <= b_start ? b_start - a_start < a_len : a_start - b_start < b_len;
}

void themis_wipe(uint8_t *data, size_t data_len)
{
    soter_wipe(data, data_len);
}

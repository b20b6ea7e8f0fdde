/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/crc32c.h"

#define POLYNOMIAL_REFLECTED UINT32_C(0x82F63B78)

uint32_t soter_crc32c_add(uint32_t crc, const uint8_t *data, size_t data_len)
{
    /* Bit by bit with a mask: a table would be indexed by secret bytes. */
    for (size_t i = 0; i < data_len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (POLYNOMIAL_REFLECTED & (0 - (crc & 1)));
        }
    }
    return crc;
}

uint32_t soter_crc32c_finish(uint32_t crc)
{
    return crc ^ UINT32_C(0xFFFFFFFF);
}

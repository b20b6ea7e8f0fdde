/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/crc32c.h"

#include <string.h>

#include "soter/compiler.h"

#define POLYNOMIAL_REFLECTED UINT32_C(0x82F63B78)

/* Bit by bit with a mask: a table would be indexed by secret bytes. */
static uint32_t add_bytes(uint32_t crc, const uint8_t *data, size_t data_len)
{
    for (size_t i = 0; i < data_len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (POLYNOMIAL_REFLECTED & (0 - (crc & 1)));
        }
    }
    return crc;
}

#ifdef SOTER_CRC32C_PRESENT
/* Bit by bit, the checksums took a third of preparing a pair of RSA keys and wrapping a message. */
SOTER_CRC32C_FUNCTION static uint32_t add_words(uint32_t crc, const uint8_t *data, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint64_t word;
        memcpy(&word, data + i * sizeof word, sizeof word);
        crc = SOTER_CRC32C_EIGHT(crc, word);
    }
    return crc;
}
#endif

uint32_t soter_crc32c_add(uint32_t crc, const uint8_t *data, size_t data_len)
{
#ifdef SOTER_CRC32C_PRESENT
    if (SOTER_CRC32C_PRESENT()) {
        const size_t words = data_len / sizeof(uint64_t);
        crc = add_words(crc, data, words);
        data += words * sizeof(uint64_t);
        data_len -= words * sizeof(uint64_t);
    }
#endif
    return add_bytes(crc, data, data_len);
}

uint32_t soter_crc32c_finish(uint32_t crc)
{
    return crc ^ UINT32_C(0xFFFFFFFF);
}

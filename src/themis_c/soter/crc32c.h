/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_CRC32C_H
#define SOTER_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* A CRC-32C (Castagnoli, reflected) in the making: start with SOTER_CRC32C_START, add the data in
 * any number of pieces, finish. Time depends on lengths alone, because private keys pass through
 * it. */
#define SOTER_CRC32C_START UINT32_C(0xFFFFFFFF)

uint32_t soter_crc32c_add(uint32_t crc, const uint8_t *data, size_t data_len);
uint32_t soter_crc32c_finish(uint32_t crc);

#endif

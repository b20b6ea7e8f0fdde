/* SPDX-License-Identifier: Apache-2.0 */
/* fault: soter/bytes.c: out[1] = (uint8_t)(value >> 16) => out[1] = (uint8_t)(value >> 15)
 *
 * Numbers are written as the formats have them, and read back. That reader and writer stay inside
 * their bytes for any lengths is Frama-C's part (soter/bytes.h). */
#include "proof.h"
#include "soter/bytes.c"

int main(void)
{
    const uint64_t number = nondet_u64();
    uint8_t bytes[18];
    struct soter_writer writer = {bytes, sizeof bytes};
    struct soter_reader reader = {bytes, sizeof bytes};
    uint16_t two;
    uint32_t little, big;
    uint64_t eight;
    CLAIM(soter_write_u16le(&writer, (uint16_t)number) &&
          soter_write_u32le(&writer, (uint32_t)number) &&
          soter_write_u32be(&writer, (uint32_t)number) && soter_write_u64be(&writer, number));
    CLAIM(!soter_write_u16le(&writer, 0) && writer.left == 0);
    for (unsigned i = 0; i < 8; i++) {
        CLAIM(i >= 2 || bytes[i] == (uint8_t)(number >> 8 * i));
        CLAIM(i >= 4 || bytes[2 + i] == (uint8_t)(number >> 8 * i));
        CLAIM(i >= 4 || bytes[9 - i] == (uint8_t)(number >> 8 * i));
        CLAIM(bytes[17 - i] == (uint8_t)(number >> 8 * i));
    }
    CLAIM(soter_read_u16le(&reader, &two) && soter_read_u32le(&reader, &little) &&
          soter_read_u32be(&reader, &big) && soter_read_u64be(&reader, &eight));
    CLAIM(two == (uint16_t)number && little == (uint32_t)number && big == little);
    CLAIM(eight == number && reader.left == 0 && !soter_read_u16le(&reader, &two));
    soter_put_u64le(bytes, number);
    CLAIM(soter_get_u32le(bytes) + ((uint64_t)soter_get_u32le(bytes + 4) << 32) == number);
    REACHED();
}

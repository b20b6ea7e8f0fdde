/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"
#include "soter/number.c"

static uint64_t number(const uint8_t *bytes, size_t size)
{
    uint64_t made = 0;
    for (size_t i = 0; i < size; i++) {
        made = made << 8 | bytes[i];
    }
    return made;
}

/* fault: soter/bytes.c: out[1] = (uint8_t)(value >> 16) => out[1] = (uint8_t)(value >> 15) */
bool numbers(void)
{
    const uint64_t any = nondet_ulong();
    uint8_t bytes[18], native[8];
    struct soter_writer writer = {bytes, sizeof bytes};
    struct soter_reader reader = {bytes, sizeof bytes};
    uint16_t two;
    uint32_t little, big;
    uint64_t eight;
    CLAIM(soter_write_u16le(&writer, (uint16_t)any) && soter_write_u32le(&writer, (uint32_t)any) &&
          soter_write_u32be(&writer, (uint32_t)any) && soter_write_u64be(&writer, any));
    CLAIM(!soter_write_u16le(&writer, 0) && writer.left == 0);
    for (size_t i = 0; i < 6; i++) {
        CLAIM(bytes[i] == (uint8_t)(any >> 8 * (i < 2 ? i : i - 2)));
    }
    CLAIM(number(bytes + 6, 4) == (uint32_t)any && number(bytes + 10, 8) == any);
    CLAIM(soter_read_u16le(&reader, &two) && soter_read_u32le(&reader, &little) &&
          soter_read_u32be(&reader, &big) && soter_read_u64be(&reader, &eight));
    CLAIM(two == (uint16_t)any && little == (uint32_t)any && big == little && eight == any);
    CLAIM(reader.left == 0 && !soter_read_u16le(&reader, &two));
    soter_put_u64le(bytes, any);
    soter_number_to_native(bytes, 8, native);
    CLAIM(number(native, 8) == any && soter_get_u32le(bytes) == little);
    return true;
}

/* fault: soter/number.c: column - limbs + 1; => column - limbs; */
bool key_numbers(void)
{
    const uint8_t *a = any_bytes(32), *b = any_bytes(32), *product = any_bytes(64);
    __ESBMC_assume(in_len <= 8);
    CLAIM(soter_number_less(a, b, in_len) == (number(a, in_len) < number(b, in_len)));
    CLAIM(soter_number_product_is(a, b, 4, product) ==
          (number(a, 4) * number(b, 4) == number(product, 8)));
    (void)soter_number_product_is(a, b, 32, product);
    return true;
}

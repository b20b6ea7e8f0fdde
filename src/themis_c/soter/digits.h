/* SPDX-License-Identifier: Apache-2.0 */
/* The digits of base64 and hex, and numbers. Both may be secret: no branch and no table. */
#ifndef SOTER_DIGITS_H
#define SOTER_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#define SOTER_NO_DIGIT 64 /* above all digits, and a bit that none of them has */

/* The value of a digit of base64 (RFC 4648, standard alphabet), or SOTER_NO_DIGIT. */
uint32_t soter_base64_digit(uint8_t digit);

/* The digit of a value below 64. */
uint8_t soter_base64_digit_of(uint32_t value);

/* The value of a digit of hex in either case, or SOTER_NO_DIGIT. */
uint32_t soter_hex_digit(uint8_t digit);

/* Lower-case hex; `out` takes two digits for each byte. */
void soter_hex_write(const uint8_t *data, size_t data_len, uint8_t *out);

#endif

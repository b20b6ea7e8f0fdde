/* SPDX-License-Identifier: Apache-2.0 */
/* What Frama-C knows of OpenSSL and of memcpy where it proves soter/bytes.c. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*@ requires \valid_read(a + (0 .. len - 1)) && \valid_read(b + (0 .. len - 1));
    assigns \result \from a[0 .. len - 1], b[0 .. len - 1];
    ensures \result == 0 <==> \forall integer i; 0 <= i < len ==> a[i] == b[i]; */
int CRYPTO_memcmp(const uint8_t *a, const uint8_t *b, size_t len);

/*@ requires \valid(to + (0 .. len - 1)) && \valid_read(from + (0 .. len - 1));
    requires \separated(to + (0 .. len - 1), from + (0 .. len - 1));
    assigns to[0 .. len - 1] \from from[0 .. len - 1];
    ensures \forall integer i; 0 <= i < len ==> to[i] == \old(from[i]); */
void copy_bytes(uint8_t *to, const uint8_t *from, size_t len);

#define memcpy(to, from, len) copy_bytes(to, from, len)

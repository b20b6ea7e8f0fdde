/* SPDX-License-Identifier: Apache-2.0 */
/* What the proofs share: any bytes, and stand-ins that touch what they are given and may fail.
 *
 * A harness includes the real .c files. Its first comment names the planted fault, which must break
 * the proof, and how often loops run. REACHED() stands where the proof must get: with CONTROL it is
 * a claim that must fail. */
#ifndef PROOF_H
#define PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "soter/status.h"

#define CLAIM(condition) __ESBMC_assert(condition, #condition)
#ifdef CONTROL
#define REACHED() __ESBMC_assert(0, "reached")
#else
#define REACHED() ((void)0)
#endif

#ifndef MOST
#define MOST ((size_t)1 << 16) /* the longest input */
#endif
#ifndef EXACT
#define EXACT                                                                                      \
    16 /* so many first bytes are copied and compared; of the others, the ends touched             \
        */
#endif

uint8_t nondet_byte(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);

static size_t any_len(size_t most)
{
    const size_t len = nondet_u64();
    __ESBMC_assume(len <= most);
    return len;
}

static soter_status any_status(void)
{
    return nondet_bool() ? SOTER_SUCCESS : nondet_bool() ? SOTER_FAIL : SOTER_ENGINE_FAIL;
}

static uint8_t *any_bytes(size_t len)
{
    uint8_t *made = malloc(len);
    __ESBMC_assume(made != NULL);
    return made;
}

/* The first and the last byte: what is between them is of the same object. */
static void touch(const void *data, size_t len)
{
    volatile uint8_t read; /* so that it is read */
    if (len != 0) {
        read = ((const uint8_t *)data)[0];
        read = ((const uint8_t *)data)[len - 1];
    }
}

static void fill(void *data, size_t len)
{
    if (len != 0) {
        ((uint8_t *)data)[0] = nondet_byte();
        ((uint8_t *)data)[len - 1] = nondet_byte();
    }
}

void *memcpy(void *to, const void *from, size_t len)
{
    touch(from, len);
    fill(to, len);
    for (size_t i = 0; i < len && i < EXACT; i++) {
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    int order = 0;
    touch(a, len);
    touch(b, len);
    for (size_t i = 0; i < len && i < EXACT && order == 0; i++) {
        order = ((const uint8_t *)a)[i] - ((const uint8_t *)b)[i];
    }
    return len > EXACT && order == 0 ? (int)nondet_u32() : order;
}

int CRYPTO_memcmp(const void *a, const void *b, size_t len) { return memcmp(a, b, len); }

void soter_wipe(void *data, size_t len) { fill(data, len); }

void soter_wipe_free(void *data, size_t len)
{
    fill(data, data != NULL ? len : 0);
    free(data);
}

soter_status soter_rand_public(uint8_t *out, size_t out_len)
{
    fill(out, out_len);
    return any_status();
}

soter_status soter_rand_secret(uint8_t *out, size_t out_len)
{
    return soter_rand_public(out, out_len);
}

/* What the checksums of containers come to, in the order in which they are asked for. */
static uint32_t checksums[3];
static size_t checked;

uint32_t soter_crc32c_add(uint32_t crc, const uint8_t *data, size_t data_len)
{
    touch(data, data_len);
    return crc;
}

uint32_t soter_crc32c_finish(uint32_t crc) { return checksums[checked++ % 3]; }

static void any_checksums(bool alike)
{
    for (size_t i = 0; i < 3; i++) {
        checksums[i] = alike && i != 0 ? checksums[0] : nondet_u32();
    }
    checked = 0;
}

#endif

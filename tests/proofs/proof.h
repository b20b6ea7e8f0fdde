/* SPDX-License-Identifier: Apache-2.0 */
/* What the proofs share. An entry point proves something about the files of the core that its own
 * file includes, for an input of any bytes; it returns whether it got where it must be able to get.
 * The comment before it names the planted fault, and which limits differ from those of proof.py.
 * Where a stand-in is a macro, it is a table's row: what it claims, reads, writes and returns. */
#ifndef PROOF_H
#define PROOF_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "soter/bytes.c"
#include "soter/status.h"

#define CLAIM(condition) __ESBMC_assert(condition, #condition)

static uint8_t *in; /* the input */
static size_t in_len;
static uint32_t checksums[3]; /* of containers, in the order in which they are asked for */
static size_t checked;
static size_t asked; /* how often stand-ins were, and whether one of them refused */
static bool refused;

bool ENTRY(void);

static size_t any_len(void)
{
    const size_t any = nondet_ulong();
    __ESBMC_assume(any <= MOST);
    return any;
}

static void *any_bytes(size_t size)
{
    void *made = malloc(size);
    __ESBMC_assume(made != NULL);
    return made;
}

static bool agrees(void)
{
    const bool yes = nondet_bool();
    asked++;
    refused = refused || !yes;
    return yes;
}

static soter_status any_status(void)
{
    return agrees() ? SOTER_SUCCESS : nondet_bool() ? SOTER_FAIL : SOTER_ENGINE_FAIL;
}

int main(void)
{
    in_len = any_len();
    in = any_bytes(in_len);
    for (size_t i = 0; i < 3; i++) {
        checksums[i] = nondet_uint();
    }
    __ESBMC_assert(!ENTRY() || !CONTROL, "reached");
}

/* Numbers of the input; 0 beyond it. */
static uint32_t le(size_t at) { return at + 4 <= in_len ? soter_get_u32le(in + at) : 0; }
static uint32_t be(size_t at) { return at + 4 <= in_len ? soter_get_u32be(in + at) : 0; }

/* Stand-ins touch the first and the last byte: what is between them is of the same object. */
static void reads(const void *from, size_t size)
{
    volatile uint8_t read; /* so that it is read */
    if (size != 0) {
        read = ((const uint8_t *)from)[0];
        read = ((const uint8_t *)from)[size - 1];
    }
}

static void writes(void *to, size_t size)
{
    if (size != 0) {
        ((uint8_t *)to)[0] = nondet_uchar();
        ((uint8_t *)to)[size - 1] = nondet_uchar();
    }
}

static soter_status turns(const void *from, void *to, size_t size)
{
    reads(from, size);
    writes(to, size);
    return any_status();
}

/* The first bytes are copied and compared; of the others, the ends touched. */
void *memcpy(void *to, const void *from, size_t size)
{
    reads(from, size);
    writes(to, size);
    for (size_t i = 0; i < size && i < EXACT; i++) {
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    int order = 0;
    reads(a, size);
    reads(b, size);
    for (size_t i = 0; i < size && i < EXACT && order == 0; i++) {
        order = ((const uint8_t *)a)[i] - ((const uint8_t *)b)[i];
    }
    return size > EXACT && order == 0 ? nondet_int() : order;
}

int CRYPTO_memcmp(const void *a, const void *b, size_t size) { return memcmp(a, b, size); }

void soter_wipe(void *at, size_t size) { writes(at, size); }

void soter_wipe_free(void *at, size_t size)
{
    writes(at, at != NULL ? size : 0);
    free(at);
}

soter_status soter_rand_public(uint8_t *out, size_t size)
{
    writes(out, size);
    return any_status();
}

uint32_t soter_crc32c_add(uint32_t crc, const uint8_t *from, size_t size)
{
    reads(from, size);
    return crc;
}

uint32_t soter_crc32c_finish(uint32_t crc) { return checksums[checked++ % 3]; }

#endif

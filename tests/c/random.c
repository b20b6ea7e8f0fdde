/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

#include <string.h>

#include "generator.h"

#define GIFTS_MAX 512

static uint64_t state;
static bool armed;
static bool exhausted;
static bool fails_for_good;
static long countdown;
static long counted;
static struct random_gift gifts[GIFTS_MAX];
static size_t gifts_count;

void random_restart(uint64_t seed)
{
    state = seed * UINT64_C(0x243F6A8885A308D3);
    gifts_count = 0;
}

void random_arm(long n, bool for_good)
{
    countdown = n;
    counted = 0;
    fails_for_good = for_good;
    exhausted = false;
    armed = true;
}

long random_disarm(void)
{
    armed = false;
    return counted;
}

size_t random_gifts(void)
{
    return gifts_count;
}

const struct random_gift *random_gift(size_t i)
{
    return &gifts[i];
}

static bool fails(void)
{
    if (!armed) {
        return false;
    }
    counted++;
    if (exhausted) {
        return fails_for_good;
    }
    exhausted = counted == countdown;
    return exhausted;
}

/* splitmix64 */
static uint8_t next_byte(void)
{
    uint64_t z = (state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint8_t)(z >> 56);
}

static void remember(const unsigned char *bytes, size_t len, bool to_core)
{
    struct random_gift *gift;
    if (gifts_count < GIFTS_MAX) {
        gift = &gifts[gifts_count++];
        gift->to_core = to_core;
        gift->len = len < sizeof gift->bytes ? len : sizeof gift->bytes;
        memcpy(gift->bytes, bytes, gift->len);
    }
}

int generator_give(unsigned char *out, size_t len, bool secret, bool to_core)
{
    if (fails()) {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = next_byte();
    }
    if (secret) {
        remember(out, len, to_core);
    }
    return 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How long operations on secrets take, fixed against random: tools/evidence/timing.py judges.
 *
 *   timing CASE COUNT      prints COUNT lines: 0 (fixed) or 1 (random), and the time; without
 *                          arguments it lists the cases */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "soter/base64.h"
#include "soter/bytes.h"
#include "soter/group.h"
#include "soter/key_container.h"
#include "soter/oaep.h"
#include "themis.h"

#define BATCH 512
#define INPUT_SIZE 256
#define SECRET_SIZE 32
#define RSA_BITS 1024
#define EC_PRIVATE_SIZE 45
#define CELL_SIZE (44 + SECRET_SIZE)
#define TAG_AT 28

static uint8_t secret[SECRET_SIZE];
static uint8_t fixed[INPUT_SIZE];
static themis_cell *cell;
static soter_oaep_key *oaep;
static volatile unsigned sink;

static void must(int status)
{
    if (status != THEMIS_SUCCESS) {
        fprintf(stderr, "timing: status %d\n", status);
        exit(2);
    }
}

static void draw(uint8_t *out, size_t len)
{
    static uint64_t state = 88172645463325252;
    for (size_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out[i] = (uint8_t)(state >> 32);
    }
}

static uint64_t now(void)
{
#if defined(__x86_64__)
    uint64_t ticks;
    __builtin_ia32_lfence();
    ticks = __builtin_ia32_rdtsc();
    __builtin_ia32_lfence();
    return ticks;
#else
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
#endif
}

/* ---- Comparisons: fixed is the secret itself ---- */

static void prepare_secret(void)
{
    draw(secret, sizeof secret);
    memcpy(fixed, secret, sizeof secret);
}

static void random_bytes(uint8_t *input)
{
    draw(input, INPUT_SIZE);
}

__attribute__((noinline)) static unsigned leaky_compare(const uint8_t *a, const uint8_t *b)
{
    for (size_t i = 0; i < SECRET_SIZE; i++) {
        if (a[i] != b[i]) {
            return 0;
        }
    }
    return 1;
}

static void run_leak(const uint8_t *input)
{
    sink = leaky_compare(input, secret);
}

static void run_equal(const uint8_t *input)
{
    sink = soter_equal(input, secret, SECRET_SIZE);
}

/* ---- A cell whose tag is wrong in its last bit, or in all bytes ---- */

static void prepare_cell(void)
{
    draw(secret, sizeof secret);
    must(themis_cell_new(secret, sizeof secret, 0, &cell));
    must(themis_cell_seal(cell, secret, sizeof secret, NULL, 0, fixed, CELL_SIZE));
    fixed[TAG_AT + 15] ^= 1;
}

static void random_tag(uint8_t *input)
{
    memcpy(input, fixed, INPUT_SIZE);
    draw(input + TAG_AT, 16);
}

static void run_unseal(const uint8_t *input)
{
    uint8_t message[SECRET_SIZE];
    sink = (unsigned)themis_cell_unseal(cell, input, CELL_SIZE, NULL, 0, message, sizeof message);
}

/* ---- RSA: a wrapped secret, or what unwraps to no secret ---- */

static void prepare_oaep(void)
{
    uint8_t keys[2][2048];
    const size_t sizes[] = {themis_key_size(THEMIS_KEY_RSA, 1, RSA_BITS, 0),
                            themis_key_size(THEMIS_KEY_RSA, 0, RSA_BITS, 0)};
    soter_key *key[2] = {NULL, NULL};
    soter_oaep_key *wrapping;
    must(themis_key_pair(THEMIS_KEY_RSA, RSA_BITS, 0, keys[0], sizes[0], keys[1], sizes[1]));
    for (int i = 0; i < 2; i++) {
        must((int)soter_key_read(keys[i], sizes[i], &key[i]));
    }
    must((int)soter_oaep_key_new(key[0], &oaep));
    must((int)soter_oaep_key_new(key[1], &wrapping));
    must((int)soter_oaep_wrap(wrapping, secret, sizeof secret, fixed));
    soter_oaep_key_free(wrapping);
    soter_key_free(key[0]);
    soter_key_free(key[1]);
}

static void random_wrapped(uint8_t *input)
{
    draw(input, INPUT_SIZE);
    input[0] = 0x3f; /* below the modulus */
}

static void run_unwrap(const uint8_t *input)
{
    uint8_t out[SECRET_SIZE];
    sink = (unsigned)
        soter_oaep_unwrap(oaep, SOTER_OAEP_KEPT_BLINDING, input, RSA_BITS / 8, out, sizeof out);
}

/* ---- Private keys ---- */

static void random_key(uint8_t *input)
{
    uint8_t other[EC_PRIVATE_SIZE];
    must(themis_key_pair(THEMIS_KEY_EC, 256, 0, input, EC_PRIVATE_SIZE, other, EC_PRIVATE_SIZE));
}

static void prepare_key(void)
{
    random_key(fixed);
}

static void run_import(const uint8_t *input)
{
    soter_key *key = NULL;
    sink = (unsigned)soter_key_read(input, EC_PRIVATE_SIZE, &key);
    soter_key_free(key);
}

/* ---- The comparator's scalars ---- */

static void prepare_scalar(void)
{
    must((int)soter_group_init());
    memset(fixed, 0, sizeof fixed);
    fixed[0] = 8;
    fixed[31] = 64;
}

static void random_scalar(uint8_t *input)
{
    draw(input, INPUT_SIZE);
    soter_scalar_clamp((struct soter_scalar *)input);
}

static void run_multiply(const uint8_t *input)
{
    struct soter_point out;
    soter_group_multiply_base((const struct soter_scalar *)input, &out);
    sink = out.bytes[0];
}

static void run_multiply_scalars(const uint8_t *input)
{
    struct soter_scalar out;
    soter_scalar_multiply((const struct soter_scalar *)input,
                          (const struct soter_scalar *)(input + 32),
                          &out);
    sink = out.bytes[0];
}

/* ---- The text of a guarded key ---- */

#define TEXT_SIZE SOTER_BASE64_SIZE(SECRET_SIZE)

static void random_text(uint8_t *input)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    draw(input, TEXT_SIZE);
    for (size_t i = 0; i < TEXT_SIZE; i++) {
        input[i] = (uint8_t)digits[input[i] % 64];
    }
    input[TEXT_SIZE - 2] = 'A'; /* with unused bits of zero */
    input[TEXT_SIZE - 1] = '=';
}

static void prepare_text(void)
{
    memset(fixed, 'A', sizeof fixed);
    fixed[TEXT_SIZE - 1] = '=';
}

static void run_decode(const uint8_t *input)
{
    uint8_t out[SECRET_SIZE];
    sink = soter_base64_decode_exact((struct soter_slice){input, TEXT_SIZE}, out, sizeof out);
}

static const struct timed {
    const char *name;
    void (*prepare)(void);
    void (*draw)(uint8_t *input);
    void (*run)(const uint8_t *input);
} cases[] = {
    {"control-leak", prepare_secret, random_bytes, run_leak},
    {"comparison", prepare_secret, random_bytes, run_equal},
    {"cell-tag", prepare_cell, random_tag, run_unseal},
    {"rsa-unwrap", prepare_oaep, random_wrapped, run_unwrap},
    {"key-import", prepare_key, random_key, run_import},
    {"scalar-base", prepare_scalar, random_scalar, run_multiply},
    {"scalar-multiply", prepare_scalar, random_scalar, run_multiply_scalars},
    {"key-text", prepare_text, random_text, run_decode},
};

/* All inputs of a batch are made before any is timed, so that making them shows in no time. */
static void measure(const struct timed *timed, unsigned long count)
{
    static uint8_t inputs[BATCH][INPUT_SIZE];
    static uint8_t classes[BATCH];
    for (unsigned long done = 0; done < count; done += BATCH) {
        draw(classes, sizeof classes);
        for (size_t i = 0; i < BATCH; i++) {
            classes[i] &= 1;
            memcpy(inputs[i], fixed, INPUT_SIZE);
            if (classes[i] == 1) {
                timed->draw(inputs[i]);
            }
        }
        for (size_t i = 0; i < BATCH; i++) {
            const uint64_t start = now();
            timed->run(inputs[i]);
            printf("%u %llu\n", classes[i], (unsigned long long)(now() - start));
        }
    }
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (argc != 3) {
            puts(cases[i].name);
        } else if (strcmp(cases[i].name, argv[1]) == 0) {
            must(themis_init());
            cases[i].prepare();
            measure(&cases[i], strtoul(argv[2], NULL, 10));
            return 0;
        }
    }
    return argc == 3 ? 2 : 0;
}

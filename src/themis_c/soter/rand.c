/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/rand.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>

#include "soter/compiler.h"
#include "soter/crypto.h"
#include "soter/fork.h"
#include "soter/threads.h"
#include "soter/wipe.h"

#define BLOCK_SIZE 384
#define FROM_BLOCK_MAX 32

/* OpenSSL takes almost as long for 12 bytes as for a block of them, longer than encrypting a short
 * message; so every thread draws ahead. Only for what others may see, and never across a fork. */
struct block {
    uint8_t bytes[BLOCK_SIZE];
    size_t left; /* at the front */
    uint32_t generation;
};

static SOTER_THREAD_LOCAL struct block block;

/* The generation in which this thread's generators were seeded; 0 before. */
static SOTER_THREAD_LOCAL uint32_t seeded;

static bool seed(EVP_RAND_CTX *drbg)
{
    return drbg != NULL && EVP_RAND_reseed(drbg, 1, NULL, 0, NULL, 0) == 1;
}

/* OpenSSL tells a child from its parent by the number of the process, which can be the same: in a
 * namespace of its own, or when numbers come round again. So whoever has a new generation asks the
 * system for a seed; with "prediction resistance" that goes through to the primary generator. */
static bool renew(void)
{
    const uint32_t generation = soter_fork_generation();
    soter_threads_watch();
    if (seeded != generation) {
        if (!seed(RAND_get0_public(soter_crypto.libctx)) ||
            !seed(RAND_get0_private(soter_crypto.libctx))) {
            return false;
        }
        seeded = generation;
    }
    return true;
}

soter_status soter_rand_renew(void)
{
    bool done;
    soter_fork_hold_off();
    done = renew();
    soter_fork_let();
    return done ? SOTER_SUCCESS : soter_failed(SOTER_ENGINE_FAIL);
}

/* RAND_get0_public or RAND_get0_private: of this thread. */
typedef EVP_RAND_CTX *generator(OSSL_LIB_CTX *libctx);

/* Not RAND_bytes_ex: that asks first, under a lock of the whole process, whether somebody has put
 * another generator in the place of all. */
static bool generate(EVP_RAND_CTX *drbg, uint8_t *out, size_t out_len)
{
    return drbg != NULL && EVP_RAND_generate(drbg, out, out_len, 0, 0, NULL, 0) == 1;
}

static soter_status draw(generator *own, uint8_t *out, size_t out_len)
{
    bool done;
    soter_fork_hold_off();
    done = renew() && generate(own(soter_crypto.libctx), out, out_len);
    soter_fork_let();
    return done ? SOTER_SUCCESS : soter_failed(SOTER_ENGINE_FAIL);
}

soter_status soter_rand_public(uint8_t *out, size_t out_len)
{
    const uint32_t generation = soter_fork_generation();
    if (generation == 0 || out_len > FROM_BLOCK_MAX) {
        return draw(RAND_get0_public, out, out_len);
    }
    if (block.generation != generation || block.left < out_len) {
        block.left = 0;
        if (draw(RAND_get0_public, block.bytes, BLOCK_SIZE) != SOTER_SUCCESS) {
            return SOTER_ENGINE_FAIL;
        }
        block.left = BLOCK_SIZE;
        block.generation = generation;
    }
    block.left -= out_len;
    memcpy(out, block.bytes + block.left, out_len);
    soter_wipe(block.bytes + block.left, out_len);
    return SOTER_SUCCESS;
}

soter_status soter_rand_secret(uint8_t *out, size_t out_len)
{
    return draw(RAND_get0_private, out, out_len);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/rand.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>

#include "soter/bytes.h"
#include "soter/compiler.h"
#include "soter/entropy.h"
#include "soter/fork.h"
#include "soter/libcrypto.h"
#include "soter/threads.h"
#include "soter/wipe.h"

#define BLOCK_SIZE 384
#define FROM_BLOCK_MAX 32
#define FRESH_SIZE 32 /* 256 bits */

/* OpenSSL takes almost as long for 12 bytes as for a block of them, longer than encrypting a short
 * message; so every thread draws ahead. Only for what others may see, and a child that was forked
 * draws a block of its own. */
struct block {
    uint8_t bytes[BLOCK_SIZE];
    size_t left; /* at the front */
    uint32_t generation;
    bool has_failed; /* to be filled ahead: the next to draw is told */
};

static SOTER_THREAD_LOCAL struct block block;

/* RAND_get0_public or RAND_get0_private: of this thread. */
typedef EVP_RAND_CTX *generator(OSSL_LIB_CTX *libctx);

/* With a place to say so, this does nothing where it would wait. */
static bool hold_forks_off(bool *would_wait)
{
    if (would_wait != NULL) {
        *would_wait = !soter_fork_try_hold_off();
        return !*would_wait;
    }
    soter_fork_hold_off();
    return true;
}

/* Not RAND_bytes_ex: that first checks, under a lock of the whole process, whether the application
 * has replaced the generators. */
static soter_status generate(generator *own,
                             const struct soter_slice *more,
                             bool *would_wait,
                             uint8_t *out,
                             size_t out_len)
{
    EVP_RAND_CTX *drbg;
    bool done;
    if (!hold_forks_off(would_wait)) {
        return SOTER_ENGINE_FAIL;
    }
    soter_threads_watch();
    drbg = own(soter_libcrypto.libctx);
    done = drbg != NULL && EVP_RAND_generate(drbg, out, out_len, 0, 0, more->data, more->len) == 1;
    soter_fork_allow();
    return done ? SOTER_SUCCESS : soter_libcrypto_failed(SOTER_ENGINE_FAIL);
}

/* As many fresh bits as there are bits. */
static soter_status mix(uint8_t *out, size_t out_len)
{
    uint8_t fresh[FRESH_SIZE];
    bool done = true;
    for (size_t at = 0; done && at < out_len; at += FRESH_SIZE) {
        const size_t left = out_len - at;
        const size_t len = left < FRESH_SIZE ? left : FRESH_SIZE;
        done = soter_entropy(fresh, len);
        for (size_t i = 0; done && i < len; i++) {
            out[at + i] ^= fresh[i];
        }
    }
    soter_wipe(fresh, sizeof fresh);
    if (!done) {
        soter_wipe(out, out_len);
    }
    return done ? SOTER_SUCCESS : SOTER_ENGINE_FAIL;
}

static const struct soter_slice nothing;

static soter_status draw(generator *own, bool *would_wait, uint8_t *out, size_t out_len)
{
    const soter_status status = generate(own, &nothing, would_wait, out, out_len);
    return status == SOTER_SUCCESS ? mix(out, out_len) : status;
}

/* Has so many bytes in the block. */
static soter_status fill_block(size_t len, bool *would_wait)
{
    const uint32_t generation = soter_fork_generation();
    soter_status status;
    if (block.generation == generation && block.left >= len) {
        return SOTER_SUCCESS;
    }
    block.left = 0;
    status = generate(RAND_get0_public, &nothing, would_wait, block.bytes, BLOCK_SIZE);
    if (status == SOTER_SUCCESS) {
        block.left = BLOCK_SIZE;
        block.generation = generation;
    }
    return status;
}

soter_status soter_rand_public(uint8_t *out, size_t out_len)
{
    soter_status status;
    if (out_len > FROM_BLOCK_MAX) {
        return draw(RAND_get0_public, NULL, out, out_len);
    }
    status = block.has_failed ? SOTER_ENGINE_FAIL : fill_block(out_len, NULL);
    block.has_failed = false;
    if (status != SOTER_SUCCESS) {
        return status;
    }
    block.left -= out_len;
    memcpy(out, block.bytes + block.left, out_len);
    soter_wipe(block.bytes + block.left, out_len);
    return mix(out, out_len);
}

bool soter_rand_public_ready(size_t out_len)
{
    bool would_wait = false;
    block.has_failed = fill_block(out_len, &would_wait) != SOTER_SUCCESS && !would_wait;
    return !would_wait;
}

soter_status soter_rand_secret(uint8_t *out, size_t out_len)
{
    return draw(RAND_get0_private, NULL, out, out_len);
}

soter_status soter_rand_secret_at_once(uint8_t *out, size_t out_len, bool *would_wait)
{
    return draw(RAND_get0_private, would_wait, out, out_len);
}

static soter_status renew(generator *own)
{
    uint8_t fresh[FRESH_SIZE];
    uint8_t unused[1]; /* OpenSSL takes more bits only beside giving some */
    soter_status status = SOTER_ENGINE_FAIL;
    if (soter_entropy(fresh, sizeof fresh)) {
        const struct soter_slice more = {fresh, sizeof fresh};
        status = generate(own, &more, NULL, unused, sizeof unused);
    }
    soter_wipe(fresh, sizeof fresh);
    return status;
}

soter_status soter_rand_renew_public(void)
{
    return renew(RAND_get0_public);
}

soter_status soter_rand_renew_secret(void)
{
    return renew(RAND_get0_private);
}

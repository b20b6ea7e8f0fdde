/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/pbkdf2.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "soter/fork.h"
#include "soter/hmac_internal.h"
#include "soter/libcrypto.h"
#include "soter/wipe.h"

#define MAX_BLOCKS 2 /* of output; of 20 bytes at least */

/* A block of output is the sum (by xor) of a chain of HMACs, of which the first is over the salt
 * and the number of the block, and each other over the one before. */
struct soter_pbkdf2 {
    soter_hmac_key *key; /* the passphrase */
    EVP_MD *hash;        /* of the key, where it is not SHA-256; fetched */
    EVP_MD_CTX *ctx;
    uint32_t left;
    size_t size; /* of the output */
    size_t hash_size;
    size_t blocks;
    uint8_t last[MAX_BLOCKS][SOTER_HASH_MAX_SIZE];
    uint8_t sum[MAX_BLOCKS][SOTER_HASH_MAX_SIZE];
};

/* The first of each chain. */
static soter_status start_chains(soter_pbkdf2 *work, struct soter_slice salt)
{
    uint8_t block_number[4] = {0};                                                   /* public */
    const struct soter_slice parts[2] = {salt, {block_number, sizeof block_number}}; /* public */
    for (size_t i = 0; i < work->blocks; i++) {
        soter_status status;
        soter_put_u32be(block_number, (uint32_t)i + 1);
        status = soter_hmac_in(work->ctx, work->key, parts, 2, work->last[i]);
        if (status != SOTER_SUCCESS) {
            return status;
        }
    }
    memcpy(work->sum, work->last, sizeof work->sum);
    return SOTER_SUCCESS;
}

/* Takes over `fetched`, which may be NULL. */
static soter_status pbkdf2_new(EVP_MD *fetched,
                               struct soter_slice passphrase,
                               struct soter_slice salt,
                               uint32_t iterations,
                               size_t size,
                               soter_pbkdf2 **out)
{
    soter_status status = SOTER_INVALID_PARAMETER;
    soter_pbkdf2 *made = calloc(1, sizeof *made);
    if (made == NULL) {
        EVP_MD_free(fetched);
        return SOTER_NO_MEMORY;
    }
    made->hash = fetched;
    if (iterations == 0 || size > SOTER_PBKDF2_SIZE) {
        goto out;
    }
    made->ctx = EVP_MD_CTX_new();
    if (made->ctx == NULL) {
        status = soter_libcrypto_failed(SOTER_NO_MEMORY);
        goto out;
    }
    status = soter_hmac_key_new_with(fetched != NULL ? fetched : soter_libcrypto.sha256,
                                     passphrase.data,
                                     passphrase.len,
                                     &made->key);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    made->size = size;
    made->hash_size = soter_hmac_key_hash_size(made->key);
    made->blocks = (size + made->hash_size - 1) / made->hash_size;
    status = start_chains(made, salt);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    made->left = iterations - 1;
    *out = made;
    made = NULL;
out:
    soter_pbkdf2_free(made);
    return status;
}

soter_status soter_pbkdf2_new(struct soter_slice passphrase,
                              struct soter_slice salt,
                              uint32_t iterations,
                              soter_pbkdf2 **out)
{
    return pbkdf2_new(NULL, passphrase, salt, iterations, SOTER_PBKDF2_SIZE, out);
}

soter_status soter_pbkdf2_new_with(const char *hash,
                                   struct soter_slice passphrase,
                                   struct soter_slice salt,
                                   uint32_t iterations,
                                   size_t size,
                                   soter_pbkdf2 **out)
{
    EVP_MD *fetched;
    soter_fork_hold_off();
    fetched = EVP_MD_fetch(soter_libcrypto.libctx, hash, NULL);
    soter_fork_allow();
    if (fetched == NULL) {
        return soter_libcrypto_failed(SOTER_NOT_SUPPORTED);
    }
    return pbkdf2_new(fetched, passphrase, salt, iterations, size, out);
}

soter_status soter_pbkdf2_work(soter_pbkdf2 *work, uint32_t most, uint32_t *left)
{
    uint8_t next[MAX_BLOCKS][SOTER_HASH_MAX_SIZE] = {{0}};
    soter_status status = SOTER_SUCCESS;
    for (uint32_t done = 0; done < most && work->left != 0; done++) {
        for (size_t block = 0; block < work->blocks && status == SOTER_SUCCESS; block++) {
            const struct soter_slice last = {work->last[block], work->hash_size};
            status = soter_hmac_in(work->ctx, work->key, &last, 1, next[block]);
        }
        if (status != SOTER_SUCCESS) {
            break; /* as if this one had not begun: it can be tried again */
        }
        for (size_t block = 0; block < work->blocks; block++) {
            memcpy(work->last[block], next[block], work->hash_size);
            for (size_t i = 0; i < work->hash_size; i++) {
                work->sum[block][i] ^= next[block][i];
            }
        }
        work->left--;
    }
    soter_wipe(next, sizeof next);
    soter_wipe_shallow_stack();
    *left = work->left;
    return status;
}

soter_status soter_pbkdf2_finish(const soter_pbkdf2 *work, uint8_t out[SOTER_PBKDF2_SIZE])
{
    if (work->left != 0) {
        return SOTER_INVALID_PARAMETER;
    }
    memset(out, 0, SOTER_PBKDF2_SIZE);
    for (size_t done = 0, block = 0; done < work->size; block++) {
        const size_t rest = work->size - done;
        const size_t part = rest < work->hash_size ? rest : work->hash_size;
        memcpy(out + done, work->sum[block], part);
        done += part;
    }
    return SOTER_SUCCESS;
}

void soter_pbkdf2_free(soter_pbkdf2 *work)
{
    if (work != NULL) {
        soter_hmac_key_free(work->key);
        EVP_MD_CTX_free(work->ctx); /* wipes its state */
        EVP_MD_free(work->hash);
        soter_wipe_free(work, sizeof *work);
    }
}

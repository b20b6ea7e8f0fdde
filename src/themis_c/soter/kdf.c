/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/kdf.h"

#include <stdlib.h>
#include <string.h>

#include "soter/crypto.h"
#include "soter/fork.h"
#include "soter/hash.h"
#include "soter/spare.h"
#include "soter/wipe.h"

#define HMAC_MAX_BLOCK_SIZE 128 /* of SHA-384 and SHA-512; 64 of SHA-256 */
#define HASH_MAX_SIZE 64
#define HMAC_IPAD 0x36
#define HMAC_OPAD 0x5c

struct soter_hmac_key {
    const EVP_MD *hash; /* SHA-256 but in PBKDF2 of others, whose it is */
    size_t size;        /* of its result */
    EVP_MD_CTX *inner;  /* one that has taken the block of key xor ipad, */
    EVP_MD_CTX *outer;  /* and of key xor opad */
    soter_spare spare;  /* an EVP_MD_CTX to work with */
};

static soter_status
start_with_block(EVP_MD_CTX *ctx, const EVP_MD *hash, const uint8_t *block, size_t block_size)
{
    if (EVP_DigestInit_ex2(ctx, hash, NULL) != 1 || EVP_DigestUpdate(ctx, block, block_size) != 1) {
        return soter_failed(SOTER_ENGINE_FAIL);
    }
    return SOTER_SUCCESS;
}

static void xor_block(uint8_t *block, size_t block_size, uint8_t value)
{
    for (size_t i = 0; i < block_size; i++) {
        block[i] ^= value;
    }
}

/* A key longer than a block stands for its hash; a shorter one is padded with zeros. */
static soter_status fill_block(soter_hmac_key *key,
                               const uint8_t *bytes,
                               size_t bytes_len,
                               uint8_t *block,
                               size_t block_size)
{
    memset(block, 0, block_size);
    if (bytes_len > block_size) {
        const soter_status status = start_with_block(key->inner, key->hash, bytes, bytes_len);
        return status == SOTER_SUCCESS ? soter_hash_finish(key->inner, block, key->size) : status;
    }
    memcpy(block, bytes, bytes_len);
    return SOTER_SUCCESS;
}

static soter_status make_empty(const EVP_MD *hash, soter_hmac_key **out)
{
    soter_hmac_key *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    made->hash = hash;
    made->size = (size_t)EVP_MD_get_size(hash);
    made->inner = EVP_MD_CTX_new();
    made->outer = EVP_MD_CTX_new();
    if (made->inner == NULL || made->outer == NULL) {
        soter_hmac_key_free(made);
        return soter_failed(SOTER_NO_MEMORY);
    }
    *out = made;
    return SOTER_SUCCESS;
}

static soter_status
hmac_key_new(const EVP_MD *hash, const uint8_t *key, size_t key_len, soter_hmac_key **out)
{
    soter_hmac_key *made = NULL;
    soter_status status = make_empty(hash, &made);
    if (status == SOTER_SUCCESS) {
        status = soter_hmac_key_set(made, key, key_len);
    }
    if (status != SOTER_SUCCESS) {
        soter_hmac_key_free(made);
        return status;
    }
    *out = made;
    return SOTER_SUCCESS;
}

soter_status soter_hmac_key_new(const uint8_t *key, size_t key_len, soter_hmac_key **out)
{
    return hmac_key_new(soter_crypto.sha256, key, key_len, out);
}

soter_status soter_hmac_key_set(soter_hmac_key *key, const uint8_t *bytes, size_t bytes_len)
{
    const size_t block_size = (size_t)EVP_MD_get_block_size(key->hash);
    uint8_t block[HMAC_MAX_BLOCK_SIZE];
    soter_status status;
    if (bytes == NULL || bytes_len == 0) {
        return SOTER_INVALID_PARAMETER;
    }
    status = fill_block(key, bytes, bytes_len, block, block_size);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    xor_block(block, block_size, HMAC_IPAD);
    status = start_with_block(key->inner, key->hash, block, block_size);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    xor_block(block, block_size, HMAC_IPAD ^ HMAC_OPAD);
    status = start_with_block(key->outer, key->hash, block, block_size);
out:
    soter_wipe(block, sizeof block);
    soter_wipe_shallow_stack(); /* SHA-256 in assembler may leave words that lead to the key */
    return status;
}

soter_status soter_hmac_key_copy(const soter_hmac_key *key, soter_hmac_key **out)
{
    soter_hmac_key *made = NULL;
    const soter_status status = make_empty(key->hash, &made);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (EVP_MD_CTX_copy_ex(made->inner, key->inner) != 1 ||
        EVP_MD_CTX_copy_ex(made->outer, key->outer) != 1) {
        soter_hmac_key_free(made);
        return soter_failed(SOTER_ENGINE_FAIL);
    }
    *out = made;
    return SOTER_SUCCESS;
}

void soter_hmac_key_free(soter_hmac_key *key)
{
    if (key != NULL) {
        EVP_MD_CTX_free(key->inner); /* wipes its state, as do all of its kind */
        EVP_MD_CTX_free(key->outer);
        EVP_MD_CTX_free(soter_spare_take(&key->spare));
        free(key);
    }
}

/* HMAC in a context that the caller keeps for more of them. */
static soter_status hmac_in(EVP_MD_CTX *ctx,
                            const soter_hmac_key *key,
                            const struct soter_slice *parts,
                            size_t count,
                            uint8_t *out)
{
    soter_status status = SOTER_ENGINE_FAIL;
    uint8_t digest[HASH_MAX_SIZE] = {0};
    if (EVP_MD_CTX_copy_ex(ctx, key->inner) != 1) {
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        if (EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) != 1) {
            goto out;
        }
    }
    if (soter_hash_finish(ctx, digest, key->size) != SOTER_SUCCESS ||
        EVP_MD_CTX_copy_ex(ctx, key->outer) != 1 || EVP_DigestUpdate(ctx, digest, key->size) != 1) {
        goto out;
    }
    status = soter_hash_finish(ctx, out, key->size);
out:
    soter_wipe(digest, sizeof digest);
    if (status != SOTER_SUCCESS) {
        /* Where memory ran out in a copy, OpenSSL 3.5 makes the next one through a null pointer. */
        EVP_MD_CTX_reset(ctx);
        return soter_failed(status);
    }
    return status;
}

soter_status soter_hmac(soter_hmac_key *key,
                        const struct soter_slice *parts,
                        size_t count,
                        uint8_t out[SOTER_HMAC_SIZE])
{
    soter_status status;
    EVP_MD_CTX *ctx = soter_spare_take(&key->spare);
    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
    }
    if (ctx == NULL) {
        return soter_failed(SOTER_NO_MEMORY);
    }
    status = hmac_in(ctx, key, parts, count, out);
    EVP_MD_CTX_free(soter_spare_leave(&key->spare, ctx));
    return status;
}

/* Short parts cost less in one piece than one by one. How many bytes were joined; 0 if there is no
 * room for all. */
static size_t
join(const struct soter_slice *parts, size_t count, uint8_t *joined, size_t joined_size)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > joined_size - used) {
            return 0;
        }
        if (parts[i].len != 0) {
            memcpy(joined + used, parts[i].data, parts[i].len);
            used += parts[i].len;
        }
    }
    return used;
}

soter_status soter_kdf(soter_hmac_key *key,
                       const struct soter_kdf_purpose *purpose,
                       uint8_t *out,
                       size_t out_len)
{
    static const uint8_t counter[4] = {0, 0, 0, 1};
    static const uint8_t separator[1] = {0};
    soter_status status;
    uint8_t derived[SOTER_HMAC_SIZE] = {0};
    uint8_t joined[160]; /* public: labels and contexts */
    struct soter_slice whole = {joined, 0};
    struct soter_slice parts[3 + SOTER_KDF_MAX_CONTEXTS] = {
        {counter, sizeof counter},
        purpose->label,
        {separator, sizeof separator}}; /* public */
    const size_t count = 3 + purpose->contexts_count;
    if (out_len > SOTER_KDF_MAX_SIZE || purpose->contexts_count > SOTER_KDF_MAX_CONTEXTS) {
        return SOTER_INVALID_PARAMETER;
    }
    for (size_t i = 0; i < purpose->contexts_count; i++) {
        parts[3 + i] = purpose->contexts[i];
    }
    whole.len = join(parts, count, joined, sizeof joined);
    status = whole.len != 0 ? soter_hmac(key, &whole, 1, derived)
                            : soter_hmac(key, parts, count, derived);
    if (status == SOTER_SUCCESS) {
        memcpy(out, derived, out_len);
    }
    soter_wipe(derived, sizeof derived);
    return status;
}

#define KEYLESS_SIZE 32

static void xor_slice(uint8_t key[KEYLESS_SIZE], struct soter_slice slice)
{
    for (size_t i = 0; i < KEYLESS_SIZE && i < slice.len; i++) {
        key[i] ^= slice.data[i];
    }
}

soter_status
soter_kdf_keyless(const struct soter_kdf_purpose *purpose, uint8_t *out, size_t out_len)
{
    soter_status status;
    uint8_t key[KEYLESS_SIZE] = {0}; /* public: made of what the peers sent in the clear */
    soter_hmac_key *prepared = NULL;
    xor_slice(key, purpose->label);
    for (size_t i = 0; i < purpose->contexts_count; i++) {
        xor_slice(key, purpose->contexts[i]);
    }
    status = soter_hmac_key_new(key, sizeof key, &prepared);
    if (status == SOTER_SUCCESS) {
        status = soter_kdf(prepared, purpose, out, out_len);
    }
    soter_hmac_key_free(prepared);
    return status;
}

#define MAX_BLOCKS 2 /* of output; of 20 bytes at least */

/* A block of output is the sum (by xor) of a chain of HMACs, of which the first is over the salt
 * and the number of the block, and each other over the one before. */
struct soter_pbkdf2 {
    soter_hmac_key *key; /* the passphrase */
    EVP_MD *hash;        /* of the key, where it is not SHA-256; fetched */
    EVP_MD_CTX *ctx;
    uint32_t left;
    size_t size; /* of the output */
    size_t blocks;
    uint8_t last[MAX_BLOCKS][HASH_MAX_SIZE];
    uint8_t sum[MAX_BLOCKS][HASH_MAX_SIZE];
};

/* The first of each chain. */
static soter_status start_chains(soter_pbkdf2 *work, struct soter_slice salt)
{
    uint8_t block_number[4] = {0};                                                   /* public */
    const struct soter_slice parts[2] = {salt, {block_number, sizeof block_number}}; /* public */
    for (size_t i = 0; i < work->blocks; i++) {
        soter_status status;
        soter_put_u32be(block_number, (uint32_t)i + 1);
        status = hmac_in(work->ctx, work->key, parts, 2, work->last[i]);
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
        status = soter_failed(SOTER_NO_MEMORY);
        goto out;
    }
    status = hmac_key_new(fetched != NULL ? fetched : soter_crypto.sha256,
                          passphrase.data,
                          passphrase.len,
                          &made->key);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    made->size = size;
    made->blocks = (size + made->key->size - 1) / made->key->size;
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
    fetched = EVP_MD_fetch(soter_crypto.libctx, hash, NULL);
    soter_fork_let();
    if (fetched == NULL) {
        return soter_failed(SOTER_NOT_SUPPORTED);
    }
    return pbkdf2_new(fetched, passphrase, salt, iterations, size, out);
}

soter_status soter_pbkdf2_work(soter_pbkdf2 *work, uint32_t most, uint32_t *left)
{
    uint8_t next[MAX_BLOCKS][HASH_MAX_SIZE] = {{0}};
    soter_status status = SOTER_SUCCESS;
    for (uint32_t done = 0; done < most && work->left != 0; done++) {
        for (size_t block = 0; block < work->blocks && status == SOTER_SUCCESS; block++) {
            const struct soter_slice last = {work->last[block], work->key->size};
            status = hmac_in(work->ctx, work->key, &last, 1, next[block]);
        }
        if (status != SOTER_SUCCESS) {
            break; /* as if this one had not begun: it can be tried again */
        }
        for (size_t block = 0; block < work->blocks; block++) {
            memcpy(work->last[block], next[block], work->key->size);
            for (size_t i = 0; i < work->key->size; i++) {
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
        const size_t part = rest < work->key->size ? rest : work->key->size;
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

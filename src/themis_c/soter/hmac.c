/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/hmac.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "soter/hash.h"
#include "soter/hmac_internal.h"
#include "soter/libcrypto.h"
#include "soter/reuse.h"
#include "soter/wipe.h"

#define HMAC_MAX_BLOCK_SIZE 128 /* of SHA-384 and SHA-512; 64 of SHA-256 */
#define HMAC_IPAD 0x36
#define HMAC_OPAD 0x5c

struct soter_hmac_key {
    const EVP_MD *hash; /* SHA-256 but in PBKDF2 of others, whose it is */
    size_t size;        /* of its result */
    size_t block_size;  /* of what it takes at a time */
    EVP_MD_CTX *inner;  /* one that has taken the block of key xor ipad, */
    EVP_MD_CTX *outer;  /* and of key xor opad */
    soter_reuse work;   /* an EVP_MD_CTX to work with */
};

static soter_status
start_with_block(EVP_MD_CTX *ctx, const EVP_MD *hash, const uint8_t *block, size_t block_size)
{
    if (EVP_DigestInit_ex2(ctx, hash, NULL) != 1 || EVP_DigestUpdate(ctx, block, block_size) != 1) {
        return soter_libcrypto_failed(SOTER_ENGINE_FAIL);
    }
    return SOTER_SUCCESS;
}

static void xor_block(uint8_t *block, size_t block_size, uint8_t value)
{
    for (size_t i = 0; i < block_size; i++) {
        block[i] ^= value;
    }
}

/* A key longer than a block is replaced by its hash; a shorter one is padded with zeros. */
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
    const int size = EVP_MD_get_size(hash);
    const int block_size = EVP_MD_get_block_size(hash);
    soter_hmac_key *made;
    if (size <= 0 || size > SOTER_HASH_MAX_SIZE || block_size < size ||
        block_size > HMAC_MAX_BLOCK_SIZE) {
        return soter_libcrypto_failed(SOTER_ENGINE_FAIL);
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    made->hash = hash;
    made->size = (size_t)size;
    made->block_size = (size_t)block_size;
    made->inner = EVP_MD_CTX_new();
    made->outer = EVP_MD_CTX_new();
    if (made->inner == NULL || made->outer == NULL) {
        soter_hmac_key_free(made);
        return soter_libcrypto_failed(SOTER_NO_MEMORY);
    }
    *out = made;
    return SOTER_SUCCESS;
}

soter_status soter_hmac_key_new_with(const EVP_MD *hash,
                                     const uint8_t *key,
                                     size_t key_len,
                                     soter_hmac_key **out)
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
    return soter_hmac_key_new_with(soter_libcrypto.sha256, key, key_len, out);
}

soter_status soter_hmac_key_set(soter_hmac_key *key, const uint8_t *bytes, size_t bytes_len)
{
    const size_t block_size = key->block_size;
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
        return soter_libcrypto_failed(SOTER_ENGINE_FAIL);
    }
    *out = made;
    return SOTER_SUCCESS;
}

size_t soter_hmac_key_hash_size(const soter_hmac_key *key)
{
    return key->size;
}

void soter_hmac_key_free(soter_hmac_key *key)
{
    if (key != NULL) {
        EVP_MD_CTX_free(key->inner); /* wipes its state, as do all of its kind */
        EVP_MD_CTX_free(key->outer);
        EVP_MD_CTX_free(soter_reuse_take(&key->work));
        free(key);
    }
}

soter_status soter_hmac_in(EVP_MD_CTX *ctx,
                           const soter_hmac_key *key,
                           const struct soter_slice *parts,
                           size_t count,
                           uint8_t *out)
{
    soter_status status = SOTER_ENGINE_FAIL;
    uint8_t digest[SOTER_HASH_MAX_SIZE] = {0};
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
        return soter_libcrypto_failed(status);
    }
    return status;
}

soter_status soter_hmac(soter_hmac_key *key,
                        const struct soter_slice *parts,
                        size_t count,
                        uint8_t out[SOTER_HMAC_SIZE])
{
    soter_status status;
    EVP_MD_CTX *ctx = soter_reuse_take(&key->work);
    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
    }
    if (ctx == NULL) {
        return soter_libcrypto_failed(SOTER_NO_MEMORY);
    }
    status = soter_hmac_in(ctx, key, parts, count, out);
    EVP_MD_CTX_free(soter_reuse_leave(&key->work, ctx));
    return status;
}

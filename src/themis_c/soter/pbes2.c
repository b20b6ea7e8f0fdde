/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/pbes2.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "soter/der.h"
#include "soter/fork.h"
#include "soter/libcrypto.h"
#include "soter/pbkdf2.h"
#include "soter/wipe.h"

#define KEY_MAX_SIZE SOTER_PBKDF2_SIZE
#define IV_MAX_SIZE 16

/* N * r * p of scrypt, which OpenSSL's command makes 2^17. */
#define SCRYPT_MAX_WORK (UINT64_C(1) << 20)
/* (N + p + 2) * r: blocks of 128 bytes, of which OpenSSL allows 32 MiB. What it refuses by itself
 * would look like a wrong passphrase. */
#define SCRYPT_MAX_BLOCKS (UINT64_C(1) << 18)

static const uint8_t id_pbes2[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D};
static const uint8_t id_pbkdf2[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0C};
static const uint8_t id_scrypt[] = {0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x04, 0x0B};
static const uint8_t id_hmac_with[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x02}; /* and a number */

static const struct cipher {
    uint8_t oid[9];
    uint8_t oid_len;
    uint8_t key_size;
    uint8_t iv_size;
    const char *name;
} ciphers[] = {
    {{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2A}, 9, 32, 16, "AES-256-CBC"},
    {{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x16}, 9, 24, 16, "AES-192-CBC"},
    {{0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02}, 9, 16, 16, "AES-128-CBC"},
    {{0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x03, 0x07}, 8, 24, 8, "DES-EDE3-CBC"},
};

#define CIPHERS_COUNT (sizeof ciphers / sizeof ciphers[0])

/* By the last number of the identifier of their HMAC. */
static const struct hash {
    uint8_t number;
    const char *name;
} hashes[] = {
    {7, "SHA1"}, /* unless another one is named */
    {8, "SHA2-224"},
    {9, "SHA2-256"},
    {10, "SHA2-384"},
    {11, "SHA2-512"},
    {12, "SHA2-512/224"},
    {13, "SHA2-512/256"},
};

#define HASHES_COUNT (sizeof hashes / sizeof hashes[0])

struct scrypt {
    uint64_t n;
    uint64_t r;
    uint64_t p;
};

/* What the file specifies. */
struct parameters {
    const struct cipher *cipher;
    struct soter_slice iv;
    struct soter_slice encrypted;
    struct soter_slice salt;
    const char *hash;    /* of PBKDF2; NULL: it is scrypt */
    uint64_t iterations; /* of PBKDF2 */
    struct scrypt scrypt;
};

struct soter_pbes2 {
    soter_pbkdf2 *pbkdf2; /* NULL: scrypt has made the key */
    uint8_t key[KEY_MAX_SIZE];
    EVP_CIPHER *cipher;
    uint8_t iv[IV_MAX_SIZE];
    uint8_t *encrypted;
    size_t encrypted_len;
};

static soter_status old_way(const char **why)
{
    *why = "the key is encrypted in an old way; only PBES2 with PBKDF2 or scrypt is "
           "read: convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc`";
    return SOTER_NOT_SUPPORTED;
}

static soter_status too_much_work(const char **why)
{
    *why = "the encrypted key asks for more iterations or memory than is accepted";
    return SOTER_NOT_SUPPORTED;
}

/* A number from 1 to the bound; anything else is too much. */
static bool count_at_most(struct soter_reader *reader, uint64_t bound, uint64_t *out)
{
    return soter_der_count(reader, out) && *out >= 1 && *out <= bound;
}

/* The length of the key, which may be named, and is that of the cipher. */
static bool key_size_fits(struct soter_reader *reader, const struct cipher *cipher)
{
    uint64_t size;
    return soter_der_next(reader) != SOTER_DER_INTEGER ||
           (soter_der_count(reader, &size) && size == cipher->key_size);
}

static const char *hash_of(struct soter_slice oid)
{
    for (size_t i = 0; i < HASHES_COUNT; i++) {
        if (oid.len == sizeof id_hmac_with + 1 &&
            memcmp(oid.data, id_hmac_with, sizeof id_hmac_with) == 0 &&
            oid.data[sizeof id_hmac_with] == hashes[i].number) {
            return hashes[i].name;
        }
    }
    return NULL;
}

/* PBKDF2-params: salt, iterations, [size of the key], [HMAC] */
static soter_status
read_pbkdf2(struct soter_reader values, struct parameters *params, const char **why)
{
    struct soter_slice oid;
    struct soter_reader nothing;
    params->hash = hashes[0].name;
    if (!soter_der_string(&values, SOTER_DER_OCTET_STRING, &params->salt)) {
        return old_way(why); /* the standard leaves room for other sources; none was ever made */
    }
    if (!count_at_most(&values, SOTER_PBES2_MAX_ITERATIONS, &params->iterations)) {
        return too_much_work(why);
    }
    if (!key_size_fits(&values, params->cipher)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (values.left != 0) {
        if (!soter_der_algorithm(&values, &oid, &nothing) || values.left != 0) {
            return SOTER_INVALID_PARAMETER;
        }
        params->hash = hash_of(oid);
    }
    return params->hash != NULL ? SOTER_SUCCESS : old_way(why);
}

/* scrypt-params (RFC 7914): salt, N, r, p, [size of the key] */
static soter_status
read_scrypt(struct soter_reader values, struct parameters *params, const char **why)
{
    struct scrypt *scrypt = &params->scrypt;
    if (soter_libcrypto.is_fips) {
        *why = "the FIPS provider has no scrypt, which the key is encrypted with: convert it with "
               "`openssl pkcs8 -topk8 -v2 aes-256-cbc`";
        return SOTER_NOT_SUPPORTED;
    }
    if (!soter_der_string(&values, SOTER_DER_OCTET_STRING, &params->salt)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (!count_at_most(&values, SCRYPT_MAX_WORK, &scrypt->n) ||
        !count_at_most(&values, SCRYPT_MAX_WORK / scrypt->n, &scrypt->r) ||
        !count_at_most(&values, SCRYPT_MAX_WORK / scrypt->n / scrypt->r, &scrypt->p) ||
        (scrypt->n + scrypt->p + 2) * scrypt->r > SCRYPT_MAX_BLOCKS) {
        return too_much_work(why);
    }
    return key_size_fits(&values, params->cipher) && values.left == 0 ? SOTER_SUCCESS
                                                                      : SOTER_INVALID_PARAMETER;
}

static const struct cipher *cipher_of(struct soter_slice oid)
{
    for (size_t i = 0; i < CIPHERS_COUNT; i++) {
        if (soter_der_is_oid(oid, ciphers[i].oid, ciphers[i].oid_len)) {
            return &ciphers[i];
        }
    }
    return NULL;
}

/* PBES2-params: key derivation, cipher */
static soter_status
read_pbes2(struct soter_reader values, struct parameters *params, const char **why)
{
    struct soter_slice kdf;
    struct soter_slice cipher;
    struct soter_reader kdf_params;
    struct soter_reader kdf_values;
    struct soter_reader cipher_params;
    if (!soter_der_algorithm(&values, &kdf, &kdf_params) ||
        !soter_der_algorithm(&values, &cipher, &cipher_params) || values.left != 0) {
        return SOTER_INVALID_PARAMETER;
    }
    params->cipher = cipher_of(cipher);
    if (params->cipher == NULL) {
        return old_way(why);
    }
    if (!soter_der_string(&cipher_params, SOTER_DER_OCTET_STRING, &params->iv) ||
        params->iv.len != params->cipher->iv_size ||
        !soter_der_read(&kdf_params, SOTER_DER_SEQUENCE, &kdf_values)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (soter_der_is_oid(kdf, id_pbkdf2, sizeof id_pbkdf2)) {
        return read_pbkdf2(kdf_values, params, why);
    }
    return soter_der_is_oid(kdf, id_scrypt, sizeof id_scrypt) ? read_scrypt(kdf_values, params, why)
                                                              : old_way(why);
}

/* EncryptedPrivateKeyInfo: encryption, data */
static soter_status
read_parameters(struct soter_slice der, struct parameters *params, const char **why)
{
    struct soter_reader whole;
    struct soter_reader values;
    struct soter_reader pbes2_params;
    struct soter_reader pbes2_values;
    struct soter_slice oid;
    soter_reader_init(&whole, der.data, der.len);
    if (!soter_der_read(&whole, SOTER_DER_SEQUENCE, &values) || whole.left != 0 ||
        !soter_der_algorithm(&values, &oid, &pbes2_params) ||
        !soter_der_string(&values, SOTER_DER_OCTET_STRING, &params->encrypted) ||
        values.left != 0) {
        return SOTER_INVALID_PARAMETER;
    }
    if (!soter_der_is_oid(oid, id_pbes2, sizeof id_pbes2)) {
        return old_way(why);
    }
    return soter_der_read(&pbes2_params, SOTER_DER_SEQUENCE, &pbes2_values)
               ? read_pbes2(pbes2_values, params, why)
               : SOTER_INVALID_PARAMETER;
}

/* ---- Work ---- */

static soter_status take_cipher(soter_pbes2 *work, const struct parameters *params)
{
    soter_fork_hold_off();
    work->cipher = EVP_CIPHER_fetch(soter_libcrypto.libctx, params->cipher->name, NULL);
    soter_fork_allow();
    if (work->cipher == NULL) {
        return soter_libcrypto_refused(SOTER_NOT_SUPPORTED);
    }
    memcpy(work->iv, params->iv.data, params->iv.len);
    work->encrypted = malloc(params->encrypted.len + 1); /* which may be nothing */
    if (work->encrypted == NULL) {
        return SOTER_NO_MEMORY;
    }
    memcpy(work->encrypted, params->encrypted.data, params->encrypted.len);
    work->encrypted_len = params->encrypted.len;
    return SOTER_SUCCESS;
}

static soter_status
begin(soter_pbes2 *work, const struct parameters *params, struct soter_slice passphrase)
{
    if (params->hash != NULL) {
        return soter_pbkdf2_new_with(params->hash,
                                     passphrase,
                                     params->salt,
                                     (uint32_t)params->iterations,
                                     params->cipher->key_size,
                                     &work->pbkdf2);
    }
    return EVP_PBE_scrypt_ex((const char *)passphrase.data,
                             passphrase.len,
                             params->salt.data,
                             params->salt.len,
                             params->scrypt.n,
                             params->scrypt.r,
                             params->scrypt.p,
                             0,
                             work->key,
                             params->cipher->key_size,
                             soter_libcrypto.libctx,
                             NULL) == 1
               ? SOTER_SUCCESS
               : soter_libcrypto_refused(SOTER_INVALID_PARAMETER); /* N is no power of two */
}

soter_status soter_pbes2_new(struct soter_slice der,
                             struct soter_slice passphrase,
                             soter_pbes2 **out,
                             const char **why)
{
    struct parameters params = {0};
    soter_pbes2 *made = NULL;
    soter_status status = read_parameters(der, &params, why);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    soter_libcrypto_mark();
    status = take_cipher(made, &params);
    if (status == SOTER_SUCCESS) {
        status = begin(made, &params, passphrase);
    }
    if (status == SOTER_SUCCESS) {
        *out = made;
        made = NULL;
    } else if (status == SOTER_NOT_SUPPORTED) {
        status = old_way(why); /* this libcrypto has no such algorithm */
    }
    soter_wipe_stack();
    soter_pbes2_free(made);
    ERR_pop_to_mark();
    return status;
}

soter_status soter_pbes2_work(soter_pbes2 *work, uint32_t most, uint32_t *left)
{
    *left = 0;
    return work->pbkdf2 != NULL ? soter_pbkdf2_work(work->pbkdf2, most, left) : SOTER_SUCCESS;
}

static soter_status decrypt(const soter_pbes2 *work,
                            const uint8_t key[KEY_MAX_SIZE],
                            EVP_CIPHER_CTX *ctx,
                            struct soter_owned *out)
{
    int done = 0;
    int rest = 0;
    if (EVP_DecryptInit_ex2(ctx, work->cipher, key, work->iv, NULL) != 1) {
        return soter_libcrypto_refused(SOTER_ENGINE_FAIL);
    }
    if (EVP_DecryptUpdate(ctx, out->data, &done, work->encrypted, (int)work->encrypted_len) != 1 ||
        EVP_DecryptFinal_ex(ctx, out->data + done, &rest) != 1) {
        return soter_libcrypto_refused(SOTER_FAIL);
    }
    out->len = (size_t)done + (size_t)rest;
    return SOTER_SUCCESS;
}

soter_status soter_pbes2_finish(const soter_pbes2 *work, struct soter_owned *out)
{
    const size_t room = work->encrypted_len + EVP_MAX_BLOCK_LENGTH;
    uint8_t key[KEY_MAX_SIZE] = {0};
    struct soter_owned made = {NULL, room};
    EVP_CIPHER_CTX *ctx = NULL;
    soter_status status = SOTER_SUCCESS;
    if (work->pbkdf2 != NULL) {
        status = soter_pbkdf2_finish(work->pbkdf2, key);
    } else {
        memcpy(key, work->key, sizeof key);
    }
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    soter_libcrypto_mark();
    made.data = malloc(room);
    ctx = EVP_CIPHER_CTX_new();
    status = made.data != NULL && ctx != NULL ? decrypt(work, key, ctx, &made) : SOTER_NO_MEMORY;
    EVP_CIPHER_CTX_free(ctx); /* wipes its key schedule */
    ERR_pop_to_mark();
    soter_wipe_stack();
    if (status == SOTER_SUCCESS) {
        *out = made;
        made.data = NULL;
    }
out:
    soter_wipe_free(made.data, room);
    soter_wipe(key, sizeof key);
    return status;
}

void soter_pbes2_free(soter_pbes2 *work)
{
    if (work != NULL) {
        soter_pbkdf2_free(work->pbkdf2);
        soter_fork_hold_off();
        EVP_CIPHER_free(work->cipher);
        soter_fork_allow();
        free(work->encrypted);
        soter_wipe_free(work, sizeof *work);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/sign.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "soter/crypto.h"
#include "soter/evp_key.h"
#include "soter/hash.h"
#include "soter/wipe.h"

struct soter_sign_key {
    EVP_PKEY_CTX *prepared; /* of soter_key_prepare */
    EVP_PKEY_CTX *checking; /* of a private RSA key: verifies what it signed */
    bool is_private;
    size_t max_size;
};

/* Nothing has to be set for EC keys. With RSA keys the mask is made with SHA-256 too. The salt is
 * the longest that fits, for so has Themis always signed; its length is found in the signature. */
static const OSSL_PARAM nothing[] = {OSSL_PARAM_END};
static const OSSL_PARAM pss_signing[] = {
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_PSS),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_DIGEST, "SHA2-256"),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, "SHA2-256"),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, OSSL_PKEY_RSA_PSS_SALT_LEN_MAX),
    OSSL_PARAM_END,
};
static const OSSL_PARAM pss_verifying[] = {
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_PSS),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_DIGEST, "SHA2-256"),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, "SHA2-256"),
    SOTER_TEXT_PARAM(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO),
    OSSL_PARAM_END,
};

/* An EC signature is two numbers below n in DER: | 30 | length | 02 | length | number | and again,
 * where a number takes a byte more if its top bit would be set, and a length one from 128 on. */
static size_t max_size(const struct soter_key_kind *kind)
{
    const size_t number = kind->number_size + (kind->bits % 8 == 0 ? 1U : 0U);
    const size_t content = 2 * (2 + number);
    if (kind->algorithm == SOTER_KEY_RSA) {
        return kind->number_size;
    }
    return content + (content < 128 ? 2U : 3U);
}

soter_status soter_sign_key_new(const soter_key *key, soter_sign_key **out)
{
    const bool is_private = key->kind->is_private;
    const OSSL_PARAM *params = nothing;
    soter_status status;
    soter_sign_key *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    made->is_private = is_private;
    made->max_size = max_size(key->kind);
    if (key->kind->algorithm == SOTER_KEY_RSA) {
        params = is_private ? pss_signing : pss_verifying;
    }
    status = soter_key_prepare(key,
                               is_private ? EVP_PKEY_sign_init_ex : EVP_PKEY_verify_init_ex,
                               params,
                               &made->prepared);
    if (status == SOTER_SUCCESS && is_private && key->kind->algorithm == SOTER_KEY_RSA) {
        status = soter_key_prepare(key, EVP_PKEY_verify_init_ex, pss_verifying, &made->checking);
    }
    if (status == SOTER_SUCCESS) {
        *out = made;
        made = NULL;
    }
    soter_sign_key_free(made);
    return status;
}

void soter_sign_key_free(soter_sign_key *key)
{
    if (key != NULL) {
        EVP_PKEY_CTX_free(key->prepared);
        EVP_PKEY_CTX_free(key->checking);
        free(key);
    }
}

size_t soter_signature_max_size(const soter_sign_key *key)
{
    return key->max_size;
}

/* Whether this is a signature of the digest. */
static bool holds(const EVP_PKEY_CTX *prepared,
                  const uint8_t *signature,
                  size_t signature_len,
                  const uint8_t digest[SOTER_SHA256_SIZE])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(prepared);
    const bool right =
        ctx != NULL &&
        EVP_PKEY_verify(ctx, signature, signature_len, digest, SOTER_SHA256_SIZE) == 1;
    EVP_PKEY_CTX_free(ctx);
    return right;
}

/* Signs with a context that is used up by that. */
static bool sign_digest(const soter_sign_key *key,
                        EVP_PKEY_CTX *ctx,
                        const uint8_t digest[SOTER_SHA256_SIZE],
                        uint8_t *signature,
                        size_t *signature_len)
{
    size_t made_len = key->max_size;
    const bool made = ctx != NULL &&
                      EVP_PKEY_sign(ctx, signature, &made_len, digest, SOTER_SHA256_SIZE) == 1 &&
                      made_len != 0 && made_len <= key->max_size;
    soter_wipe_stack();
    EVP_PKEY_CTX_free(ctx);
    if (!made || (key->checking != NULL && !holds(key->checking, signature, made_len, digest))) {
        return false;
    }
    *signature_len = made_len;
    return true;
}

/* A context over a copy of an RSA key. */
static EVP_PKEY_CTX *prepare_afresh(const EVP_PKEY_CTX *prepared)
{
    EVP_PKEY *copy = EVP_PKEY_dup(EVP_PKEY_CTX_get0_pkey((EVP_PKEY_CTX *)(uintptr_t)prepared));
    EVP_PKEY_CTX *ctx =
        copy != NULL ? EVP_PKEY_CTX_new_from_pkey(soter_crypto.libctx, copy, NULL) : NULL;
    if (ctx != NULL && EVP_PKEY_sign_init_ex(ctx, pss_signing) != 1) {
        EVP_PKEY_CTX_free(ctx);
        ctx = NULL;
    }
    EVP_PKEY_free(copy);
    return ctx;
}

/* A signature of RSA is verified before it leaves. OpenSSL keeps what blinds a key's numbers, and
 * draws it anew after 32 uses; when memory runs out just then, it says nothing and goes on with
 * factors that do not belong together, so that up to 32 signatures are wrong (seen in 3.0). A copy
 * of the key has blinding of its own. */
soter_status soter_sign(const soter_sign_key *key,
                        const struct soter_slice *parts,
                        size_t count,
                        uint8_t *signature,
                        size_t *signature_len)
{
    uint8_t digest[SOTER_SHA256_SIZE]; /* public: of a message that travels in the clear */
    soter_status status;
    if (!key->is_private) {
        return SOTER_INVALID_PARAMETER;
    }
    status = soter_sha256(parts, count, digest);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    ERR_set_mark();
    if (!sign_digest(key, EVP_PKEY_CTX_dup(key->prepared), digest, signature, signature_len) &&
        (key->checking == NULL ||
         !sign_digest(key, prepare_afresh(key->prepared), digest, signature, signature_len))) {
        status = SOTER_ENGINE_FAIL;
    }
    ERR_pop_to_mark();
    return status;
}

soter_status soter_verify(const soter_sign_key *key,
                          const struct soter_slice *parts,
                          size_t count,
                          const uint8_t *signature,
                          size_t signature_len)
{
    uint8_t digest[SOTER_SHA256_SIZE]; /* public */
    EVP_PKEY_CTX *ctx = NULL;
    soter_status status;
    if (key->is_private) {
        return SOTER_INVALID_PARAMETER;
    }
    if (signature_len > SOTER_SIGNATURE_MAX_SIZE) { /* OpenSSL would take it as an int */
        return SOTER_INVALID_SIGNATURE;
    }
    status = soter_sha256(parts, count, digest);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    ERR_set_mark();
    ctx = EVP_PKEY_CTX_dup(key->prepared);
    if (ctx == NULL) {
        status = SOTER_NO_MEMORY;
    } else if (EVP_PKEY_verify(ctx, signature, signature_len, digest, sizeof digest) != 1) {
        status = soter_refusal(SOTER_INVALID_SIGNATURE);
    }
    EVP_PKEY_CTX_free(ctx);
    ERR_pop_to_mark();
    return status;
}

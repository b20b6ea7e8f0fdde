/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/sign.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "soter/crypto.h"
#include "soter/evp_key.h"
#include "soter/hash.h"

/* OpenSSL's contexts belong to one thread at a time, so these two are only ever copied: that is
 * cheaper by far than to make one. */
struct soter_signer {
    EVP_PKEY_CTX *prepared;
    size_t max_size;
};

struct soter_verifier {
    EVP_PKEY_CTX *prepared;
};

/* PSS with SHA-256 for the mask too; nothing has to be set for EC keys. */
static bool set_padding(EVP_PKEY_CTX *ctx, const soter_key *key, int salt_len)
{
    return key->kind->algorithm == SOTER_KEY_EC ||
           (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
            EVP_PKEY_CTX_set_signature_md(ctx, soter_crypto.sha256) == 1 &&
            EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, soter_crypto.sha256) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt_len) == 1);
}

static soter_status
prepare(const soter_key *key, int (*init)(EVP_PKEY_CTX *), int salt_len, EVP_PKEY_CTX **out)
{
    soter_status status;
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = NULL;
    ERR_set_mark();
    status = soter_key_to_evp(key, &pkey);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = SOTER_ENGINE_FAIL;
    ctx = EVP_PKEY_CTX_new_from_pkey(soter_crypto.libctx, pkey, NULL);
    if (ctx == NULL || init(ctx) != 1 || !set_padding(ctx, key, salt_len)) {
        goto out;
    }
    *out = ctx;
    ctx = NULL;
    status = SOTER_SUCCESS;
out:
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ERR_pop_to_mark();
    return status;
}

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

soter_status soter_signer_new(const soter_key *private_key, soter_signer **out)
{
    soter_status status;
    soter_signer *signer;
    if (!private_key->kind->is_private) {
        return SOTER_INVALID_PARAMETER;
    }
    signer = calloc(1, sizeof *signer);
    if (signer == NULL) {
        return SOTER_NO_MEMORY;
    }
    signer->max_size = max_size(private_key->kind);
    /* The longest salt that fits: so has Themis always signed. */
    status = prepare(private_key, EVP_PKEY_sign_init, RSA_PSS_SALTLEN_MAX, &signer->prepared);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = signer;
    signer = NULL;
out:
    soter_signer_free(signer);
    return status;
}

void soter_signer_free(soter_signer *signer)
{
    if (signer != NULL) {
        EVP_PKEY_CTX_free(signer->prepared);
        free(signer);
    }
}

soter_status soter_verifier_new(const soter_key *public_key, soter_verifier **out)
{
    soter_status status;
    soter_verifier *verifier;
    if (public_key->kind->is_private) {
        return SOTER_INVALID_PARAMETER;
    }
    verifier = calloc(1, sizeof *verifier);
    if (verifier == NULL) {
        return SOTER_NO_MEMORY;
    }
    /* The length of the salt is found in the signature. */
    status = prepare(public_key, EVP_PKEY_verify_init, RSA_PSS_SALTLEN_AUTO, &verifier->prepared);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = verifier;
    verifier = NULL;
out:
    soter_verifier_free(verifier);
    return status;
}

void soter_verifier_free(soter_verifier *verifier)
{
    if (verifier != NULL) {
        EVP_PKEY_CTX_free(verifier->prepared);
        free(verifier);
    }
}

size_t soter_signature_max_size(const soter_signer *signer)
{
    return signer->max_size;
}

soter_status soter_sign(const soter_signer *signer,
                        const struct soter_slice *parts,
                        size_t count,
                        uint8_t *signature,
                        size_t *signature_len)
{
    uint8_t digest[SOTER_SHA256_SIZE]; /* public: of a message that travels in the clear */
    size_t made_len = signer->max_size;
    EVP_PKEY_CTX *ctx = NULL;
    soter_status status = soter_sha256(parts, count, digest);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = SOTER_ENGINE_FAIL;
    ERR_set_mark();
    ctx = EVP_PKEY_CTX_dup(signer->prepared);
    if (ctx == NULL || EVP_PKEY_sign(ctx, signature, &made_len, digest, sizeof digest) != 1 ||
        made_len == 0 || made_len > signer->max_size) {
        goto out;
    }
    *signature_len = made_len;
    status = SOTER_SUCCESS;
out:
    EVP_PKEY_CTX_free(ctx);
    ERR_pop_to_mark();
    return status;
}

soter_status soter_verify(const soter_verifier *verifier,
                          const struct soter_slice *parts,
                          size_t count,
                          const uint8_t *signature,
                          size_t signature_len)
{
    uint8_t digest[SOTER_SHA256_SIZE]; /* public */
    EVP_PKEY_CTX *ctx = NULL;
    soter_status status;
    if (signature_len > SOTER_SIGNATURE_MAX_SIZE) { /* OpenSSL would take it as an int */
        return SOTER_INVALID_SIGNATURE;
    }
    status = soter_sha256(parts, count, digest);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    ERR_set_mark();
    ctx = EVP_PKEY_CTX_dup(verifier->prepared);
    if (ctx == NULL) {
        status = SOTER_NO_MEMORY;
    } else if (EVP_PKEY_verify(ctx, signature, signature_len, digest, sizeof digest) != 1) {
        status = soter_refusal(SOTER_INVALID_SIGNATURE);
    }
    EVP_PKEY_CTX_free(ctx);
    ERR_pop_to_mark();
    return status;
}

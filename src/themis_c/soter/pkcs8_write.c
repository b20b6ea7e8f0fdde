/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/pkcs8_write.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "soter/evp.h"
#include "soter/fork.h"
#include "soter/key_internal.h"
#include "soter/libcrypto.h"
#include "soter/rand.h"
#include "soter/wipe.h"

#define SALT_SIZE 16

static soter_status
encode(const EVP_PKEY *pkey, bool is_private, unsigned char **der, size_t *der_len)
{
    soter_status status = SOTER_ENGINE_FAIL;
    OSSL_ENCODER_CTX *ctx;
    soter_fork_hold_off();
    ctx = OSSL_ENCODER_CTX_new_for_pkey(pkey,
                                        is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                                        "DER",
                                        is_private ? "PrivateKeyInfo" : "SubjectPublicKeyInfo",
                                        NULL);
    if (ctx != NULL && OSSL_ENCODER_to_data(ctx, der, der_len) == 1 && *der != NULL &&
        *der_len != 0 && *der_len <= SOTER_PKCS8_MAX_SIZE) {
        status = SOTER_SUCCESS;
    } else {
        OPENSSL_free(*der); /* not wiped: after a failure the length may be wrong */
        *der = NULL;
        *der_len = 0;
    }
    OSSL_ENCODER_CTX_free(ctx);
    soter_fork_allow();
    return status;
}

/* Replaces PrivateKeyInfo by EncryptedPrivateKeyInfo: PBES2, PBKDF2-HMAC-SHA256, AES-256-CBC. */
static soter_status encrypt(struct soter_slice passphrase, unsigned char **der, size_t *der_len)
{
    uint8_t salt[SALT_SIZE]; /* public */
    const unsigned char *at = *der;
    unsigned char *made = NULL;
    int made_len;
    X509_SIG *encrypted = NULL;
    PKCS8_PRIV_KEY_INFO *plain = NULL;
    soter_status status = soter_rand_public(salt, sizeof salt);
    if (status == SOTER_SUCCESS) {
        status = soter_rand_renew_public(); /* OpenSSL draws the iv */
    }
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = SOTER_ENGINE_FAIL;
    plain = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)*der_len);
    if (plain == NULL) {
        goto out;
    }
    encrypted = PKCS8_encrypt_ex(-1, /* PBES2 */
                                 soter_libcrypto.aes256_cbc,
                                 (const char *)passphrase.data,
                                 (int)passphrase.len,
                                 salt,
                                 sizeof salt,
                                 SOTER_PKCS8_ITERATIONS,
                                 plain,
                                 soter_libcrypto.libctx,
                                 NULL);
    made_len = encrypted != NULL ? i2d_X509_SIG(encrypted, &made) : 0;
    if (made_len <= 0 || made_len > SOTER_PKCS8_MAX_SIZE) {
        OPENSSL_free(made);
        goto out;
    }
    OPENSSL_clear_free(*der, *der_len);
    *der = made;
    *der_len = (size_t)made_len;
    status = SOTER_SUCCESS;
out:
    X509_SIG_free(encrypted);
    PKCS8_PRIV_KEY_INFO_free(plain); /* wipes */
    return status;
}

static soter_status own(const void *data, size_t len, struct soter_owned *out)
{
    out->data = malloc(len);
    if (out->data == NULL) {
        return SOTER_NO_MEMORY;
    }
    memcpy(out->data, data, len);
    out->len = len;
    return SOTER_SUCCESS;
}

static soter_status
armour(const char *name, const unsigned char *der, size_t der_len, struct soter_owned *out)
{
    soter_status status = SOTER_NO_MEMORY;
    char *text = NULL;
    long text_len;
    BIO *bio;
    soter_fork_hold_off();
    bio = BIO_new(BIO_s_mem());
    if (bio != NULL) {
        status = SOTER_ENGINE_FAIL;
        if (PEM_write_bio(bio, name, "", der, (long)der_len) > 0) {
            text_len = BIO_get_mem_data(bio, &text);
            if (text_len > 0 && text != NULL) {
                status = own(text, (size_t)text_len, out);
            }
        }
    }
    BIO_free(bio); /* wipes */
    soter_fork_allow();
    return status;
}

static const char *name_for(bool is_private, bool is_encrypted)
{
    if (!is_private) {
        return "PUBLIC KEY";
    }
    return is_encrypted ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY";
}

soter_status soter_pkcs8_write(const soter_key *key,
                               enum soter_key_text text,
                               struct soter_slice passphrase,
                               struct soter_owned *out)
{
    const bool is_private = key->kind->is_private;
    soter_status status;
    EVP_PKEY *pkey = NULL;
    unsigned char *der = NULL;
    size_t der_len = 0;
    if (passphrase.len > INT_MAX || (passphrase.len != 0 && !is_private)) {
        return SOTER_INVALID_PARAMETER;
    }
    soter_libcrypto_mark();
    status = soter_key_to_evp(key, &pkey); /* others expect the public half of an EC key there */
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = encode(pkey, is_private, &der, &der_len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    if (passphrase.len != 0) {
        status = encrypt(passphrase, &der, &der_len);
        if (status != SOTER_SUCCESS) {
            goto out;
        }
    }
    status = text == SOTER_PEM
                 ? armour(name_for(is_private, passphrase.len != 0), der, der_len, out)
                 : own(der, der_len, out);
out:
    soter_wipe_stack();
    OPENSSL_clear_free(der, der_len);
    soter_evp_free(pkey);
    ERR_pop_to_mark();
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "soter/crypto.h"
#include "soter/ec_curve.h"
#include "soter/evp_key.h"
#include "soter/fork.h"
#include "soter/pkcs8.h"
#include "soter/wipe.h"

#define GROUP_NAME_SIZE 64
/* N * r * p of scrypt, which OpenSSL's command makes 2^17. */
#define SCRYPT_MAX_WORK (UINT64_C(1) << 20)
/* (N + p + 2) * r: blocks of 128 bytes, of which OpenSSL allows 32 MiB. What it refuses by itself
 * would look like a wrong passphrase. */
#define SCRYPT_MAX_BLOCKS (UINT64_C(1) << 18)

#define ENCRYPTED "ENCRYPTED PRIVATE KEY"

/* The forms, by the name that PEM has for each; without a name they are tried one by one. */
static const struct form {
    const char *name;
    const char *structure;
    const char *type; /* NULL: the structure says it itself */
    bool is_private;
} forms[] = {
    {"PRIVATE KEY", "PrivateKeyInfo", NULL, true},
    {"PUBLIC KEY", "SubjectPublicKeyInfo", NULL, false},
    {"EC PRIVATE KEY", "type-specific", "EC", true},
    {"RSA PRIVATE KEY", "type-specific", "RSA", true},
    {"RSA PUBLIC KEY", "type-specific", "RSA", false},
};

#define FORMS_COUNT (sizeof forms / sizeof forms[0])

/* What stands in a key that was read from outside, and why it cannot be used. */
struct reading {
    struct soter_slice passphrase;
    EVP_PKEY *pkey;
    bool is_private;
    const char *why;
};

static soter_status refuse(struct reading *reading, soter_status status, const char *why)
{
    const soter_status answer = soter_refusal(status);
    reading->why = answer == status ? why : NULL;
    return answer;
}

/* OpenSSL would ask on the terminal. Nothing here may. */
static int no_passphrase(char *buffer, int size, int writing, void *user)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)user;
    return -1;
}

static EVP_PKEY *decode(const struct form *form, const unsigned char *der, size_t der_len)
{
    EVP_PKEY *pkey = NULL;
    size_t left = der_len;
    OSSL_DECODER_CTX *ctx;
    soter_fork_hold_off();
    ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey,
                                        "DER",
                                        form->structure,
                                        form->type,
                                        form->is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                                        soter_crypto.libctx,
                                        NULL);
    if (ctx == NULL || OSSL_DECODER_CTX_set_pem_password_cb(ctx, no_passphrase, NULL) != 1 ||
        OSSL_DECODER_from_data(ctx, &der, &left) != 1 || left != 0) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    OSSL_DECODER_CTX_free(ctx);
    soter_fork_let();
    return pkey;
}

static soter_status
read_plain(struct reading *reading, const char *name, const unsigned char *der, size_t der_len)
{
    for (size_t i = 0; i < FORMS_COUNT && reading->pkey == NULL; i++) {
        if (name == NULL || strcmp(name, forms[i].name) == 0) {
            reading->pkey = decode(&forms[i], der, der_len);
            reading->is_private = forms[i].is_private;
        }
    }
    if (reading->pkey == NULL) {
        return refuse(reading, SOTER_INVALID_PARAMETER, "this is not a key, or it is damaged");
    }
    if (reading->passphrase.len != 0) {
        return refuse(reading,
                      SOTER_INVALID_PARAMETER,
                      "a passphrase was given, but the key is not encrypted");
    }
    return SOTER_SUCCESS;
}

static bool number_at_most(const ASN1_INTEGER *number, uint64_t bound, uint64_t *out)
{
    return ASN1_INTEGER_get_uint64(out, number) == 1 && *out >= 1 && *out <= bound;
}

static bool pbkdf2_is_bounded(const ASN1_TYPE *parameter)
{
    uint64_t iterations;
    PBKDF2PARAM *params = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), parameter);
    const bool bounded =
        params != NULL && number_at_most(params->iter, SOTER_PKCS8_MAX_ITERATIONS, &iterations);
    PBKDF2PARAM_free(params);
    return bounded;
}

static bool scrypt_is_bounded(const ASN1_TYPE *parameter)
{
    uint64_t n;
    uint64_t r;
    uint64_t p;
    SCRYPT_PARAMS *params = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMS), parameter);
    const bool bounded =
        params != NULL && number_at_most(params->costParameter, SCRYPT_MAX_WORK, &n) &&
        number_at_most(params->blockSize, SCRYPT_MAX_WORK / n, &r) &&
        number_at_most(params->parallelizationParameter, SCRYPT_MAX_WORK / n / r, &p) &&
        (n + p + 2) * r <= SCRYPT_MAX_BLOCKS;
    SCRYPT_PARAMS_free(params);
    return bounded;
}

/* Whether OpenSSL has this cipher without its "legacy" provider, which nobody loads here. */
static bool is_readable(const X509_ALGOR *encryption)
{
    const char *name = OBJ_nid2sn(OBJ_obj2nid(encryption->algorithm));
    EVP_CIPHER *cipher;
    bool there;
    soter_fork_hold_off();
    cipher = EVP_CIPHER_fetch(soter_crypto.libctx, name, NULL);
    there = cipher != NULL;
    EVP_CIPHER_free(cipher);
    soter_fork_let();
    return there;
}

/* Whether this encryption is one that we read, and one that costs no more than we are willing to
 * pay before anything is authenticated. */
static soter_status judge_encryption(struct reading *reading, const X509_SIG *encrypted)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OCTET_STRING *data = NULL;
    PBE2PARAM *params = NULL;
    bool readable = false;
    bool bounded = false;
    int kdf = NID_undef;
    X509_SIG_get0(encrypted, &algorithm, &data);
    if (OBJ_obj2nid(algorithm->algorithm) == NID_pbes2 && algorithm->parameter != NULL) {
        params = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
    }
    if (params != NULL && params->keyfunc->parameter != NULL) {
        kdf = OBJ_obj2nid(params->keyfunc->algorithm);
        readable = is_readable(params->encryption);
    }
    if (kdf == NID_id_pbkdf2) {
        bounded = pbkdf2_is_bounded(params->keyfunc->parameter);
    } else if (kdf == NID_id_scrypt) {
        bounded = scrypt_is_bounded(params->keyfunc->parameter);
    }
    PBE2PARAM_free(params);
    if (!readable || (kdf != NID_id_pbkdf2 && kdf != NID_id_scrypt)) {
        return refuse(reading,
                      SOTER_NOT_SUPPORTED,
                      "the key is encrypted in an old way; only PBES2 with PBKDF2 or scrypt is "
                      "read: convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc`");
    }
    return bounded ? SOTER_SUCCESS
                   : refuse(reading,
                            SOTER_NOT_SUPPORTED,
                            "the encrypted key asks for more work than is sensible");
}

static soter_status
read_encrypted(struct reading *reading, const unsigned char *der, size_t der_len)
{
    soter_status status = SOTER_SUCCESS;
    const unsigned char *at = der;
    PKCS8_PRIV_KEY_INFO *plain = NULL;
    X509_SIG *encrypted = d2i_X509_SIG(NULL, &at, (long)der_len);
    if (encrypted == NULL || at != der + der_len) {
        status = refuse(reading, SOTER_INVALID_PARAMETER, "this is not a key, or it is damaged");
        goto out;
    }
    if (reading->passphrase.len == 0) {
        status = refuse(reading,
                        SOTER_INVALID_PARAMETER,
                        "the key is encrypted: it takes a passphrase to read it");
        goto out;
    }
    status = judge_encryption(reading, encrypted);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    plain = PKCS8_decrypt_ex(encrypted,
                             (const char *)reading->passphrase.data,
                             (int)reading->passphrase.len,
                             soter_crypto.libctx,
                             NULL);
    if (plain != NULL) {
        soter_fork_hold_off();
        reading->pkey = EVP_PKCS82PKEY_ex(plain, soter_crypto.libctx, NULL);
        soter_fork_let();
    }
    reading->is_private = true;
    if (reading->pkey == NULL) {
        status = refuse(reading, SOTER_FAIL, "the passphrase is wrong, or the key is damaged");
    }
out:
    PKCS8_PRIV_KEY_INFO_free(plain); /* wipes */
    X509_SIG_free(encrypted);
    return status;
}

static bool is_encrypted(const unsigned char *der, size_t der_len)
{
    const unsigned char *at = der;
    X509_SIG *encrypted = d2i_X509_SIG(NULL, &at, (long)der_len);
    const bool is_one = encrypted != NULL;
    X509_SIG_free(encrypted);
    return is_one;
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < FORMS_COUNT; i++) {
        if (strcmp(name, forms[i].name) == 0) {
            return true;
        }
    }
    return strcmp(name, ENCRYPTED) == 0;
}

static soter_status read_der(struct reading *reading, const unsigned char *der, size_t der_len)
{
    return is_encrypted(der, der_len) ? read_encrypted(reading, der, der_len)
                                      : read_plain(reading, NULL, der, der_len);
}

/* Reads the next block; SUCCESS without a key if it is none, such as the parameters that OpenSSL
 * writes before an EC key. */
static soter_status read_block(struct reading *reading, BIO *bio)
{
    soter_status status = SOTER_SUCCESS;
    char *name = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long der_len = 0;
    int found;
    soter_fork_hold_off();
    found = PEM_read_bio(bio, &name, &header, &der, &der_len);
    soter_fork_let();
    if (found != 1 || der_len < 0) {
        return refuse(reading, SOTER_INVALID_PARAMETER, "there is no key in this PEM text");
    }
    if (is_known(name)) {
        if (header[0] != '\0') {
            status = refuse(reading,
                            SOTER_NOT_SUPPORTED,
                            "the key is encrypted in the way of old OpenSSL versions: convert it "
                            "with `openssl pkcs8 -topk8`");
        } else if (strcmp(name, ENCRYPTED) == 0) {
            status = read_encrypted(reading, der, (size_t)der_len);
        } else {
            status = read_plain(reading, name, der, (size_t)der_len);
        }
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, (size_t)der_len);
    return status;
}

static soter_status read_pem(struct reading *reading, const uint8_t *text, size_t text_len)
{
    soter_status status = SOTER_SUCCESS;
    BIO *bio;
    soter_fork_hold_off();
    bio = BIO_new_mem_buf(text, (int)text_len);
    soter_fork_let();
    if (bio == NULL) {
        return SOTER_NO_MEMORY;
    }
    while (status == SOTER_SUCCESS && reading->pkey == NULL) {
        status = read_block(reading, bio); /* each consumes something, or fails */
    }
    soter_fork_hold_off();
    BIO_free(bio);
    soter_fork_let();
    return status;
}

static const struct soter_key_kind *kind_of(const struct reading *reading)
{
    char group[GROUP_NAME_SIZE] = {0}; /* public */
    size_t group_len = 0;
    if (EVP_PKEY_is_a(reading->pkey, "RSA") == 1) {
        const int bits = EVP_PKEY_get_bits(reading->pkey);
        return bits > 0 ? soter_key_find_kind(SOTER_KEY_RSA, reading->is_private, (unsigned)bits)
                        : NULL;
    }
    if (EVP_PKEY_is_a(reading->pkey, "EC") == 1 &&
        EVP_PKEY_get_group_name(reading->pkey, group, sizeof group, &group_len) == 1) {
        const struct soter_curve *curve = soter_curve_named(group);
        return curve != NULL ? soter_key_find_kind(SOTER_KEY_EC, reading->is_private, curve->bits)
                             : NULL;
    }
    return NULL;
}

/* Puts the numbers into a container, and judges them as those of any other. */
static soter_status to_container(struct reading *reading, struct soter_owned *out)
{
    soter_status status;
    soter_key *judged = NULL;
    struct soter_owned made = {NULL, 0};
    struct soter_key found = {kind_of(reading), reading->pkey, false, {0}, {0}};
    if (found.kind == NULL) {
        return refuse(reading,
                      SOTER_NOT_SUPPORTED,
                      "keys of this kind are not supported, only EC on P-256, P-384 and P-521, and "
                      "RSA of 1024, 2048, 4096 and 8192 bits");
    }
    made.len = soter_key_size(found.kind, SOTER_COMPRESSED);
    made.data = malloc(made.len);
    if (made.data == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = found.kind->algorithm == SOTER_KEY_EC ? soter_ec_from_evp(&found, reading->pkey)
                                                   : SOTER_SUCCESS;
    if (status == SOTER_SUCCESS) {
        status = reading->is_private
                     ? soter_key_write_private(&found, made.data, made.len)
                     : soter_key_write_public(&found, SOTER_COMPRESSED, made.data, made.len);
    }
    soter_wipe(&found, sizeof found);
    if (status == SOTER_SUCCESS) {
        status = soter_key_read(made.data, made.len, &judged);
    }
    soter_key_free(judged);
    if (status != SOTER_SUCCESS) {
        soter_wipe_free(made.data, made.len);
        return status == SOTER_NO_MEMORY
                   ? status
                   : refuse(
                         reading,
                         SOTER_DATA_CORRUPT,
                         "the numbers of the key make no sense, or an RSA key has another exponent "
                         "than 3 or 65537");
    }
    *out = made;
    return SOTER_SUCCESS;
}

soter_status soter_pkcs8_read(struct soter_slice input,
                              enum soter_key_text text,
                              struct soter_slice passphrase,
                              struct soter_owned *out,
                              const char **why)
{
    struct reading reading = {passphrase, NULL, false, NULL};
    soter_status status;
    if (input.len == 0 || input.len > SOTER_PKCS8_MAX_SIZE || passphrase.len > INT_MAX) {
        *why = "this is not a key: it is empty, or longer than any key";
        return SOTER_INVALID_PARAMETER;
    }
    ERR_set_mark();
    status = text == SOTER_PEM ? read_pem(&reading, input.data, input.len)
                               : read_der(&reading, input.data, input.len);
    if (status == SOTER_SUCCESS) {
        status = to_container(&reading, out);
    }
    soter_evp_key_free(reading.pkey);
    soter_wipe_stack();
    ERR_pop_to_mark();
    *why = reading.why;
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: making, reading and writing them. */
#include "operations/stage.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>

static int run_symmetric_key(const struct operation *operation)
{
    (void)operation;
    stage.out_len = THEMIS_SYMMETRIC_KEY_SIZE;
    return themis_symmetric_key(stage.out);
}

static int run_key_pair(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    stage.out_len = pair->private_len;
    stage.out2_len = pair->public_len;
    return themis_key_pair(pair->algorithm,
                           pair->bits,
                           0,
                           stage.out,
                           themis_key_size(pair->algorithm, 1, pair->bits, 0),
                           stage.out2,
                           themis_key_size(pair->algorithm, 0, pair->bits, 0));
}

static bool is_pair(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    uint8_t again[1100];
    return themis_key_public(stage.out, pair->private_len, 0, again, pair->public_len) ==
               THEMIS_SUCCESS &&
           memcmp(again, stage.out2, pair->public_len) == 0;
}

static int run_key_public(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    stage.out_len = pair->public_len;
    return themis_key_public(stage.in, stage.in_len, 0, stage.out, pair->public_len);
}

static bool is_public(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    return memcmp(stage.out, pair->public_key, pair->public_len) == 0;
}

static void set_up_public(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    memcpy(stage.in, pair->public_key, stage.in_len = pair->public_len);
}

static int run_key_uncompressed(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    stage.out_len = themis_key_size(pair->algorithm, 0, pair->bits, 1);
    return themis_key_uncompressed(stage.in, stage.in_len, stage.out, stage.out_len);
}

/* It holds x of an EC key, or all of an RSA key, in the same place. */
static bool is_uncompressed(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    const size_t head = 12 + 1;
    return memcmp(stage.out + head, pair->public_key + head, pair->public_len - head) == 0;
}

static int run_key_inspect(const struct operation *operation)
{
    int algorithm;
    int is_private;
    int bits;
    const int status = themis_key_inspect(stage.in, stage.in_len, &algorithm, &is_private, &bits);
    return status == THEMIS_SUCCESS && bits != pairs[operation->kind].bits ? -1 : status;
}

/* What of a form: private or public, PEM or DER, encrypted or not, and how it was in old days. */
enum { PEM = 1, OF_PUBLIC = 2, ENCRYPTED = 4, OLD = 8 };

static void set_up_export(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    set_up_private(operation);
    if (operation->flag & OF_PUBLIC) {
        memcpy(stage.in, pair->public_key, stage.in_len = pair->public_len);
    }
    if (operation->flag & ENCRYPTED) {
        add_hmac("passphrase", PASSPHRASE);
    }
}

static int run_export(const struct operation *operation)
{
    const bool encrypted = (operation->flag & ENCRYPTED) != 0;
    return themis_key_export(stage.in,
                             stage.in_len,
                             operation->flag & PEM,
                             encrypted ? passphrase : NULL,
                             encrypted ? sizeof passphrase - 1 : 0,
                             &stage.blob);
}

static int
import_key(const struct operation *operation, const uint8_t *form, size_t len, themis_blob **out)
{
    const bool encrypted = (operation->flag & ENCRYPTED) != 0;
    return themis_key_import(form,
                             len,
                             operation->flag & PEM,
                             encrypted ? passphrase : NULL,
                             encrypted ? sizeof passphrase - 1 : 0,
                             out,
                             &stage.why);
}

static bool is_key(const struct operation *operation, const themis_blob *blob)
{
    const struct pair *pair = &pairs[operation->kind];
    return operation->flag & OF_PUBLIC
               ? themis_blob_size(blob) == pair->public_len &&
                     memcmp(themis_blob_data(blob), pair->public_key, pair->public_len) == 0
               : themis_blob_size(blob) == pair->private_len &&
                     memcmp(themis_blob_data(blob), pair->private_key, pair->private_len) == 0;
}

static bool is_exported(const struct operation *operation)
{
    themis_blob *again = NULL;
    bool right;
    if (import_key(operation, themis_blob_data(stage.blob), themis_blob_size(stage.blob), &again) !=
        THEMIS_SUCCESS) {
        return false;
    }
    right = is_key(operation, again);
    themis_blob_free(again);
    return right;
}

static EVP_PKEY *openssl_key(const struct operation *operation)
{
    EVP_PKEY *pkey;
    BIO *bio;
    themis_blob *plain = NULL;
    must(themis_key_export(PRIVATE(operation->kind), 1, NULL, 0, &plain), "to export");
    bio = BIO_new_mem_buf(themis_blob_data(plain), (int)themis_blob_size(plain));
    pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    themis_blob_free(plain);
    if (pkey == NULL) {
        stage_fail("to read what was exported");
    }
    return pkey;
}

/* What only others write: few iterations, or the forms of old. */
static void write_foreign(const struct operation *operation)
{
    EVP_PKEY *pkey = openssl_key(operation);
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    X509_SIG *encrypted;
    BIO *bio = BIO_new(BIO_s_mem());
    int len;
    if (operation->flag & OLD) {
        must(PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1,
             "the old form");
    } else {
        encrypted = PKCS8_encrypt(-1,
                                  EVP_aes_256_cbc(),
                                  (const char *)passphrase,
                                  sizeof passphrase - 1,
                                  NULL,
                                  0,
                                  3,
                                  info);
        must(encrypted == NULL || PEM_write_bio_PKCS8(bio, encrypted) != 1, "to encrypt");
        X509_SIG_free(encrypted);
    }
    len = BIO_read(bio, stage.in, sizeof stage.in);
    stage.in_len = len > 0 ? (size_t)len : 0;
    BIO_free(bio);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(pkey);
}

static void set_up_import(const struct operation *operation)
{
    set_up_export(operation);
    if (operation->flag & (ENCRYPTED | OLD)) {
        write_foreign(operation);
        return;
    }
    must(run_export(operation), "to export");
    stage.in_len = themis_blob_size(stage.blob);
    memcpy(stage.in, themis_blob_data(stage.blob), stage.in_len);
    themis_blob_free(stage.blob);
    stage.blob = NULL;
}

static int run_import(const struct operation *operation)
{
    return import_key(operation, stage.in, stage.in_len, &stage.blob);
}

static bool is_imported(const struct operation *operation)
{
    return is_key(operation, stage.blob);
}

#define OF_KEY(title, number)                                                                      \
    {.name = title " public of private",                                                           \
     .set_up = set_up_private,                                                                     \
     .run = run_key_public,                                                                        \
     .is_right = is_public,                                                                        \
     .kind = (number)},                                                                            \
        {.name = title " uncompressed",                                                            \
         .set_up = set_up_public,                                                                  \
         .run = run_key_uncompressed,                                                              \
         .is_right = is_uncompressed,                                                              \
         .kind = (number)},                                                                        \
        {.name = title " inspect",                                                                 \
         .set_up = set_up_private,                                                                 \
         .run = run_key_inspect,                                                                   \
         .kind = (number)},                                                                        \
        {.name = title " export PEM",                                                              \
         .set_up = set_up_export,                                                                  \
         .run = run_export,                                                                        \
         .is_right = is_exported,                                                                  \
         .kind = (number),                                                                         \
         .flag = PEM,                                                                              \
         .makes = true},                                                                           \
        {.name = title " export public DER",                                                       \
         .set_up = set_up_export,                                                                  \
         .run = run_export,                                                                        \
         .is_right = is_exported,                                                                  \
         .kind = (number),                                                                         \
         .flag = OF_PUBLIC,                                                                        \
         .makes = true},                                                                           \
        {.name = title " import PEM",                                                              \
         .set_up = set_up_import,                                                                  \
         .run = run_import,                                                                        \
         .is_right = is_imported,                                                                  \
         .kind = (number),                                                                         \
         .flag = PEM,                                                                              \
         .makes = true},                                                                           \
        {.name = title " import public DER",                                                       \
         .set_up = set_up_import,                                                                  \
         .run = run_import,                                                                        \
         .is_right = is_imported,                                                                  \
         .kind = (number),                                                                         \
         .flag = OF_PUBLIC,                                                                        \
         .makes = true},                                                                           \
        {.name = title " import encrypted",                                                        \
         .set_up = set_up_import,                                                                  \
         .run = run_import,                                                                        \
         .is_right = is_imported,                                                                  \
         .kind = (number),                                                                         \
         .flag = PEM | ENCRYPTED,                                                                  \
         .makes = true},                                                                           \
    {                                                                                              \
        .name = title " import old form", .set_up = set_up_import, .run = run_import,              \
        .is_right = is_imported, .kind = (number), .flag = PEM | OLD, .makes = true                \
    }

#define KEY_PAIR(title, number, is_slow)                                                           \
    {.name = title " key pair",                                                                    \
     .run = run_key_pair,                                                                          \
     .is_right = is_pair,                                                                          \
     .kind = (number),                                                                             \
     .slow = (is_slow)}

const struct operation key_operations[] = {
    {.name = "symmetric key", .run = run_symmetric_key},
    KEY_PAIR("EC-256", EC_256, false),
    KEY_PAIR("EC-384", EC_384, false),
    KEY_PAIR("EC-521", EC_521, false),
    KEY_PAIR("RSA-1024", RSA_1024, true), /* larger ones take the same way, and seconds */
    OF_KEY("EC-256", EC_256),
    OF_KEY("EC-384", EC_384),
    OF_KEY("EC-521", EC_521),
    OF_KEY("RSA-1024", RSA_1024),
    OF_KEY("RSA-2048", RSA_2048),
    {.name = "EC-256 export encrypted",
     .set_up = set_up_export,
     .run = run_export,
     .is_right = is_exported,
     .kind = EC_256,
     .flag = PEM | ENCRYPTED,
     .makes = true,
     .slow = true},
    {.name = NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* What the cryptography alone costs: libcrypto and libsodium used raw, everything prepared, into
 * memory that is warm. floor.py compiles this and asks it for samples.
 *
 * Each line of input is NAME NUMBER SECONDS, the answer to it microseconds per call. The number
 * is the size of a message, or the iterations of PBKDF2. */
#define _POSIX_C_SOURCE 200809L
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEY_SIZE 32
#define NONCE_SIZE 12
#define TAG_SIZE 16
#define TEXT_SIZE 40 /* what a message key of Secure Cell is derived from */
#define DIGEST_SIZE 32
#define SIGNATURE_MAX 80
#define COMPRESSED_SIZE 33 /* of a point on P-256 */

struct floor {
    size_t number;
    uint8_t key[KEY_SIZE];
    uint8_t nonce[NONCE_SIZE];
    uint8_t tag[TAG_SIZE];
    uint8_t *plain;
    uint8_t *encrypted;
    EVP_CIPHER_CTX *encrypting;
    EVP_CIPHER_CTX *decrypting;
    EVP_MAC_CTX *hmac;
    EVP_KDF_CTX *pbkdf2;
    EVP_PKEY *pair;
    EVP_PKEY_CTX *signing;
    EVP_PKEY_CTX *verifying;
    EVP_PKEY_CTX *agreeing;
    EC_GROUP *group;
    EC_POINT *read;
    BN_CTX *numbers;
    uint8_t compressed[COMPRESSED_SIZE];
    uint8_t digest[DIGEST_SIZE];
    uint8_t signature[SIGNATURE_MAX];
    size_t signature_len;
    uint8_t scalar[crypto_core_ed25519_SCALARBYTES];
    uint8_t point[crypto_core_ed25519_BYTES];
};

struct task {
    const char *name;
    bool (*run)(struct floor *);
};

static bool gcm_encrypt(struct floor *f)
{
    int len = 0;
    uint8_t unused[TAG_SIZE];
    return EVP_EncryptInit_ex2(f->encrypting, NULL, NULL, f->nonce, NULL) == 1 &&
           EVP_EncryptUpdate(f->encrypting, f->encrypted, &len, f->plain, (int)f->number) == 1 &&
           EVP_EncryptFinal_ex(f->encrypting, unused, &len) == 1 &&
           EVP_CIPHER_CTX_ctrl(f->encrypting, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, f->tag) == 1;
}

static bool gcm_decrypt(struct floor *f)
{
    int len = 0;
    uint8_t unused[TAG_SIZE];
    return EVP_DecryptInit_ex2(f->decrypting, NULL, NULL, f->nonce, NULL) == 1 &&
           EVP_DecryptUpdate(f->decrypting, f->plain, &len, f->encrypted, (int)f->number) == 1 &&
           EVP_CIPHER_CTX_ctrl(f->decrypting, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, f->tag) == 1 &&
           EVP_DecryptFinal_ex(f->decrypting, unused, &len) == 1;
}

/* A new key for every message, as Secure Cell has it. */
static bool gcm_fresh_key(struct floor *f)
{
    return EVP_EncryptInit_ex2(f->encrypting, NULL, f->key, f->nonce, NULL) == 1 && gcm_encrypt(f);
}

static bool hmac(struct floor *f)
{
    uint8_t text[TEXT_SIZE] = {0};
    size_t len;
    return EVP_MAC_init(f->hmac, NULL, 0, NULL) == 1 &&
           EVP_MAC_update(f->hmac, text, sizeof text) == 1 &&
           EVP_MAC_final(f->hmac, f->digest, &len, sizeof f->digest) == 1;
}

static bool random_bytes(struct floor *f)
{
    return RAND_bytes(f->plain, (int)f->number) == 1;
}

static bool pbkdf2(struct floor *f)
{
    char digest[] = "SHA256";
    unsigned int iterations = (unsigned int)f->number;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, f->key, 12),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, f->key, 16),
        OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &iterations),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    uint8_t made[KEY_SIZE];
    return EVP_KDF_derive(f->pbkdf2, made, sizeof made, params) == 1;
}

static bool ecdsa_sign(struct floor *f)
{
    f->signature_len = sizeof f->signature;
    return EVP_PKEY_sign(f->signing,
                         f->signature,
                         &f->signature_len,
                         f->digest,
                         sizeof f->digest) == 1;
}

static bool ecdsa_verify(struct floor *f)
{
    return EVP_PKEY_verify(f->verifying,
                           f->signature,
                           f->signature_len,
                           f->digest,
                           sizeof f->digest) == 1;
}

static bool ecdh(struct floor *f)
{
    uint8_t made[KEY_SIZE];
    size_t len = sizeof made;
    return EVP_PKEY_derive(f->agreeing, made, &len) == 1;
}

/* Finds the other coordinate of a public key, which Themis writes compressed. */
static bool ec_point(struct floor *f)
{
    return EC_POINT_oct2point(f->group, f->read, f->compressed, COMPRESSED_SIZE, f->numbers) == 1;
}

static bool ec_key(struct floor *f)
{
    EVP_PKEY *made = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    (void)f;
    EVP_PKEY_free(made);
    return made != NULL;
}

static bool multiply(struct floor *f)
{
    uint8_t made[crypto_core_ed25519_BYTES];
    return crypto_scalarmult_ed25519_noclamp(made, f->scalar, f->point) == 0;
}

static bool multiply_base(struct floor *f)
{
    return crypto_scalarmult_ed25519_base_noclamp(f->point, f->scalar) == 0;
}

static bool add(struct floor *f)
{
    uint8_t made[crypto_core_ed25519_BYTES];
    return crypto_core_ed25519_add(made, f->point, f->point) == 0;
}

static const struct task TASKS[] = {
    {"gcm-encrypt", gcm_encrypt},
    {"gcm-decrypt", gcm_decrypt},
    {"gcm-fresh-key", gcm_fresh_key},
    {"hmac", hmac},
    {"random", random_bytes},
    {"pbkdf2", pbkdf2},
    {"ecdsa-sign", ecdsa_sign},
    {"ecdsa-verify", ecdsa_verify},
    {"ecdh", ecdh},
    {"ec-key", ec_key},
    {"ec-point", ec_point},
    {"multiply", multiply},
    {"multiply-base", multiply_base},
    {"add", add},
};

static bool prepare_symmetric(struct floor *f)
{
    char sha256[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_CIPHER *gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "PBKDF2", NULL);
    f->encrypting = EVP_CIPHER_CTX_new();
    f->decrypting = EVP_CIPHER_CTX_new();
    f->hmac = EVP_MAC_CTX_new(mac);
    f->pbkdf2 = EVP_KDF_CTX_new(kdf);
    return f->encrypting != NULL && f->decrypting != NULL && f->hmac != NULL && f->pbkdf2 != NULL &&
           EVP_EncryptInit_ex2(f->encrypting, gcm, f->key, NULL, NULL) == 1 &&
           EVP_DecryptInit_ex2(f->decrypting, gcm, f->key, NULL, NULL) == 1 &&
           EVP_MAC_init(f->hmac, f->key, sizeof f->key, params) == 1;
}

static bool prepare_asymmetric(struct floor *f)
{
    EVP_PKEY *peer = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    f->pair = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    f->signing = EVP_PKEY_CTX_new_from_pkey(NULL, f->pair, NULL);
    f->verifying = EVP_PKEY_CTX_new_from_pkey(NULL, f->pair, NULL);
    f->agreeing = EVP_PKEY_CTX_new_from_pkey(NULL, f->pair, NULL);
    f->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    f->read = EC_POINT_new(f->group);
    f->numbers = BN_CTX_new();
    return peer != NULL && f->group != NULL && f->read != NULL && f->numbers != NULL &&
           EC_POINT_point2oct(f->group,
                              EC_GROUP_get0_generator(f->group),
                              POINT_CONVERSION_COMPRESSED,
                              f->compressed,
                              COMPRESSED_SIZE,
                              f->numbers) == COMPRESSED_SIZE &&
           EVP_PKEY_sign_init(f->signing) == 1 && EVP_PKEY_verify_init(f->verifying) == 1 &&
           EVP_PKEY_derive_init(f->agreeing) == 1 &&
           EVP_PKEY_derive_set_peer(f->agreeing, peer) == 1 && ecdsa_sign(f) && sodium_init() >= 0;
}

/* Both buffers are written here, so that no page of them is new when time counts. */
static bool take_size(struct floor *f, size_t number)
{
    f->number = number;
    free(f->plain);
    free(f->encrypted);
    f->plain = malloc(number + 1);
    f->encrypted = malloc(number + 1);
    if (f->plain == NULL || f->encrypted == NULL) {
        return false;
    }
    memset(f->plain, 1, number + 1);
    memset(f->encrypted, 1, number + 1);
    return gcm_encrypt(f); /* decryption needs something that is whole */
}

/* As _measure.py does: the time of the processor, so that other programs do not count. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Microseconds for a call, or less than 0 where one failed. */
static double sample(struct floor *f, const struct task *task, double seconds)
{
    unsigned long done = 0;
    unsigned long batch = 1;
    double spent = 0;
    const double start = now();
    while (spent < seconds) {
        for (unsigned long i = 0; i < batch; i++) {
            if (!task->run(f)) {
                return -1;
            }
        }
        done += batch;
        spent = now() - start;
        batch = spent < seconds / 2 ? done : 1 + done / 8; /* look at the clock ever more rarely */
    }
    return spent * 1e6 / (double)done;
}

static const struct task *find(const char *name)
{
    for (size_t i = 0; i < sizeof TASKS / sizeof TASKS[0]; i++) {
        if (strcmp(TASKS[i].name, name) == 0) {
            return &TASKS[i];
        }
    }
    return NULL;
}

int main(void)
{
    static struct floor f;
    char name[32];
    size_t number;
    double seconds;
    const struct task *known = NULL;
    if (!prepare_symmetric(&f) || !prepare_asymmetric(&f)) {
        fprintf(stderr, "libcrypto or libsodium does not work\n");
        return 1;
    }
    crypto_core_ed25519_scalar_random(f.scalar);
    if (!multiply_base(&f)) {
        return 1;
    }
    printf("%s\n", OpenSSL_version(OPENSSL_VERSION));
    fflush(stdout);
    while (scanf("%31s %zu %lf", name, &number, &seconds) == 3) {
        const struct task *task = find(name);
        double found;
        if (task == NULL || ((task != known || number != f.number) && !take_size(&f, number))) {
            fprintf(stderr, "cannot measure %s\n", name);
            return 1;
        }
        known = task;
        (void)sample(&f, task, 0); /* warm */
        found = sample(&f, task, seconds);
        if (found < 0) {
            fprintf(stderr, "%s fails\n", name);
            return 1;
        }
        printf("%.6f\n", found);
        fflush(stdout);
    }
    return 0;
}

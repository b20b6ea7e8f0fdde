/* SPDX-License-Identifier: Apache-2.0 */
#include "operations.h"

#include <openssl/aes.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "secrets.h"
#include "soter/aead.h"
#include "soter/bytes.h"
#include "soter/ecdh.h"
#include "soter/key_container.h"
#include "soter/key_internal.h"
#include "soter/rand.h"

struct stage stage;

#define TEXT_SIZE 100
static const uint8_t text[TEXT_SIZE] = "What is to be kept from everybody else, one hundred bytes: "
                                       "9c1f7a60e4b2d583 and so on, and on";
static const uint8_t context[] = "a context";
static const uint8_t short_key[] = "a master key of 30 bytes..9k3";
static const uint8_t long_key[] =
    "a master key of more than sixty-four bytes, which is hashed before "
    "it is used: 8f2c";
static const uint8_t passphrase[] = "correct horse battery staple";
static const uint8_t kept_passphrase[] = "for work that is kept";
static const uint8_t client_id[] = "the client";
static const uint8_t server_id[] = "the server";

#define CONTEXT context, sizeof context - 1
#define SHORT_KEY short_key, sizeof short_key - 1
#define LONG_KEY long_key, sizeof long_key - 1
#define PASSPHRASE passphrase, sizeof passphrase - 1
#define ITERATIONS 3, 1, 1000 /* what is written, and the bounds */
#define LABEL (const uint8_t *)"Themis secure cell message key"
#define LABEL_SIZE 30

/* Pairs of keys; EC has two, for two parties, on each curve. */
enum { EC_256, EC_384, EC_521, RSA_1024, RSA_2048, EC_256_OTHER, KINDS };

static struct pair {
    int algorithm;
    int bits;
    size_t number_size;
    uint8_t private_key[2048];
    size_t private_len;
    uint8_t public_key[1100];
    size_t public_len;
} pairs[KINDS] = {
    [EC_256] = {.algorithm = THEMIS_KEY_EC, .bits = 256, .number_size = 32},
    [EC_384] = {.algorithm = THEMIS_KEY_EC, .bits = 384, .number_size = 48},
    [EC_521] = {.algorithm = THEMIS_KEY_EC, .bits = 521, .number_size = 66},
    [RSA_1024] = {.algorithm = THEMIS_KEY_RSA, .bits = 1024, .number_size = 128},
    [RSA_2048] = {.algorithm = THEMIS_KEY_RSA, .bits = 2048, .number_size = 256},
    [EC_256_OTHER] = {.algorithm = THEMIS_KEY_EC, .bits = 256, .number_size = 32},
};
static struct pair ephemeral[2]; /* of the planned client and server */

#define PRIVATE(kind) pairs[kind].private_key, pairs[kind].private_len
#define PUBLIC(kind) pairs[kind].public_key, pairs[kind].public_len

void stage_fail(const char *what)
{
    fprintf(stderr, "this must not fail here: %s\n", what);
    exit(2);
}

static void must(int status, const char *what)
{
    if (status != THEMIS_SUCCESS && status != THEMIS_SEND_OUTPUT_TO_PEER) {
        fprintf(stderr, "status %d: ", status);
        stage_fail(what);
    }
}

void stage_clear(void)
{
    themis_cell_free(stage.cell);
    themis_passphrase_free(stage.passphrase);
    themis_stretch_free(stage.stretch);
    themis_signer_free(stage.signer);
    themis_verifier_free(stage.verifier);
    themis_message_free(stage.message);
    themis_session_free(stage.client);
    themis_session_free(stage.server);
    themis_comparator_free(stage.alice);
    themis_comparator_free(stage.bob);
    themis_blob_free(stage.blob);
    memset(&stage, 0, sizeof stage);
}

/* Draws public random bytes until the generator is asked for more (and not for fresh bits alone):
 * how many there were. */
static long draw_until_asked(void)
{
    uint8_t byte;
    long drawn = 0;
    random_arm(0, false);
    do {
        must(soter_rand_public(&byte, 1), "to draw");
        drawn++;
    } while (random_disarm() == 1 && (random_arm(0, false), true));
    return drawn;
}

void operations_drain(void)
{
    static long ahead; /* so many are drawn ahead */
    uint8_t byte;
    draw_until_asked();
    if (ahead == 0) {
        ahead = draw_until_asked();
    }
    for (long i = 1; i < ahead; i++) {
        must(soter_rand_public(&byte, 1), "to draw");
    }
}

static void make_pair(struct pair *pair)
{
    const size_t private_len = themis_key_size(pair->algorithm, 1, pair->bits, 0);
    const size_t public_len = themis_key_size(pair->algorithm, 0, pair->bits, 0);
    must(themis_key_pair(pair->algorithm,
                         pair->bits,
                         0,
                         pair->private_key,
                         themis_key_size(pair->algorithm, 1, pair->bits, 0),
                         pair->public_key,
                         themis_key_size(pair->algorithm, 0, pair->bits, 0)),
         "a pair of keys");
    pair->private_len = private_len;
    pair->public_len = public_len;
}

/* The work for new cells is done once and kept, with all that it knows. */
static themis_stretch *work_to_seal;

static void make_work_to_seal(void)
{
    uint32_t left = 0;
    themis_passphrase *made = NULL;
    must(themis_passphrase_new(kept_passphrase, sizeof kept_passphrase - 1, ITERATIONS, &made),
         "to start");
    must(themis_stretch_to_seal(made, &work_to_seal), "to begin the work");
    must(themis_stretch_work(work_to_seal, UINT32_MAX, &left), "to work");
    themis_passphrase_free(made);
}

void operations_init(void)
{
    random_restart(1);
    must(themis_init(), "to start");
    for (int i = 0; i < KINDS; i++) {
        make_pair(&pairs[i]);
    }
    for (int i = 0; i < 2; i++) {
        ephemeral[i] = pairs[EC_256];
        make_pair(&ephemeral[i]);
    }
    make_work_to_seal();
}

/* ---- What is secret ---- */

static void add_aes(const uint8_t *key, int bits)
{
    static const uint8_t zero[16];
    uint8_t h[16];
    AES_KEY schedule;
    AES_set_encrypt_key(key, bits, &schedule);
    secrets_add("AES key schedule", (const uint8_t *)schedule.rd_key, 16 * (size_t)(bits / 32 + 7));
    AES_encrypt(zero, h, &schedule);
    secrets_add("GCM hash key", h, sizeof h);
}

static uint32_t rotated(uint32_t value, unsigned by)
{
    return value >> by | value << (32 - by);
}

/* The last words that SHA-256 makes of a block, from which one can reckon back to it: as they are,
 * and with the constants of their rounds, as some machines' code keeps them. */
static void add_schedule(const uint8_t block[64])
{
    static const uint32_t constants[16] = {0x19a4c116,
                                           0x1e376c08,
                                           0x2748774c,
                                           0x34b0bcb5,
                                           0x391c0cb3,
                                           0x4ed8aa4a,
                                           0x5b9cca4f,
                                           0x682e6ff3,
                                           0x748f82ee,
                                           0x78a5636f,
                                           0x84c87814,
                                           0x8cc70208,
                                           0x90befffa,
                                           0xa4506ceb,
                                           0xbef9a3f7,
                                           0xc67178f2};
    uint32_t w[64];
    for (size_t i = 0; i < 16; i++) {
        w[i] = soter_get_u32be(block + 4 * i);
    }
    for (size_t i = 16; i < 64; i++) {
        const uint32_t a = w[i - 15];
        const uint32_t b = w[i - 2];
        w[i] = w[i - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + w[i - 7] +
               (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
    }
    secrets_add("schedule of SHA-256", (const uint8_t *)(w + 48), 64);
    for (size_t i = 0; i < 16; i++) {
        w[48 + i] += constants[i];
    }
    secrets_add("schedule of SHA-256", (const uint8_t *)(w + 48), 64);
}

/* A key of HMAC-SHA256, with what is made of it. */
static void add_hmac(const char *name, const uint8_t *key, size_t len)
{
    uint8_t block[64] = {0};
    SHA256_CTX hash;
    if (len > sizeof block) {
        SHA256(key, len, block);
        secrets_add("hash of a long key", block, 32);
    } else {
        memcpy(block, key, len);
    }
    secrets_add(name, key, len);
    for (int pad = 0; pad < 2; pad++) {
        for (size_t i = 0; i < sizeof block; i++) {
            block[i] ^= pad == 0 ? 0x36 : 0x36 ^ 0x5c;
        }
        secrets_add("block of HMAC", block, sizeof block);
        add_schedule(block);
        SHA256_Init(&hash);
        SHA256_Update(&hash, block, sizeof block);
        secrets_add("state of HMAC", (const uint8_t *)hash.h, 32);
    }
}

static void derive(const uint8_t *key,
                   size_t len,
                   const uint8_t *contexts,
                   size_t contexts_len,
                   uint8_t out[32])
{
    must(themis_testing_kdf(key, len, LABEL, LABEL_SIZE, contexts, contexts_len, out, 32), "KDF");
}

/* Everything about a cell with this key and message size. */
static void add_cell(const char *name, const uint8_t *key, size_t len, size_t text_len, bool bound)
{
    uint8_t derived[32];
    uint8_t contexts[4 + 4 + 4 + sizeof context] = {4, 0, 0, 0, (uint8_t)text_len};
    size_t contexts_len = 8;
    add_hmac(name, key, len);
    if (bound) {
        contexts[8] = sizeof context - 1;
        memcpy(contexts + 12, context, sizeof context - 1);
        contexts_len = 12 + sizeof context - 1;
    } else {
        contexts_len = 12; /* an empty one counts as well */
    }
    derive(key, len, contexts, contexts_len, derived);
    secrets_add("derived key", derived, sizeof derived);
    add_aes(derived, 256);
    derive(key, len, contexts, 8, derived); /* Context Imprint */
    add_hmac("derived key", derived, sizeof derived);
    add_aes(derived, 256);
}

static void add_passphrase(const uint8_t *salt, size_t salt_len, int iterations)
{
    uint8_t pre_key[32];
    add_hmac("passphrase", PASSPHRASE);
    if (PKCS5_PBKDF2_HMAC((const char *)passphrase,
                          sizeof passphrase - 1,
                          salt,
                          (int)salt_len,
                          iterations,
                          EVP_sha256(),
                          sizeof pre_key,
                          pre_key) != 1) {
        stage_fail("PBKDF2");
    }
    add_cell("key from a passphrase", pre_key, sizeof pre_key, TEXT_SIZE, true);
}

static void add_private(const struct pair *pair)
{
    const uint8_t *payload = pair->private_key + 12;
    if (pair->algorithm == THEMIS_KEY_EC) {
        secrets_add("private scalar", payload + 1, pair->number_size);
        return;
    }
    secrets_add("RSA d", payload, pair->number_size);
    for (size_t i = 0; i < 5; i++) {
        static const char *const names[] = {"RSA p", "RSA q", "RSA dp", "RSA dq", "RSA 1/q"};
        const size_t half = pair->number_size / 2;
        secrets_add(names[i], payload + pair->number_size + i * half, half);
    }
}

static void agree(const struct pair *ours, const struct pair *theirs, uint8_t *out, size_t out_len)
{
    soter_key *private_key = NULL;
    soter_key *public_key = NULL;
    must(soter_key_read(ours->private_key, ours->private_len, &private_key), "our key");
    must(soter_key_read(theirs->public_key, theirs->public_len, &public_key), "their key");
    must(soter_ecdh(private_key, public_key, out, out_len), "ECDH");
    soter_key_free(private_key);
    soter_key_free(public_key);
}

/* ---- What operations share ---- */

static bool is_text(void)
{
    return memcmp(stage.out, text, TEXT_SIZE) == 0;
}

static void make_cell(void)
{
    must(themis_cell_new(SHORT_KEY, 0, &stage.cell), "a cell");
    add_cell("master key", SHORT_KEY, TEXT_SIZE, true);
    secrets_add("message", text, TEXT_SIZE);
}

/* ---- Cells ---- */

static void set_up_key(const struct operation *operation)
{
    if (operation->flag) {
        add_cell("master key", LONG_KEY, TEXT_SIZE, true);
    } else {
        add_cell("master key", SHORT_KEY, TEXT_SIZE, true);
    }
}

static int run_cell_new(const struct operation *operation)
{
    return operation->flag ? themis_cell_new(LONG_KEY, 0, &stage.cell)
                           : themis_cell_new(SHORT_KEY, 0, &stage.cell);
}

static bool has_cell(const struct operation *operation)
{
    (void)operation;
    return stage.cell != NULL;
}

static void set_up_text(const struct operation *operation)
{
    (void)operation;
    make_cell();
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_seal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE;
    return themis_cell_seal(stage.cell,
                            stage.in,
                            stage.in_len,
                            CONTEXT,
                            stage.out,
                            stage.in_len + THEMIS_CELL_TOKEN_SIZE);
}

static bool is_sealed(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return themis_cell_unseal(stage.cell,
                              stage.out,
                              TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE,
                              CONTEXT,
                              opened,
                              TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE - THEMIS_CELL_TOKEN_SIZE) ==
               THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

static void set_up_sealed(const struct operation *operation)
{
    (void)operation;
    make_cell();
    stage.in_len = TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE;
    must(themis_cell_seal(stage.cell,
                          text,
                          TEXT_SIZE,
                          CONTEXT,
                          stage.in,
                          TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE),
         "to seal");
}

static int run_unseal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_cell_unseal(stage.cell,
                              stage.in,
                              stage.in_len,
                              CONTEXT,
                              stage.out,
                              stage.in_len - THEMIS_CELL_TOKEN_SIZE);
}

static bool is_opened(const struct operation *operation)
{
    (void)operation;
    return is_text();
}

static int run_protect(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    stage.out2_len = THEMIS_CELL_TOKEN_SIZE;
    return themis_cell_protect(stage.cell,
                               stage.in,
                               stage.in_len,
                               CONTEXT,
                               stage.out,
                               stage.in_len,
                               stage.out2);
}

static bool is_protected(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return themis_cell_unprotect(stage.cell,
                                 stage.out,
                                 TEXT_SIZE,
                                 stage.out2,
                                 CONTEXT,
                                 opened,
                                 TEXT_SIZE) == THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

static int run_unprotect(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_cell_unprotect(stage.cell,
                                 stage.in + THEMIS_CELL_TOKEN_SIZE,
                                 TEXT_SIZE,
                                 stage.in,
                                 CONTEXT,
                                 stage.out,
                                 TEXT_SIZE);
}

/* Another context; the reader also tries how Themis 0.9.6 wrote. */
static void set_up_forged(const struct operation *operation)
{
    (void)operation;
    must(themis_cell_new(SHORT_KEY, 1, &stage.cell), "a cell");
    add_cell("master key", SHORT_KEY, TEXT_SIZE, true);
    stage.in_len = TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE;
    must(themis_cell_seal(stage.cell,
                          text,
                          TEXT_SIZE,
                          CONTEXT,
                          stage.in,
                          TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE),
         "to seal");
    stage.in[stage.in_len - 1] ^= 1;
    secrets_add("message", text, TEXT_SIZE);
}

/* As Themis 0.9.6 wrote: the key is derived from a length of eight bytes. */
static void set_up_old_cell(const struct operation *operation)
{
    uint8_t contexts[4 + 8 + 4 + sizeof context - 1] = {8, 0, 0, 0, TEXT_SIZE};
    uint8_t derived[32];
    const struct soter_aead_key key = {derived, sizeof derived, true};
    soter_aead *aead = NULL;
    set_up_forged(operation);
    contexts[12] = sizeof context - 1;
    memcpy(contexts + 16, context, sizeof context - 1);
    derive(SHORT_KEY, contexts, sizeof contexts, derived);
    secrets_add("derived key", derived, sizeof derived);
    add_aes(derived, 256);
    must(soter_aead_new(&aead), "a cipher");
    must(soter_aead_start(aead, &key, stage.in + 16, CONTEXT), "to start");
    must(
        soter_aead_encrypt(aead, text, TEXT_SIZE, stage.in + THEMIS_CELL_TOKEN_SIZE, stage.in + 28),
        "to encrypt");
    soter_aead_free(aead);
}

/* SUCCESS is to be refused. */
static int run_forged(const struct operation *operation)
{
    const int status = run_unseal(operation);
    return status == THEMIS_FAIL ? THEMIS_SUCCESS : status;
}

static bool is_refused(const struct operation *operation)
{
    (void)operation;
    return memcmp(stage.out, text, 8) != 0 && stage.out[0] == 0 &&
           memcmp(stage.out, stage.out + 1, TEXT_SIZE - 1) == 0;
}

static void set_up_imprint(const struct operation *operation)
{
    make_cell();
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
    if (operation->flag) {
        must(themis_cell_imprint(stage.cell, text, TEXT_SIZE, CONTEXT, stage.in, TEXT_SIZE),
             "to imprint");
    }
}

static int run_imprint(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_cell_imprint(stage.cell,
                               stage.in,
                               stage.in_len,
                               CONTEXT,
                               stage.out,
                               stage.in_len);
}

static bool is_imprinted(const struct operation *operation)
{
    uint8_t other[TEXT_SIZE];
    if (operation->flag) {
        return is_text();
    }
    return themis_cell_imprint(stage.cell, stage.out, TEXT_SIZE, CONTEXT, other, TEXT_SIZE) ==
               THEMIS_SUCCESS &&
           memcmp(other, text, TEXT_SIZE) == 0;
}

/* ---- Lists of cells ---- */

enum { MANY = 3, SEALED_SIZE = THEMIS_CELL_TOKEN_SIZE + TEXT_SIZE };

static size_t growth_of_many(const struct operation *operation)
{
    return operation->kind == THEMIS_CELL_IMPRINT ? 0 : THEMIS_CELL_TOKEN_SIZE;
}

/* operation->kind: which of the operations. All items are alike. */
static void set_up_many(const struct operation *operation)
{
    const size_t growth = growth_of_many(operation);
    make_cell();
    stage.in_len = MANY * (growth + TEXT_SIZE);
    for (size_t i = 0; i < MANY; i++) {
        uint8_t *item = stage.in + i * (growth + TEXT_SIZE);
        if (operation->kind == THEMIS_CELL_UNSEAL) {
            must(themis_cell_seal(stage.cell,
                                  text,
                                  TEXT_SIZE,
                                  CONTEXT,
                                  item,
                                  TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE),
                 "to seal");
        } else {
            memcpy(item + growth, text, TEXT_SIZE);
        }
    }
}

static int run_many(const struct operation *operation)
{
    uint8_t contexts[MANY * (sizeof context - 1)];
    size_t sizes[2 * MANY];
    size_t failed = 0;
    int status;
    for (size_t i = 0; i < MANY; i++) {
        memcpy(contexts + i * (sizeof context - 1), context, sizeof context - 1);
        sizes[i] = TEXT_SIZE;
        sizes[MANY + i] = sizeof context - 1;
    }
    memcpy(stage.out, stage.in, stage.out_len = stage.in_len);
    status = themis_cell_many(stage.cell,
                              operation->kind,
                              stage.out,
                              stage.out_len,
                              contexts,
                              sizeof contexts,
                              sizes,
                              MANY,
                              &failed);
    if (failed > MANY || (status == THEMIS_SUCCESS) != (failed == MANY)) {
        stage_fail("to tell which item failed");
    }
    return status;
}

static bool are_many_right(const struct operation *operation)
{
    const size_t growth = growth_of_many(operation);
    bool right = true;
    for (size_t i = 0; i < MANY; i++) {
        const uint8_t *item = stage.out + i * (growth + TEXT_SIZE);
        uint8_t opened[TEXT_SIZE] = {0};
        if (operation->kind == THEMIS_CELL_SEAL) {
            themis_cell_unseal(stage.cell,
                               item,
                               SEALED_SIZE,
                               CONTEXT,
                               opened,
                               SEALED_SIZE - THEMIS_CELL_TOKEN_SIZE);
        } else if (operation->kind == THEMIS_CELL_IMPRINT) {
            themis_cell_imprint(stage.cell, item, TEXT_SIZE, CONTEXT, opened, TEXT_SIZE);
        } else {
            memcpy(opened, item + growth, TEXT_SIZE);
        }
        right = right && memcmp(opened, text, TEXT_SIZE) == 0;
    }
    return right;
}

/* ---- Cells with a passphrase ---- */

static void set_up_passphrase(const struct operation *operation)
{
    (void)operation;
    add_hmac("passphrase", PASSPHRASE);
}

static int run_passphrase_new(const struct operation *operation)
{
    (void)operation;
    return themis_passphrase_new(PASSPHRASE, ITERATIONS, &stage.passphrase);
}

static bool has_passphrase(const struct operation *operation)
{
    (void)operation;
    return stage.passphrase != NULL;
}

static void set_up_passphrase_text(const struct operation *operation)
{
    must(run_passphrase_new(operation), "a passphrase");
    add_hmac("passphrase", PASSPHRASE);
    secrets_add("message", text, TEXT_SIZE);
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_passphrase_seal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE + THEMIS_PASSPHRASE_TOKEN_SIZE;
    return themis_passphrase_seal(stage.passphrase,
                                  stage.in,
                                  stage.in_len,
                                  CONTEXT,
                                  stage.out,
                                  stage.in_len + THEMIS_PASSPHRASE_TOKEN_SIZE);
}

static bool is_passphrase_sealed(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return themis_passphrase_unseal(stage.passphrase,
                                    stage.out,
                                    TEXT_SIZE + THEMIS_PASSPHRASE_TOKEN_SIZE,
                                    CONTEXT,
                                    opened,
                                    TEXT_SIZE) == THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

/* A passphrase cell that few iterations open: Token Protect under the key that PBKDF2 makes has
 * the same cipher, so its parts are put where they belong. */
static void set_up_passphrase_sealed(const struct operation *operation)
{
    static const uint8_t salt[16] = "sixteen of salt";
    const int iterations = 3;
    uint8_t token[THEMIS_CELL_TOKEN_SIZE];
    uint8_t pre_key[32];
    uint8_t *at = stage.in;
    set_up_passphrase_text(operation);
    add_passphrase(salt, sizeof salt, iterations);
    if (PKCS5_PBKDF2_HMAC((const char *)passphrase,
                          sizeof passphrase - 1,
                          salt,
                          sizeof salt,
                          iterations,
                          EVP_sha256(),
                          sizeof pre_key,
                          pre_key) != 1) {
        stage_fail("PBKDF2");
    }
    must(themis_cell_new(pre_key, sizeof pre_key, 0, &stage.cell), "a cell");
    must(themis_cell_protect(stage.cell,
                             text,
                             TEXT_SIZE,
                             CONTEXT,
                             stage.in + THEMIS_PASSPHRASE_TOKEN_SIZE,
                             TEXT_SIZE,
                             token),
         "to protect");
    themis_cell_free(stage.cell);
    stage.cell = NULL;
    memcpy(at, token, 16);
    at[3] = 0x41; /* the kind of key: a passphrase */
    soter_put_u32le(at + 16, 22);
    memcpy(at + 20, token + 16, 28);
    soter_put_u32le(at + 48, (uint32_t)iterations);
    at[52] = sizeof salt;
    at[53] = 0;
    memcpy(at + 54, salt, sizeof salt);
    stage.in_len = THEMIS_PASSPHRASE_TOKEN_SIZE + TEXT_SIZE;
}

static int run_passphrase_unseal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_passphrase_unseal(stage.passphrase,
                                    stage.in,
                                    stage.in_len,
                                    CONTEXT,
                                    stage.out,
                                    TEXT_SIZE);
}

static int run_stretch_new(const struct operation *operation)
{
    (void)operation;
    return themis_stretch_to_unseal(stage.passphrase, stage.in, stage.in_len, &stage.stretch);
}

static void set_up_stretch(const struct operation *operation)
{
    set_up_passphrase_sealed(operation);
    must(run_stretch_new(operation), "to begin the work");
}

static int run_stretch_work(const struct operation *operation)
{
    uint32_t left = 1;
    (void)operation;
    while (left != 0) {
        const int status = themis_stretch_work(stage.stretch, 1, &left);
        if (status != THEMIS_SUCCESS) {
            return status;
        }
    }
    return THEMIS_SUCCESS;
}

static void set_up_stretched(const struct operation *operation)
{
    set_up_stretch(operation);
    must(run_stretch_work(operation), "to work");
}

static int run_stretched_unseal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_stretched_unseal(stage.passphrase,
                                   stage.stretch,
                                   stage.in,
                                   stage.in_len,
                                   CONTEXT,
                                   stage.out,
                                   TEXT_SIZE);
}

static bool is_stretch_right(const struct operation *operation)
{
    return stage.stretch != NULL && run_stretch_work(operation) == THEMIS_SUCCESS &&
           run_stretched_unseal(operation) == THEMIS_SUCCESS && is_text();
}

static void set_up_to_seal(const struct operation *operation)
{
    (void)operation;
    secrets_add("message", text, TEXT_SIZE);
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_stretched_seal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE + THEMIS_PASSPHRASE_TOKEN_SIZE;
    return themis_stretched_seal(work_to_seal,
                                 stage.in,
                                 stage.in_len,
                                 CONTEXT,
                                 stage.out,
                                 stage.in_len + THEMIS_PASSPHRASE_TOKEN_SIZE);
}

/* Token Protect under the same key has the same cipher. */
static bool is_stretched_sealed(const struct operation *operation)
{
    static uint8_t pre_key[32];
    static bool is_known;
    const uint8_t *salt = stage.out + 54;
    const int iterations = (int)soter_get_u32le(stage.out + 48);
    uint8_t token[THEMIS_CELL_TOKEN_SIZE];
    uint8_t opened[TEXT_SIZE] = {0};
    themis_cell *cell = NULL;
    (void)operation;
    if (!is_known && PKCS5_PBKDF2_HMAC((const char *)kept_passphrase,
                                       sizeof kept_passphrase - 1,
                                       salt,
                                       16,
                                       iterations,
                                       EVP_sha256(),
                                       sizeof pre_key,
                                       pre_key) != 1) {
        stage_fail("PBKDF2");
    }
    is_known = true;
    memcpy(token, stage.out, 16);
    token[3] = 0x40; /* the kind of key: not a passphrase */
    memcpy(token + 16, stage.out + 20, sizeof token - 16);
    must(themis_cell_new(pre_key, sizeof pre_key, 0, &cell), "a cell");
    themis_cell_unprotect(cell,
                          stage.out + THEMIS_PASSPHRASE_TOKEN_SIZE,
                          TEXT_SIZE,
                          token,
                          CONTEXT,
                          opened,
                          TEXT_SIZE);
    themis_cell_free(cell);
    return memcmp(opened, text, TEXT_SIZE) == 0;
}

/* ---- Keys ---- */

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

static void set_up_private(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    memcpy(stage.in, pair->private_key, stage.in_len = pair->private_len);
    add_private(pair);
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

/* ---- Signed messages ---- */

static int run_signer_new(const struct operation *operation)
{
    return themis_signer_new(PRIVATE(operation->kind), &stage.signer);
}

static bool has_signer(const struct operation *operation)
{
    (void)operation;
    return stage.signer != NULL;
}

static void set_up_signer(const struct operation *operation)
{
    add_private(&pairs[operation->kind]);
    must(run_signer_new(operation), "a signer");
    must(themis_verifier_new(PUBLIC(operation->kind), &stage.verifier), "a verifier");
}

static int run_sign(const struct operation *operation)
{
    int status;
    (void)operation;
    memcpy(stage.out + THEMIS_SIGNED_HEADER_SIZE, text, TEXT_SIZE);
    stage.out_len = themis_signer_signature_max(stage.signer);
    status = themis_signer_sign(stage.signer,
                                text,
                                TEXT_SIZE,
                                stage.out,
                                stage.out + THEMIS_SIGNED_HEADER_SIZE + TEXT_SIZE,
                                &stage.out_len);
    stage.out_len += THEMIS_SIGNED_HEADER_SIZE + TEXT_SIZE;
    return status;
}

/* OpenSSL draws new blinding for a private key of RSA when it is used for the 33rd time. */
#define BLINDING_LASTS 32

static void set_up_used_signer(const struct operation *operation)
{
    set_up_signer(operation);
    for (int i = 0; i < BLINDING_LASTS; i++) {
        must(run_sign(operation), "to sign");
    }
}

static bool is_signed(const struct operation *operation)
{
    size_t len = 0;
    (void)operation;
    return themis_verifier_verify(stage.verifier, stage.out, stage.out_len, &len) ==
               THEMIS_SUCCESS &&
           len == TEXT_SIZE;
}

static int run_verifier_new(const struct operation *operation)
{
    return themis_verifier_new(PUBLIC(operation->kind), &stage.verifier);
}

static bool has_verifier(const struct operation *operation)
{
    (void)operation;
    return stage.verifier != NULL;
}

/* A right signature, or a wrong one. */
static void set_up_signature(const struct operation *operation)
{
    set_up_signer(operation);
    must(run_sign(operation), "to sign");
    memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
    stage.in[THEMIS_SIGNED_HEADER_SIZE] ^= (uint8_t)operation->flag;
}

static int run_verify(const struct operation *operation)
{
    const int status =
        themis_verifier_verify(stage.verifier, stage.in, stage.in_len, &stage.out_len);
    if (operation->flag == 0) {
        return status;
    }
    if (status == THEMIS_SUCCESS) {
        stage_fail("to refuse a forged signature");
    }
    return status == THEMIS_INVALID_SIGNATURE ? THEMIS_SUCCESS : status;
}

/* ---- Encrypted messages ---- */

static int other(int kind)
{
    return kind == EC_256 ? EC_256_OTHER : kind;
}

/* The secret that the last message of RSA was sealed with. */
static void add_message_secrets(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    uint8_t agreed[66];
    add_private(pair);
    add_private(&pairs[other(operation->kind)]);
    secrets_add("message", text, TEXT_SIZE);
    if (pair->algorithm == THEMIS_KEY_EC) {
        agree(pair, &pairs[other(operation->kind)], agreed, pair->number_size);
        add_cell("agreed secret", agreed, pair->number_size, TEXT_SIZE, false);
    }
    for (size_t i = 0; i < random_gifts(); i++) {
        const struct random_gift *gift = random_gift(i);
        if (gift->to_core) {
            add_cell("secret of a message", gift->bytes, gift->len, TEXT_SIZE, false);
        }
    }
}

static void set_up_pair(const struct operation *operation)
{
    add_message_secrets(operation);
}

static int run_message_new(const struct operation *operation)
{
    return themis_message_new(PRIVATE(operation->kind),
                              PUBLIC(other(operation->kind)),
                              &stage.message);
}

static bool has_message(const struct operation *operation)
{
    (void)operation;
    return stage.message != NULL;
}

static void set_up_message(const struct operation *operation)
{
    must(run_message_new(operation), "a message");
    add_message_secrets(operation);
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_wrap(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE + themis_message_wrap_growth(stage.message);
    return themis_message_wrap(stage.message,
                               stage.in,
                               stage.in_len,
                               stage.out,
                               stage.in_len + themis_message_wrap_growth(stage.message));
}

static bool is_wrapped(const struct operation *operation)
{
    themis_message *peer = NULL;
    uint8_t opened[TEXT_SIZE] = {0};
    must(themis_message_new(PRIVATE(other(operation->kind)), PUBLIC(operation->kind), &peer),
         "the peer");
    must(themis_message_unwrap(peer,
                               stage.out,
                               stage.out_len,
                               opened,
                               stage.out_len - themis_message_unwrap_growth(peer)),
         "what was wrapped");
    themis_message_free(peer);
    return memcmp(opened, text, TEXT_SIZE) == 0;
}

static void set_up_wrapped(const struct operation *operation)
{
    must(themis_message_new(PRIVATE(other(operation->kind)),
                            PUBLIC(operation->kind),
                            &stage.message),
         "the peer");
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
    must(run_wrap(operation), "to wrap");
    memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
    themis_message_free(stage.message);
    stage.message = NULL;
    must(run_message_new(operation), "a message");
    add_message_secrets(operation);
}

static int run_unwrap(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_message_unwrap(stage.message,
                                 stage.in,
                                 stage.in_len,
                                 stage.out,
                                 stage.in_len - themis_message_unwrap_growth(stage.message));
}

static void set_up_used_message(const struct operation *operation)
{
    set_up_wrapped(operation);
    for (int i = 0; i < BLINDING_LASTS; i++) {
        must(run_unwrap(operation), "to unwrap");
    }
}

/* ---- Sessions ---- */

#define CLIENT_ID client_id, sizeof client_id - 1
#define SERVER_ID server_id, sizeof server_id - 1
enum { CLIENT_KIND = EC_256, SERVER_KIND = EC_256_OTHER };

static void add_session_secrets(void)
{
    uint8_t secrets[THEMIS_TESTING_SESSION_SECRETS_SIZE];
    uint8_t shared[32];
    add_private(&pairs[CLIENT_KIND]);
    add_private(&pairs[SERVER_KIND]);
    add_private(&ephemeral[0]);
    add_private(&ephemeral[1]);
    agree(&ephemeral[0], &ephemeral[1], shared, sizeof shared);
    add_hmac("agreed secret", shared, sizeof shared);
    must(themis_testing_session_secrets(ephemeral[0].private_key,
                                        ephemeral[0].private_len,
                                        1,
                                        ephemeral[1].public_key,
                                        ephemeral[1].public_len,
                                        CLIENT_ID,
                                        SERVER_ID,
                                        secrets),
         "secrets");
    add_hmac("master key of a session", secrets + 4, 32);
    for (int i = 0; i < 2; i++) {
        secrets_add("key of a session", secrets + 36 + 32 * i, 32);
        add_aes(secrets + 36 + 32 * i, 256);
    }
    secrets_add("message", text, TEXT_SIZE);
}

static int run_session_new(const struct operation *operation)
{
    (void)operation;
    return themis_session_new(CLIENT_ID, PRIVATE(CLIENT_KIND), 0, &stage.client);
}

static bool has_session(const struct operation *operation)
{
    (void)operation;
    return stage.client != NULL;
}

static int negotiate(themis_session *session, int kind)
{
    size_t len = sizeof stage.out;
    const int status =
        themis_session_negotiate(session, stage.in, stage.in_len, PUBLIC(kind), stage.out, &len);
    stage.out_len = len;
    return status;
}

/* Takes negotiation message `number`; 0 makes the first. */
static int step(int number)
{
    size_t len = sizeof stage.out;
    int status;
    switch (number) {
    case 0:
        status = themis_session_connect_request(stage.client, stage.out, &len);
        stage.out_len = len;
        return status;
    case 1:
    case 3:
        return negotiate(stage.server, CLIENT_KIND);
    default:
        return negotiate(stage.client, SERVER_KIND);
    }
}

/* operation->kind: which message is due; operation->flag: with planned ephemeral keys. */
static void set_up_negotiation(const struct operation *operation)
{
    must(run_session_new(operation), "a client");
    must(themis_session_new(SERVER_ID, PRIVATE(SERVER_KIND), 0, &stage.server), "a server");
    if (operation->flag) {
        must(themis_testing_session_ephemeral(stage.client,
                                              ephemeral[0].private_key,
                                              ephemeral[0].private_len),
             "a plan");
        must(themis_testing_session_ephemeral(stage.server,
                                              ephemeral[1].private_key,
                                              ephemeral[1].private_len),
             "a plan");
    }
    add_session_secrets();
    for (int number = 0; number < operation->kind; number++) {
        must(step(number), "to negotiate");
        memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
    }
}

static int run_step(const struct operation *operation)
{
    static const int before_client[] = {THEMIS_SESSION_IDLE,
                                        THEMIS_SESSION_WAITING_FOR_2,
                                        THEMIS_SESSION_WAITING_FOR_2,
                                        THEMIS_SESSION_WAITING_FOR_4,
                                        THEMIS_SESSION_WAITING_FOR_4};
    static const int before_server[] = {THEMIS_SESSION_IDLE,
                                        THEMIS_SESSION_IDLE,
                                        THEMIS_SESSION_WAITING_FOR_3,
                                        THEMIS_SESSION_WAITING_FOR_3,
                                        THEMIS_SESSION_ESTABLISHED};
    const int status = step(operation->kind);
    if (status == THEMIS_SEND_OUTPUT_TO_PEER) {
        return THEMIS_SUCCESS;
    }
    if (status != THEMIS_SUCCESS &&
        (stage.out_len != 0 ||
         themis_session_state(stage.client) != before_client[operation->kind] ||
         themis_session_state(stage.server) != before_server[operation->kind])) {
        stage_fail("to leave a session as it was");
    }
    return status;
}

/* Whether the two come to an end together, and understand each other. */
static bool is_negotiated(const struct operation *operation)
{
    uint8_t wrapped[TEXT_SIZE + THEMIS_SESSION_OVERHEAD];
    uint8_t opened[TEXT_SIZE];
    for (int number = operation->kind + 1; number <= 4; number++) {
        memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
        must(step(number), "to go on negotiating");
    }
    return themis_session_state(stage.client) == THEMIS_SESSION_ESTABLISHED &&
           themis_session_state(stage.server) == THEMIS_SESSION_ESTABLISHED &&
           themis_session_wrap(stage.client,
                               0,
                               text,
                               TEXT_SIZE,
                               wrapped,
                               TEXT_SIZE + THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS &&
           themis_session_unwrap(stage.server,
                                 0,
                                 wrapped,
                                 sizeof wrapped,
                                 opened,
                                 sizeof wrapped - THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0 &&
           themis_session_wrap(stage.server,
                               0,
                               text,
                               TEXT_SIZE,
                               wrapped,
                               TEXT_SIZE + THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS &&
           themis_session_unwrap(stage.client,
                                 0,
                                 wrapped,
                                 sizeof wrapped,
                                 opened,
                                 sizeof wrapped - THEMIS_SESSION_OVERHEAD) == THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

/* The first message stands where it was read. */
static int run_claimed_peer(const struct operation *operation)
{
    size_t offset = 0;
    size_t len = 0;
    const int status = themis_session_claimed_peer(stage.in, stage.in_len, &offset, &len);
    (void)operation;
    if (status == THEMIS_SUCCESS) {
        memcpy(stage.out, stage.in + offset, stage.out_len = len);
    }
    return status;
}

static bool is_client(const struct operation *operation)
{
    (void)operation;
    return stage.out_len == sizeof client_id - 1 &&
           memcmp(stage.out, client_id, sizeof client_id - 1) == 0;
}

static const struct operation established = {.kind = 5, .flag = 1};

static void set_up_session_text(const struct operation *operation)
{
    (void)operation;
    set_up_negotiation(&established);
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_session_wrap(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE + THEMIS_SESSION_OVERHEAD;
    return themis_session_wrap(stage.client,
                               0,
                               stage.in,
                               stage.in_len,
                               stage.out,
                               stage.in_len + THEMIS_SESSION_OVERHEAD);
}

static bool is_session_wrapped(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return themis_session_unwrap(stage.server,
                                 0,
                                 stage.out,
                                 TEXT_SIZE + THEMIS_SESSION_OVERHEAD,
                                 opened,
                                 TEXT_SIZE + THEMIS_SESSION_OVERHEAD - THEMIS_SESSION_OVERHEAD) ==
               THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

static void set_up_session_wrapped(const struct operation *operation)
{
    set_up_session_text(operation);
    stage.in_len = TEXT_SIZE + THEMIS_SESSION_OVERHEAD;
    must(themis_session_wrap(stage.client,
                             0,
                             text,
                             TEXT_SIZE,
                             stage.in,
                             TEXT_SIZE + THEMIS_SESSION_OVERHEAD),
         "to wrap");
}

static int run_session_unwrap(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_session_unwrap(stage.server,
                                 0,
                                 stage.in,
                                 stage.in_len,
                                 stage.out,
                                 stage.in_len - THEMIS_SESSION_OVERHEAD);
}

/* Dead: it says so to whatever one asks of it. */
static bool is_session_dead(const struct operation *operation)
{
    uint8_t out[TEXT_SIZE + THEMIS_SESSION_OVERHEAD];
    themis_session *session = operation->run == run_session_wrap ? stage.client : stage.server;
    size_t len;
    return themis_session_state(session) == THEMIS_SESSION_FAILED &&
           themis_session_wrap(session,
                               0,
                               text,
                               TEXT_SIZE,
                               out,
                               TEXT_SIZE + THEMIS_SESSION_OVERHEAD) == THEMIS_ENGINE_FAIL &&
           themis_session_remote_id(session, &len) == NULL;
}

/* ---- Comparisons ---- */

static const uint8_t compared[] = "what Alice and Bob want to compare";
#define COMPARED compared, sizeof compared - 1

static int run_comparator_new(const struct operation *operation)
{
    (void)operation;
    return themis_comparator_new(&stage.alice);
}

static bool has_comparator(const struct operation *operation)
{
    (void)operation;
    return stage.alice != NULL;
}

static void add_compared(const uint8_t *secret, size_t len)
{
    uint8_t digest[32];
    secrets_add("secret to compare", secret, len);
    SHA256(secret, len, digest);
    secrets_add("hash of the secret to compare", digest, sizeof digest);
    digest[0] &= 248;
    digest[31] = (uint8_t)((digest[31] & 63) | 64);
    secrets_add("hash of the secret to compare", digest, sizeof digest);
}

static int comparison_step(int number)
{
    themis_comparator *side = number % 2 != 0 ? stage.alice : stage.bob;
    if (number == 1) {
        stage.out_len = THEMIS_COMPARATOR_FIRST_SIZE;
        return themis_comparator_begin(side, stage.out);
    }
    stage.out_len = themis_comparator_reply_size(side);
    return themis_comparator_proceed(side, stage.in, stage.in_len, stage.out, stage.out_len);
}

/* operation->kind: the step that is due, from 1; operation->flag: with another secret. */
static void set_up_comparison(const struct operation *operation)
{
    must(themis_comparator_new(&stage.alice), "Alice");
    must(themis_comparator_new(&stage.bob), "Bob");
    add_compared(COMPARED);
    if (operation->kind == 0) {
        return;
    }
    must(themis_comparator_append(stage.alice, COMPARED), "a secret");
    must(
        themis_comparator_append(stage.bob, compared, sizeof compared - 1 - (operation->flag != 0)),
        "a secret");
    for (int number = 1; number < operation->kind; number++) {
        must(comparison_step(number), "to compare");
        memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
    }
}

static int run_append(const struct operation *operation)
{
    (void)operation;
    return themis_comparator_append(stage.alice, COMPARED);
}

static int run_comparison(const struct operation *operation)
{
    return comparison_step(operation->kind);
}

static bool is_compared(const struct operation *operation)
{
    for (int number = operation->kind + 1; number <= 5; number++) {
        memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
        if (comparison_step(number) != THEMIS_SUCCESS) {
            return false;
        }
    }
    return themis_comparator_result(stage.alice) ==
               (operation->flag ? THEMIS_COMPARATOR_NO_MATCH : THEMIS_COMPARATOR_MATCH) &&
           themis_comparator_result(stage.bob) == themis_comparator_result(stage.alice);
}

/* Where libsodium is made to fail that never does, points come out wrong: then nothing matches. */
static bool is_no_match(const struct operation *operation)
{
    for (int number = operation->kind + 1; number <= 5; number++) {
        memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
        if (comparison_step(number) != THEMIS_SUCCESS) {
            break;
        }
    }
    return themis_comparator_result(stage.alice) != THEMIS_COMPARATOR_MATCH ||
           themis_comparator_result(stage.bob) != THEMIS_COMPARATOR_MATCH;
}

static bool is_compared_or_not(const struct operation *operation)
{
    return stage.success_is_partial ? is_no_match(operation) : is_compared(operation);
}

static bool is_comparison_dead(const struct operation *operation)
{
    themis_comparator *side = operation->kind % 2 != 0 ? stage.alice : stage.bob;
    uint8_t message[THEMIS_COMPARATOR_FIRST_SIZE];
    return themis_comparator_result(side) == THEMIS_COMPARATOR_NO_MATCH &&
           themis_comparator_expected_size(side) == 0 &&
           themis_comparator_begin(side, message) == THEMIS_INVALID_PARAMETER &&
           themis_comparator_append(side, COMPARED) == THEMIS_INVALID_PARAMETER;
}

/* ---- Primitives ---- */

static int run_kdf(const struct operation *operation)
{
    stage.out_len = 32;
    return operation->flag
               ? themis_testing_kdf(NULL, 0, LABEL, LABEL_SIZE, NULL, 0, stage.out, 32)
               : themis_testing_kdf(SHORT_KEY, LABEL, LABEL_SIZE, NULL, 0, stage.out, 32);
}

static bool is_derived(const struct operation *operation)
{
    uint8_t made[32];
    memcpy(made, stage.out, sizeof made);
    return run_kdf(operation) == THEMIS_SUCCESS && memcmp(made, stage.out, sizeof made) == 0;
}

#define OF_KIND(title, number)                                                                     \
    {.name = title " public of private",                                                           \
     .set_up = set_up_private,                                                                     \
     .run = run_key_public,                                                                        \
     .is_right = is_public,                                                                        \
     .kind = (number)},                                                                            \
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
        {.name = title " import old form",                                                         \
         .set_up = set_up_import,                                                                  \
         .run = run_import,                                                                        \
         .is_right = is_imported,                                                                  \
         .kind = (number),                                                                         \
         .flag = PEM | OLD,                                                                        \
         .makes = true},                                                                           \
        {.name = title " signer_new",                                                              \
         .set_up = set_up_private,                                                                 \
         .run = run_signer_new,                                                                    \
         .is_right = has_signer,                                                                   \
         .kind = (number),                                                                         \
         .makes = true},                                                                           \
        {.name = title " sign",                                                                    \
         .set_up = set_up_signer,                                                                  \
         .run = run_sign,                                                                          \
         .is_right = is_signed,                                                                    \
         .kind = (number)},                                                                        \
        {.name = title " verifier_new",                                                            \
         .run = run_verifier_new,                                                                  \
         .is_right = has_verifier,                                                                 \
         .kind = (number),                                                                         \
         .makes = true},                                                                           \
        {.name = title " verify",                                                                  \
         .set_up = set_up_signature,                                                               \
         .run = run_verify,                                                                        \
         .kind = (number)},                                                                        \
        {.name = title " verify a forgery",                                                        \
         .set_up = set_up_signature,                                                               \
         .run = run_verify,                                                                        \
         .kind = (number),                                                                         \
         .flag = 1},                                                                               \
        {.name = title " message_new",                                                             \
         .set_up = set_up_pair,                                                                    \
         .run = run_message_new,                                                                   \
         .is_right = has_message,                                                                  \
         .kind = (number),                                                                         \
         .makes = true},                                                                           \
        {.name = title " wrap",                                                                    \
         .set_up = set_up_message,                                                                 \
         .run = run_wrap,                                                                          \
         .is_right = is_wrapped,                                                                   \
         .kind = (number)},                                                                        \
    {                                                                                              \
        .name = title " unwrap", .set_up = set_up_wrapped, .run = run_unwrap,                      \
        .is_right = is_opened, .kind = (number)                                                    \
    }

/* The private key of a signer or a message that has been used so often that it draws blinding. */
#define OF_RSA_AGAIN(title, number)                                                                \
    {.name = title " sign again",                                                                  \
     .set_up = set_up_used_signer,                                                                 \
     .run = run_sign,                                                                              \
     .is_right = is_signed,                                                                        \
     .kind = (number)},                                                                            \
    {                                                                                              \
        .name = title " unwrap again", .set_up = set_up_used_message, .run = run_unwrap,           \
        .is_right = is_opened, .kind = (number)                                                    \
    }

#define KEY_PAIR(title, number, is_slow)                                                           \
    {.name = title " key pair",                                                                    \
     .run = run_key_pair,                                                                          \
     .is_right = is_pair,                                                                          \
     .kind = (number),                                                                             \
     .slow = (is_slow)}

#define NEGOTIATION(title, number, planned)                                                        \
    {.name = title,                                                                                \
     .set_up = set_up_negotiation,                                                                 \
     .run = run_step,                                                                              \
     .is_right = is_negotiated,                                                                    \
     .kind = (number),                                                                             \
     .flag = (planned)}

#define COMPARISON(title, number, differs)                                                         \
    {.name = title,                                                                                \
     .set_up = set_up_comparison,                                                                  \
     .run = run_comparison,                                                                        \
     .is_right = is_compared_or_not,                                                               \
     .is_dead = is_comparison_dead,                                                                \
     .kind = (number),                                                                             \
     .flag = (differs)}

const struct operation operations[] = {
    {.name = "kdf", .set_up = set_up_key, .run = run_kdf, .is_right = is_derived},
    {.name = "keyless kdf", .run = run_kdf, .is_right = is_derived, .flag = 1},
    {.name = "cell_new",
     .set_up = set_up_key,
     .run = run_cell_new,
     .is_right = has_cell,
     .makes = true},
    {.name = "cell_new long",
     .set_up = set_up_key,
     .run = run_cell_new,
     .is_right = has_cell,
     .flag = 1,
     .makes = true},
    {.name = "seal", .set_up = set_up_text, .run = run_seal, .is_right = is_sealed},
    {.name = "unseal", .set_up = set_up_sealed, .run = run_unseal, .is_right = is_opened},
    {.name = "unseal a forgery",
     .set_up = set_up_forged,
     .run = run_forged,
     .is_right = is_refused},
    {.name = "protect", .set_up = set_up_text, .run = run_protect, .is_right = is_protected},
    {.name = "unprotect", .set_up = set_up_sealed, .run = run_unprotect, .is_right = is_opened},
    {.name = "imprint", .set_up = set_up_imprint, .run = run_imprint, .is_right = is_imprinted},
    {.name = "imprint back",
     .set_up = set_up_imprint,
     .run = run_imprint,
     .is_right = is_imprinted,
     .flag = 1},
    {.name = "unseal a cell of 0.9.6",
     .set_up = set_up_old_cell,
     .run = run_unseal,
     .is_right = is_opened},
    {.name = "seal many",
     .set_up = set_up_many,
     .run = run_many,
     .is_right = are_many_right,
     .kind = THEMIS_CELL_SEAL},
    {.name = "unseal many",
     .set_up = set_up_many,
     .run = run_many,
     .is_right = are_many_right,
     .kind = THEMIS_CELL_UNSEAL},
    {.name = "imprint many",
     .set_up = set_up_many,
     .run = run_many,
     .is_right = are_many_right,
     .kind = THEMIS_CELL_IMPRINT},
    {.name = "passphrase_new",
     .set_up = set_up_passphrase,
     .run = run_passphrase_new,
     .is_right = has_passphrase,
     .makes = true},
    {.name = "passphrase seal",
     .set_up = set_up_passphrase_text,
     .run = run_passphrase_seal,
     .is_right = is_passphrase_sealed},
    {.name = "passphrase unseal",
     .set_up = set_up_passphrase_sealed,
     .run = run_passphrase_unseal,
     .is_right = is_opened},
    {.name = "stretch_new",
     .set_up = set_up_passphrase_sealed,
     .run = run_stretch_new,
     .is_right = is_stretch_right,
     .makes = true},
    {.name = "stretch work",
     .set_up = set_up_stretch,
     .run = run_stretch_work,
     .is_right = is_stretch_right},
    {.name = "stretched unseal",
     .set_up = set_up_stretched,
     .run = run_stretched_unseal,
     .is_right = is_opened},
    {.name = "stretched seal",
     .set_up = set_up_to_seal,
     .run = run_stretched_seal,
     .is_right = is_stretched_sealed},
    {.name = "symmetric key", .run = run_symmetric_key},
    KEY_PAIR("EC-256", EC_256, false),
    KEY_PAIR("EC-384", EC_384, false),
    KEY_PAIR("EC-521", EC_521, false),
    KEY_PAIR("RSA-1024", RSA_1024, true), /* larger ones take the same way, and seconds */
    OF_KIND("EC-256", EC_256),
    OF_KIND("EC-384", EC_384),
    OF_KIND("EC-521", EC_521),
    OF_KIND("RSA-1024", RSA_1024),
    OF_KIND("RSA-2048", RSA_2048),
    OF_RSA_AGAIN("RSA-1024", RSA_1024),
    OF_RSA_AGAIN("RSA-2048", RSA_2048),
    {.name = "EC-256 export encrypted",
     .set_up = set_up_export,
     .run = run_export,
     .is_right = is_exported,
     .kind = EC_256,
     .flag = PEM | ENCRYPTED,
     .makes = true,
     .slow = true},
    {.name = "session_new", .run = run_session_new, .is_right = has_session, .makes = true},
    NEGOTIATION("connect request", 0, 0),
    NEGOTIATION("negotiate 1", 1, 0),
    NEGOTIATION("negotiate 2", 2, 0),
    NEGOTIATION("negotiate 3", 3, 0),
    NEGOTIATION("negotiate 4", 4, 0),
    NEGOTIATION("planned connect request", 0, 1),
    NEGOTIATION("planned negotiate 1", 1, 1),
    NEGOTIATION("planned negotiate 2", 2, 1),
    NEGOTIATION("planned negotiate 3", 3, 1),
    NEGOTIATION("planned negotiate 4", 4, 1),
    {.name = "claimed peer",
     .set_up = set_up_negotiation,
     .run = run_claimed_peer,
     .is_right = is_client,
     .kind = 1,
     .flag = 1},
    {.name = "session wrap",
     .set_up = set_up_session_text,
     .run = run_session_wrap,
     .is_right = is_session_wrapped,
     .is_dead = is_session_dead},
    {.name = "session unwrap",
     .set_up = set_up_session_wrapped,
     .run = run_session_unwrap,
     .is_right = is_opened,
     .is_dead = is_session_dead},
    {.name = "comparator_new",
     .run = run_comparator_new,
     .is_right = has_comparator,
     .makes = true},
    {.name = "comparator append", .set_up = set_up_comparison, .run = run_append, .kind = 0},
    COMPARISON("comparator 1", 1, 0),
    COMPARISON("comparator 2", 2, 0),
    COMPARISON("comparator 3", 3, 0),
    COMPARISON("comparator 4", 4, 0),
    COMPARISON("comparator 5", 5, 0),
    COMPARISON("comparator 3, differing", 3, 1),
    COMPARISON("comparator 4, differing", 4, 1),
    COMPARISON("comparator 5, differing", 5, 1),
    {.name = NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* What operations work on, what of it is secret, and what they share. */
#include "operations/stage.h"

#include <openssl/aes.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secrets.h"
#include "soter/bytes.h"
#include "soter/ecdh.h"
#include "soter/key_container.h"
#include "soter/key_internal.h"

struct stage stage;

const uint8_t text[TEXT_SIZE] = "What is to be kept from everybody else, one hundred bytes: "
                                "9c1f7a60e4b2d583 and so on, and on";
const uint8_t context[10] = "a context";
const uint8_t short_key[30] = "a master key of 30 bytes..9k3";
const uint8_t passphrase[29] = "correct horse battery staple";

struct pair pairs[KINDS] = {
    [EC_256] = {.algorithm = THEMIS_KEY_EC, .bits = 256, .number_size = 32},
    [EC_384] = {.algorithm = THEMIS_KEY_EC, .bits = 384, .number_size = 48},
    [EC_521] = {.algorithm = THEMIS_KEY_EC, .bits = 521, .number_size = 66},
    [RSA_1024] = {.algorithm = THEMIS_KEY_RSA, .bits = 1024, .number_size = 128},
    [RSA_2048] = {.algorithm = THEMIS_KEY_RSA, .bits = 2048, .number_size = 256},
    [EC_256_OTHER] = {.algorithm = THEMIS_KEY_EC, .bits = 256, .number_size = 32},
};
struct pair ephemeral[2]; /* of the planned client and server */

void stage_fail(const char *what)
{
    fprintf(stderr, "this must not fail here: %s\n", what);
    exit(2);
}

void must(int status, const char *what)
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
    themis_secret_free(stage.secret);
    themis_ring_free(stage.ring);
    themis_sealed_free(stage.sealed);
    themis_sealed_free(stage.writer);
    themis_ring_free(stage.other_ring);
    themis_column_free(stage.column);
    themis_column_free(stage.rows);
    memset(&stage, 0, sizeof stage);
}

/* ---- What is secret ---- */

void add_aes(const uint8_t *key, int bits)
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
void add_hmac(const char *name, const uint8_t *key, size_t len)
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

void derive(const uint8_t *key,
            size_t len,
            const uint8_t *contexts,
            size_t contexts_len,
            uint8_t out[32])
{
    must(themis_testing_kdf(key, len, LABEL, LABEL_SIZE, contexts, contexts_len, out, 32), "KDF");
}

/* Everything about a cell with this key and message size. */
void add_cell(const char *name, const uint8_t *key, size_t len, size_t text_len, bool bound)
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

void add_passphrase(const uint8_t *salt, size_t salt_len, int iterations)
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

static void add_number(const char *name, const uint8_t *number, size_t len)
{
    secrets_add(name, number, len);
    secrets_add_base64("base64 of a private key", number, len);
}

void add_private(const struct pair *pair)
{
    const uint8_t *payload = pair->private_key + 12;
    if (pair->algorithm == THEMIS_KEY_EC) {
        add_number("private scalar", payload + 1, pair->number_size);
        return;
    }
    add_number("RSA d", payload, pair->number_size);
    for (size_t i = 0; i < 5; i++) {
        static const char *const names[] = {"RSA p", "RSA q", "RSA dp", "RSA dq", "RSA 1/q"};
        const size_t half = pair->number_size / 2;
        add_number(names[i], payload + pair->number_size + i * half, half);
    }
}

void agree(const struct pair *ours, const struct pair *theirs, uint8_t *out, size_t out_len)
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

bool is_text(void)
{
    return memcmp(stage.out, text, TEXT_SIZE) == 0;
}

bool is_opened(const struct operation *operation)
{
    (void)operation;
    return is_text();
}

void set_up_private(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    memcpy(stage.in, pair->private_key, stage.in_len = pair->private_len);
    add_private(pair);
}

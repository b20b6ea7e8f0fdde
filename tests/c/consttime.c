/* SPDX-License-Identifier: Apache-2.0 */
/* Under valgrind, with every secret marked as undefined: whatever branches on one, or takes an
 * address from one, is an error there. tools/evidence/consttime.py runs this and judges.
 *
 *   consttime CASE      one of the cases below; without it, lists them */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "generator.h"
#include "soter/bytes.h"
#include "soter/container.h"
#include "soter/ecdh.h"
#include "soter/kdf.h"
#include "soter/key_container.h"
#include "themis.h"
#include "themis/session_keys.h"

#define SECRET(bytes, len) VALGRIND_MAKE_MEM_UNDEFINED(bytes, len)
#define PUBLIC(bytes, len) VALGRIND_MAKE_MEM_DEFINED(bytes, len)

#define TEXT_SIZE 100
static uint8_t text[TEXT_SIZE];
static const uint8_t context[] = "a context";
#define CONTEXT context, sizeof context - 1

static bool random_is_secret;

/* The generator that the core and libcrypto draw from. */
static void draw(unsigned char *out, size_t len)
{
    static uint64_t state = 1;
    for (size_t i = 0; i < len; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (unsigned char)(state >> 56);
    }
}

int generator_give(unsigned char *out, size_t len, bool secret, bool to_core)
{
    (void)to_core;
    draw(out, len);
    if (secret && random_is_secret) {
        SECRET(out, len);
    }
    return 1;
}

static void must(int status, const char *what)
{
    PUBLIC(&status, sizeof status); /* what is answered is there for everybody to see */
    if (status != THEMIS_SUCCESS && status != THEMIS_SEND_OUTPUT_TO_PEER) {
        fprintf(stderr, "%s: status %d\n", what, status);
        exit(2);
    }
}

static void must_not(int status, int wanted, const char *what)
{
    PUBLIC(&status, sizeof status);
    if (status != wanted) {
        fprintf(stderr, "%s: status %d, not %d\n", what, status, wanted);
        exit(2);
    }
}

/* ---- Controls: these must be found ---- */

__attribute__((noinline)) static int leaky_compare(const uint8_t *a, const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i]) {
            return 0;
        }
    }
    return 1;
}

static const uint8_t table[256] = {1, 2, 3};

__attribute__((noinline)) static uint8_t leaky_lookup(const volatile uint8_t *secret)
{
    return table[*secret];
}

static void control_compare(void)
{
    uint8_t a[16] = {1};
    uint8_t b[16] = {1};
    int equal;
    SECRET(a, sizeof a);
    equal = leaky_compare(a, b, sizeof a);
    PUBLIC(&equal, sizeof equal);
    printf("%d\n", equal);
}

static void control_lookup(void)
{
    uint8_t secret = 2;
    uint8_t found;
    SECRET(&secret, 1);
    found = leaky_lookup(&secret);
    PUBLIC(&found, 1);
    printf("%d\n", found);
}

/* A right comparison: this must not be found. */
static void control_equal(void)
{
    uint8_t a[16] = {1};
    uint8_t b[16] = {1};
    bool equal;
    SECRET(a, sizeof a);
    equal = soter_equal(a, b, sizeof a);
    PUBLIC(&equal, sizeof equal);
    printf("%d\n", equal);
}

/* ---- Derivation ---- */

static void derivation(void)
{
    static const size_t sizes[] = {1, 31, 32, 64, 65, 200};
    static const uint8_t contexts[] = {2, 0, 0, 0, 'a', 'b'};
    uint8_t key[200];
    uint8_t out[32];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        draw(key, sizeof key);
        SECRET(key, sizeof key);
        must(themis_testing_kdf(key,
                                sizes[i],
                                (const uint8_t *)"label",
                                5,
                                contexts,
                                sizeof contexts,
                                out,
                                sizeof out),
             "the KDF");
    }
}

static void session_keys(void)
{
    uint8_t shared[32];
    uint8_t mac[2][32];
    uint8_t client[45] = {1};
    uint8_t server[45] = {2};
    const struct themis_session_parties parties = {{client, sizeof client},
                                                   {server, sizeof server},
                                                   {context, 1},
                                                   {context, 2}};
    struct themis_session_secrets secrets;
    bool equal;
    draw(shared, sizeof shared);
    SECRET(shared, sizeof shared);
    must(themis_session_derive(&parties, shared, sizeof shared, &secrets), "to derive");
    must(themis_session_mac(&secrets, parties.client_ephemeral, mac[0]), "a MAC");
    must(themis_session_mac(&secrets, parties.server_ephemeral, mac[1]), "a MAC");
    equal = soter_equal(mac[0], mac[1], sizeof mac[0]);
    PUBLIC(&equal, sizeof equal);
    must(equal ? THEMIS_FAIL : THEMIS_SUCCESS, "two MACs");
}

/* ---- Cells ---- */

static themis_cell *secret_cell(size_t size)
{
    uint8_t key[80];
    themis_cell *cell = NULL;
    draw(key, sizeof key);
    SECRET(key, sizeof key);
    must(themis_cell_new(key, size, 1, &cell), "a cell");
    return cell;
}

static void cells(void)
{
    uint8_t sealed[TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE];
    uint8_t opened[TEXT_SIZE];
    for (size_t size = 32; size <= 80; size += 48) {
        themis_cell *cell = secret_cell(size);
        draw(text, sizeof text);
        SECRET(text, sizeof text);
        must(themis_cell_seal(cell,
                              text,
                              TEXT_SIZE,
                              CONTEXT,
                              sealed,
                              TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE),
             "to seal");
        PUBLIC(sealed, sizeof sealed);
        must(themis_cell_unseal(cell,
                                sealed,
                                sizeof sealed,
                                CONTEXT,
                                opened,
                                sizeof sealed - THEMIS_CELL_TOKEN_SIZE),
             "to unseal");
        sealed[30] ^= 1; /* the tag: what was deciphered in vain is wiped */
        must_not(themis_cell_unseal(cell,
                                    sealed,
                                    sizeof sealed,
                                    CONTEXT,
                                    opened,
                                    sizeof sealed - THEMIS_CELL_TOKEN_SIZE),
                 THEMIS_FAIL,
                 "to refuse");
        sealed[30] ^= 1;
        sealed[60] ^= 1;
        must_not(themis_cell_unseal(cell,
                                    sealed,
                                    sizeof sealed,
                                    CONTEXT,
                                    opened,
                                    sizeof sealed - THEMIS_CELL_TOKEN_SIZE),
                 THEMIS_FAIL,
                 "to refuse");
        must(themis_cell_imprint(cell, text, TEXT_SIZE, CONTEXT, opened, TEXT_SIZE), "to imprint");
        themis_cell_free(cell);
    }
}

/* The base64 of all keys is secret, what is around it is not. */
static void rings(void)
{
    static const char payload[] =
        "{\"keys\":["
        "{\"created\":1,\"id\":\"0102030405\",\"key\":"
        "\"aXRzIG9sZGVyIGtleSwgYXMgbG9uZzogMDNmYTk4ZTE=\",\"state\":\"retired\"},"
        "{\"created\":2,\"id\":\"1112131415\",\"key\":"
        "\"MzIgYnl0ZXMgb2YgYSByaW5nOiA3ZDFlNWI5YTIwYzQ=\",\"state\":\"active\"}],"
        "\"legacy\":[\"YSBtYXN0ZXIga2V5IG9mIDMwIGJ5dGVzLi45azM=\"],"
        "\"name\":\"shop\",\"primary\":\"1112131415\",\"version\":7}";
    static const char *const keys[] = {"aXRz", "MzIg", "YSBt"};
    static const size_t sizes[] = {42, 42, 38}; /* the rest tells where padding begins */
    uint8_t read[sizeof payload];
    uint8_t stored[TEXT_SIZE + THEMIS_RING_OVERHEAD];
    themis_ring *ring = NULL;
    themis_ring *added = NULL;
    const char *why;
    memcpy(read, payload, sizeof payload);
    for (size_t i = 0; i < 3; i++) {
        SECRET(read + (strstr(payload, keys[i]) - payload), sizes[i]);
    }
    must(themis_ring_read(read, sizeof payload - 1, &ring, &why), "to read a ring");
    random_is_secret = true;
    must(themis_ring_add(ring, 1, NULL, 0, &added, &why), "to add a key");
    random_is_secret = false;
    must(themis_ring_follows(ring, added, &why), "to follow");
    SECRET(text, sizeof text);
    must(themis_ring_encrypt(added, text, TEXT_SIZE, CONTEXT, stored, sizeof stored), "to encrypt");
    PUBLIC(stored, sizeof stored);
    must(themis_ring_decrypt(ring, stored, sizeof stored, CONTEXT, text, TEXT_SIZE), "to decrypt");
    themis_ring_free(added);
    themis_ring_free(ring);
}

/* The file key, a key and a passphrase for it, and what the file holds. */
static void sealed_files(void)
{
    enum {
        HEAD = THEMIS_SEALED_START_SIZE + THEMIS_SEALED_KEY_SLOT_SIZE - THEMIS_SEALED_KEY_ID_SIZE
    };
    uint8_t head[HEAD + THEMIS_SEALED_MAC_SIZE] = "TSFILE1\n\20\1\0\0\0\120"; /* 2^16, 1 slot */
    uint8_t chunk[TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE];
    uint8_t secret[2][32];
    themis_sealed *written = NULL;
    themis_sealed *read = NULL;
    themis_passphrase *prepared = NULL;
    const char *why;
    size_t slot;
    draw(secret[0], sizeof secret);
    SECRET(secret, sizeof secret);
    random_is_secret = true;
    must(themis_sealed_new(16, CONTEXT, &written), "a file");
    random_is_secret = false;
    must(themis_sealed_key_slot(written,
                                secret[0],
                                sizeof secret[0],
                                NULL,
                                0,
                                head + THEMIS_SEALED_START_SIZE,
                                HEAD - THEMIS_SEALED_START_SIZE),
         "a slot");
    PUBLIC(head, HEAD);
    must(themis_sealed_mac(written, head, HEAD, head + HEAD, &why, &slot), "a mac");
    SECRET(text, sizeof text);
    must(themis_sealed_encrypt(written, 0, 1, text, TEXT_SIZE, chunk, sizeof chunk), "to encrypt");
    PUBLIC(head + HEAD, THEMIS_SEALED_MAC_SIZE);
    PUBLIC(chunk, sizeof chunk);
    must(themis_sealed_read(head, sizeof head, CONTEXT, &read, &why, &slot), "to read");
    must(themis_sealed_passphrase(read, secret[1], sizeof secret[1], 0, &prepared), "to prepare");
    must(themis_sealed_open_key(read, 0, secret[0], sizeof secret[0]), "to open");
    must(themis_sealed_decrypt(read, 0, 1, chunk, sizeof chunk, text, TEXT_SIZE), "to decrypt");
    themis_passphrase_free(prepared);
    themis_sealed_free(read);
    themis_sealed_free(written);
}

static void passphrases(void)
{
    uint8_t passphrase[24];
    uint8_t sealed[TEXT_SIZE + THEMIS_PASSPHRASE_TOKEN_SIZE];
    uint8_t opened[TEXT_SIZE];
    themis_passphrase *made = NULL;
    int status;
    draw(passphrase, sizeof passphrase);
    SECRET(passphrase, sizeof passphrase);
    must(themis_passphrase_new(passphrase, sizeof passphrase, 10, 1, 1000, &made), "a passphrase");
    memset(sealed, 0, sizeof sealed);
    soter_put_u32le(sealed, 0x41010100);
    soter_put_u32le(sealed + 4, 12);
    soter_put_u32le(sealed + 8, 16);
    soter_put_u32le(sealed + 12, TEXT_SIZE);
    soter_put_u32le(sealed + 16, 22);
    soter_put_u32le(sealed + 48, 10);
    sealed[52] = 16;
    status = themis_passphrase_unseal(made, sealed, sizeof sealed, CONTEXT, opened, TEXT_SIZE);
    must_not(status, THEMIS_FAIL, "to refuse");
    themis_passphrase_free(made);
}

/* ---- Keys ---- */

static void key_case(int algorithm, int bits)
{
    uint8_t private_key[2048];
    uint8_t public_key[2048];
    const size_t private_len = themis_key_size(algorithm, 1, bits, 0);
    const size_t public_len = themis_key_size(algorithm, 0, bits, 0);
    /* The modulus and the exponent, behind the secret numbers, are public, as is the zero byte
     * before a scalar. */
    const size_t secret_start = 12 + (algorithm == THEMIS_KEY_EC);
    const size_t secret_len =
        algorithm == THEMIS_KEY_EC ? private_len - 13 : private_len - public_len;
    soter_key *key = NULL;
    must(themis_key_pair(algorithm,
                         bits,
                         0,
                         private_key,
                         themis_key_size(algorithm, 1, bits, 0),
                         public_key,
                         themis_key_size(algorithm, 0, bits, 0)),
         "a pair of keys");
    SECRET(private_key + secret_start, secret_len);
    must(soter_key_read(private_key, private_len, &key), "to read a private key");
    must(soter_key_write_private(key, private_key, private_len), "to write it");
    soter_key_free(key);
    /* One that is damaged. */
    private_key[private_len - 1] ^= 1;
    must_not(soter_key_read(private_key, private_len, &key), THEMIS_DATA_CORRUPT, "to refuse");
}

static void ec_keys(void)
{
    key_case(THEMIS_KEY_EC, 256);
    key_case(THEMIS_KEY_EC, 384);
    key_case(THEMIS_KEY_EC, 521);
}

static void rsa_keys(void)
{
    key_case(THEMIS_KEY_RSA, 1024);
    key_case(THEMIS_KEY_RSA, 2048);
}

/* Scalars: drawn, multiplied with the base point and with a peer's point. */
static void scalars(int bits)
{
    uint8_t keys[2][2][80];
    uint8_t again[80];
    uint8_t agreed[2][66];
    const size_t private_len = themis_key_size(THEMIS_KEY_EC, 1, bits, 0);
    const size_t public_len = themis_key_size(THEMIS_KEY_EC, 0, bits, 0);
    const size_t size = private_len - 13;
    soter_key *pair[2][2] = {{NULL, NULL}, {NULL, NULL}};
    int differ;
    random_is_secret = true;
    for (int i = 0; i < 2; i++) {
        must(themis_key_pair(THEMIS_KEY_EC,
                             bits,
                             0,
                             keys[i][0],
                             themis_key_size(THEMIS_KEY_EC, 1, bits, 0),
                             keys[i][1],
                             themis_key_size(THEMIS_KEY_EC, 0, bits, 0)),
             "a pair of keys");
        PUBLIC(keys[i][1], public_len);
        must(themis_key_public(keys[i][0], private_len, 0, again, public_len), "the public one");
        PUBLIC(again, public_len);
        must(memcmp(again, keys[i][1], public_len) == 0 ? THEMIS_SUCCESS : THEMIS_FAIL, "same");
        must(soter_key_read(keys[i][0], private_len, &pair[i][0]), "to read a private key");
        must(soter_key_read(keys[i][1], public_len, &pair[i][1]), "to read a public key");
    }
    for (int i = 0; i < 2; i++) {
        must(soter_ecdh(pair[i][0], pair[1 - i][1], agreed[i], size), "to agree");
    }
    PUBLIC(agreed, sizeof agreed);
    differ = memcmp(agreed[0], agreed[1], size);
    must(differ == 0 ? THEMIS_SUCCESS : THEMIS_FAIL, "to agree on one");
    for (int i = 0; i < 2; i++) {
        soter_key_free(pair[i][0]);
        soter_key_free(pair[i][1]);
    }
    random_is_secret = false;
}

static void ec_scalars(void)
{
    scalars(256);
    scalars(384);
    scalars(521);
}

/* ---- Messages ---- */

/* What was wrapped for another key: whether it opens must not show. */
static void rsa_messages(void)
{
    uint8_t keys[2][2][2048];
    uint8_t wrapped[1024];
    uint8_t opened[TEXT_SIZE];
    const size_t private_len = themis_key_size(THEMIS_KEY_RSA, 1, 1024, 0);
    const size_t public_len = themis_key_size(THEMIS_KEY_RSA, 0, 1024, 0);
    for (int i = 0; i < 2; i++) {
        must(themis_key_pair(THEMIS_KEY_RSA,
                             1024,
                             0,
                             keys[i][0],
                             themis_key_size(THEMIS_KEY_RSA, 1, 1024, 0),
                             keys[i][1],
                             themis_key_size(THEMIS_KEY_RSA, 0, 1024, 0)),
             "keys");
    }
    random_is_secret = true;
    for (int i = 0; i < 2; i++) {
        themis_message *from = NULL;
        themis_message *to = NULL;
        must(themis_message_new(keys[0][0], private_len, keys[i][1], public_len, &from), "us");
        must(themis_message_new(keys[0][0], private_len, keys[0][1], public_len, &to), "them");
        must(themis_message_wrap(from,
                                 context,
                                 sizeof context,
                                 wrapped,
                                 sizeof context + themis_message_wrap_growth(from)),
             "to wrap");
        PUBLIC(wrapped, sizeof wrapped);
        must_not(themis_message_unwrap(to,
                                       wrapped,
                                       sizeof context + themis_message_unwrap_growth(to),
                                       opened,
                                       sizeof context + themis_message_unwrap_growth(to) -
                                           themis_message_unwrap_growth(to)),
                 i == 0 ? THEMIS_SUCCESS : THEMIS_FAIL,
                 "to unwrap");
        themis_message_free(from);
        themis_message_free(to);
    }
}

/* ---- Comparisons ---- */

static void compare(bool same)
{
    uint8_t secret[40];
    uint8_t message[2][400];
    size_t len = THEMIS_COMPARATOR_FIRST_SIZE;
    themis_comparator *sides[2] = {NULL, NULL};
    draw(secret, sizeof secret);
    SECRET(secret, sizeof secret);
    for (int i = 0; i < 2; i++) {
        must(themis_comparator_new(&sides[i]), "a comparison");
        must(themis_comparator_append(sides[i], secret, sizeof secret - (i == 1 && !same)),
             "a secret");
    }
    random_is_secret = true;
    must(themis_comparator_begin(sides[0], message[0]), "to begin");
    PUBLIC(message[0], len);
    for (int i = 1; i <= 4; i++) {
        themis_comparator *side = sides[i % 2];
        size_t reply_len = themis_comparator_reply_size(side);
        must(themis_comparator_proceed(side,
                                       message[(i - 1) % 2],
                                       len,
                                       message[i % 2],
                                       themis_comparator_reply_size(side)),
             "to proceed");
        len = reply_len;
        PUBLIC(message[i % 2], len);
    }
    for (int i = 0; i < 2; i++) {
        int result = themis_comparator_result(sides[i]);
        PUBLIC(&result, sizeof result);
        must_not(result, same ? THEMIS_COMPARATOR_MATCH : THEMIS_COMPARATOR_NO_MATCH, "a result");
        themis_comparator_free(sides[i]);
    }
    random_is_secret = false;
}

static void comparisons(void)
{
    compare(true);
    compare(false);
}

/* As in themis/secret.c. */
struct themis_secret_text {
    uint8_t *data;
    size_t len;
};

/* The digits of a text are secret, but for the last, where padding and the end of the line are
 * looked for. */
static themis_secret *decoded(const char *digits, int encoding)
{
    const char *why = NULL;
    themis_secret_text *read = NULL;
    themis_secret *made = NULL;
    const size_t len = strlen(digits);
    must(themis_secret_text_new(&read), "a text");
    memcpy(read->data, digits, len);
    SECRET(read->data, len - 3);
    read->len = len;
    must(themis_secret_text_decode(read, encoding, &made, &why), "to decode");
    PUBLIC(read->data, len);
    themis_secret_text_free(read);
    return made;
}

static void secrets(void)
{
    themis_secret *a = decoded("AQIDBAUGBwgJCgsMDQ4PEBESExQV+/8=\n", THEMIS_BASE64);
    themis_secret *b = decoded("0102030405060708090a0b0c0d0e0f101112131415fBff\n", THEMIS_HEX);
    int equal = themis_secret_equal(a, b);
    PUBLIC(&equal, sizeof equal);
    printf("%d\n", equal);
    if (!equal) {
        exit(2);
    }
    themis_secret_free(a);
    themis_secret_free(b);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"control-compare", control_compare},
    {"control-lookup", control_lookup},
    {"control-equal", control_equal},
    {"derivation", derivation},
    {"session-keys", session_keys},
    {"cells", cells},
    {"rings", rings},
    {"sealed-files", sealed_files},
    {"passphrases", passphrases},
    {"ec-keys", ec_keys},
    {"ec-scalars", ec_scalars},
    {"rsa-keys", rsa_keys},
    {"rsa-messages", rsa_messages},
    {"comparisons", comparisons},
    {"secrets", secrets},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (argc < 2) {
            puts(cases[i].name);
        } else if (strcmp(cases[i].name, argv[1]) == 0) {
            must(themis_init(), "to start");
            cases[i].run();
            return 0;
        }
    }
    return argc < 2 ? 0 : 2;
}

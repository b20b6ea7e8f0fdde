/* SPDX-License-Identifier: Apache-2.0 */
/* Keyrings, and the values stored under them. */
#include "operations/stage.h"

#include <string.h>

#include "secrets.h"

static const uint8_t ring_key[THEMIS_RING_KEY_SIZE] = "32 bytes of a ring: 7d1e5b9a20c4";
static const uint8_t old_key[THEMIS_RING_KEY_SIZE] = "its older key, as long: 03fa98e1";
static const uint8_t added_key[THEMIS_RING_KEY_SIZE] = "one that is added to it: b52c60d";
static const uint8_t long_key[100] =
    "a legacy key of more than sixty-four bytes, which HMAC replaces by its hash: 1f6e";

static const char payload[] =
    "{\"keys\":["
    "{\"created\":1,\"id\":\"0102030405\",\"key\":"
    "\"aXRzIG9sZGVyIGtleSwgYXMgbG9uZzogMDNmYTk4ZTE=\",\"state\":\"retired\"},"
    "{\"created\":2,\"id\":\"1112131415\",\"key\":"
    "\"MzIgYnl0ZXMgb2YgYSByaW5nOiA3ZDFlNWI5YTIwYzQ=\",\"state\":\"active\"}],"
    "\"legacy\":[\"c2hvcnQ=\",\"YSBtYXN0ZXIga2V5IG9mIDMwIGJ5dGVzLi45azM=\"],"
    "\"name\":\"shop\",\"primary\":\"1112131415\",\"version\":7}";
#define PAYLOAD (const uint8_t *)payload, sizeof payload - 1

static const uint8_t old_id[THEMIS_RING_ID_SIZE] = {1, 2, 3, 4, 5};
static const uint8_t primary_id[THEMIS_RING_ID_SIZE] = {0x11, 0x12, 0x13, 0x14, 0x15};

enum { STORED_SIZE = TEXT_SIZE + THEMIS_RING_OVERHEAD, MANY = 3 };

static void add_key_secret(const char *name, const uint8_t *key, size_t len)
{
    add_cell(name, key, len, TEXT_SIZE, true);
    secrets_add_base64(name, key, len);
}

static void add_ring_secrets(void)
{
    add_key_secret("primary key", ring_key, sizeof ring_key);
    add_key_secret("older key", old_key, sizeof old_key);
    add_key_secret("legacy key", SHORT_KEY);
    secrets_add("message", text, TEXT_SIZE);
}

static void set_up_ring(const struct operation *operation)
{
    (void)operation;
    add_ring_secrets();
    add_key_secret("added key", added_key, sizeof added_key);
    add_key_secret("long legacy key", long_key, sizeof long_key);
    must(themis_ring_read(PAYLOAD, &stage.ring, &stage.why), "a ring");
}

/* ---- Rings ---- */

static void set_up_read(const struct operation *operation)
{
    (void)operation;
    add_ring_secrets();
}

static int run_read(const struct operation *operation)
{
    (void)operation;
    return themis_ring_read(PAYLOAD, &stage.other_ring, &stage.why);
}

/* Whether the new ring writes as the one it was made of does: the same text, or a longer one. */
static bool has_ring(const struct operation *operation)
{
    size_t size = 0;
    (void)operation;
    return stage.other_ring != NULL && themis_ring_payload(stage.other_ring, &size) != NULL &&
           size > sizeof payload / 2;
}

/* The same key under two ids. */
static void set_up_twice(const struct operation *operation)
{
    char *twice = (char *)stage.in;
    (void)operation;
    add_ring_secrets();
    memcpy(twice, payload, sizeof payload);
    memcpy(strstr(twice, "MzIg"), strstr(twice, "aXRz"), 44);
    stage.in_len = sizeof payload - 1;
}

/* SUCCESS is to be refused. */
static int run_read_twice(const struct operation *operation)
{
    int status;
    (void)operation;
    status = themis_ring_read(stage.in, stage.in_len, &stage.other_ring, &stage.why);
    return status == THEMIS_INVALID_PARAMETER ? THEMIS_SUCCESS : status;
}

static bool has_no_ring(const struct operation *operation)
{
    (void)operation;
    return stage.other_ring == NULL && stage.why != NULL;
}

static int run_new(const struct operation *operation)
{
    (void)operation;
    return themis_ring_new((const uint8_t *)"shop", 4, &stage.other_ring);
}

static bool has_blank_ring(const struct operation *operation)
{
    size_t size = 1;
    (void)operation;
    return themis_ring_payload(stage.other_ring, &size) == NULL && size == 0;
}

/* operation->flag: a key of the ring's own. */
static int run_add(const struct operation *operation)
{
    return themis_ring_add(stage.ring,
                           3,
                           operation->flag ? NULL : added_key,
                           operation->flag ? 0 : sizeof added_key,
                           &stage.other_ring,
                           &stage.why);
}

static int run_add_legacy(const struct operation *operation)
{
    (void)operation;
    return themis_ring_add_legacy(stage.ring,
                                  long_key,
                                  sizeof long_key,
                                  &stage.other_ring,
                                  &stage.why);
}

static int run_change(const struct operation *operation)
{
    return themis_ring_change(stage.ring, operation->kind, old_id, &stage.other_ring, &stage.why);
}

/* operation->flag: a legacy key. */
static int run_secret(const struct operation *operation)
{
    const size_t size = operation->flag ? sizeof short_key - 1 : sizeof old_key;
    themis_secret *secret = NULL;
    const int status = themis_ring_secret(stage.ring, operation->flag ? 3 : 0, &secret);
    if (status == THEMIS_SUCCESS) {
        stage.out[0] = themis_secret_size(secret) == size;
    }
    themis_secret_free(secret);
    return status;
}

static bool has_secret(const struct operation *operation)
{
    (void)operation;
    return stage.out[0] == 1;
}

/* A system that refuses is no failure, and then the ring is not locked. */
static int run_lock(const struct operation *operation)
{
    (void)operation;
    return themis_ring_lock(stage.ring) ? THEMIS_SUCCESS : THEMIS_FAIL;
}

static int run_pin(const struct operation *operation)
{
    (void)operation;
    stage.out_len = THEMIS_RING_PIN_SIZE;
    return themis_ring_pin(stage.ring, primary_id, stage.out);
}

static int run_blind_index(const struct operation *operation)
{
    (void)operation;
    stage.out_len = THEMIS_RING_INDEX_SIZE;
    return themis_ring_blind_index(stage.ring, 0, CONTEXT, text, TEXT_SIZE, stage.out);
}

static int run_follows(const struct operation *operation)
{
    (void)operation;
    return themis_ring_follows(stage.ring, stage.ring, &stage.why);
}

/* ---- Values ---- */

static void set_up_message(const struct operation *operation)
{
    set_up_ring(operation);
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static void set_up_stored(const struct operation *operation)
{
    set_up_ring(operation);
    stage.in_len = STORED_SIZE;
    must(themis_ring_encrypt(stage.ring, text, TEXT_SIZE, CONTEXT, stage.in, STORED_SIZE),
         "to encrypt");
}

static void set_up_bare(const struct operation *operation)
{
    set_up_ring(operation);
    stage.in_len = TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE;
    must(themis_cell_new(SHORT_KEY, 0, &stage.cell), "a cell");
    must(themis_cell_seal(stage.cell, text, TEXT_SIZE, CONTEXT, stage.in, stage.in_len), "to seal");
}

static int run_encrypt(const struct operation *operation)
{
    (void)operation;
    stage.out_len = STORED_SIZE;
    return themis_ring_encrypt(stage.ring, stage.in, stage.in_len, CONTEXT, stage.out, STORED_SIZE);
}

static bool is_stored(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return memcmp(stage.out, "TK1\x11\x12\x13\x14\x15", THEMIS_RING_PREFIX_SIZE) == 0 &&
           themis_ring_decrypt(stage.ring,
                               stage.out,
                               STORED_SIZE,
                               CONTEXT,
                               opened,
                               sizeof opened) == THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

static int run_decrypt(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_ring_decrypt(stage.ring, stage.in, stage.in_len, CONTEXT, stage.out, TEXT_SIZE);
}

static void set_up_forged(const struct operation *operation)
{
    set_up_bare(operation);
    stage.in[stage.in_len - 1] ^= 1;
}

/* SUCCESS is to be refused. */
static int run_forged(const struct operation *operation)
{
    const int status = run_decrypt(operation);
    return status == THEMIS_FAIL ? THEMIS_SUCCESS : status;
}

static bool is_wiped(const struct operation *operation)
{
    (void)operation;
    return stage.out[0] == 0 && memcmp(stage.out, stage.out + 1, TEXT_SIZE - 1) == 0;
}

static int run_rotate(const struct operation *operation)
{
    (void)operation;
    stage.out_len = STORED_SIZE;
    return themis_ring_rotate(stage.ring, stage.in, stage.in_len, CONTEXT, stage.out, STORED_SIZE);
}

/* ---- Lists: messages, or a stored value, a bare cell, and a stored value ---- */

static int run_many(const struct operation *operation)
{
    const bool encrypts = operation->kind == THEMIS_RING_ENCRYPT;
    const size_t bare = TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE;
    const size_t context_len = sizeof context - 1;
    const size_t sizes[2 * MANY] = {encrypts ? TEXT_SIZE : STORED_SIZE,
                                    encrypts ? TEXT_SIZE : bare,
                                    encrypts ? TEXT_SIZE : STORED_SIZE,
                                    context_len,
                                    context_len,
                                    context_len};
    uint8_t contexts[MANY * (sizeof context - 1)];
    size_t failed = 0;
    int status;
    for (size_t i = 0; i < MANY; i++) {
        memcpy(contexts + i * context_len, context, context_len);
    }
    memcpy(stage.out, stage.in, stage.out_len = stage.in_len);
    status = themis_ring_many(stage.ring,
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

static void set_up_many(const struct operation *operation)
{
    if (operation->kind == THEMIS_RING_ENCRYPT) {
        set_up_ring(operation);
        for (size_t i = 0; i < MANY; i++) {
            memcpy(stage.in + i * STORED_SIZE + THEMIS_RING_OVERHEAD, text, TEXT_SIZE);
        }
        stage.in_len = (size_t)MANY * STORED_SIZE;
        return;
    }
    set_up_bare(operation);
    memmove(stage.in + STORED_SIZE, stage.in, stage.in_len);
    stage.in_len += STORED_SIZE;
    must(themis_ring_encrypt(stage.ring, text, TEXT_SIZE, CONTEXT, stage.in, STORED_SIZE),
         "to encrypt");
    memcpy(stage.in + stage.in_len, stage.in, STORED_SIZE);
    stage.in_len += STORED_SIZE;
}

static bool are_many_right(const struct operation *operation)
{
    const bool encrypts = operation->kind == THEMIS_RING_ENCRYPT;
    bool right = true;
    for (size_t i = 0; i < MANY; i++) {
        const size_t before = i * STORED_SIZE - (encrypts || i == 0 ? 0 : THEMIS_RING_PREFIX_SIZE);
        const uint8_t *item = stage.out + before;
        uint8_t opened[TEXT_SIZE] = {0};
        if (encrypts) {
            themis_ring_decrypt(stage.ring, item, STORED_SIZE, CONTEXT, opened, TEXT_SIZE);
        } else {
            memcpy(opened,
                   item + (i == 1 ? THEMIS_CELL_TOKEN_SIZE + THEMIS_RING_PREFIX_SIZE
                                  : THEMIS_RING_OVERHEAD),
                   TEXT_SIZE);
        }
        right = right && memcmp(opened, text, TEXT_SIZE) == 0;
    }
    return right;
}

const struct operation ring_operations[] = {
    {.name = "ring_new", .run = run_new, .is_right = has_blank_ring, .makes = true},
    {.name = "ring_read",
     .set_up = set_up_read,
     .run = run_read,
     .is_right = has_ring,
     .makes = true},
    {.name = "ring_read one key twice",
     .set_up = set_up_twice,
     .run = run_read_twice,
     .is_right = has_no_ring},
    {.name = "ring_add",
     .set_up = set_up_ring,
     .run = run_add,
     .is_right = has_ring,
     .makes = true},
    {.name = "ring_add a new key",
     .set_up = set_up_ring,
     .run = run_add,
     .is_right = has_ring,
     .flag = 1,
     .makes = true},
    {.name = "ring_add_legacy",
     .set_up = set_up_ring,
     .run = run_add_legacy,
     .is_right = has_ring,
     .makes = true},
    {.name = "ring_change remove",
     .set_up = set_up_ring,
     .run = run_change,
     .is_right = has_ring,
     .kind = THEMIS_RING_REMOVE,
     .makes = true},
    {.name = "ring_change drop legacy",
     .set_up = set_up_ring,
     .run = run_change,
     .is_right = has_ring,
     .kind = THEMIS_RING_DROP_LEGACY,
     .makes = true},
    {.name = "ring_secret", .set_up = set_up_ring, .run = run_secret, .is_right = has_secret},
    {.name = "ring_secret legacy",
     .set_up = set_up_ring,
     .run = run_secret,
     .is_right = has_secret,
     .flag = true},
    {.name = "ring_lock", .set_up = set_up_ring, .run = run_lock},
    {.name = "ring_pin", .set_up = set_up_ring, .run = run_pin},
    {.name = "ring_blind_index", .set_up = set_up_ring, .run = run_blind_index},
    {.name = "ring_follows", .set_up = set_up_ring, .run = run_follows},
    {.name = "ring_encrypt", .set_up = set_up_message, .run = run_encrypt, .is_right = is_stored},
    {.name = "ring_decrypt", .set_up = set_up_stored, .run = run_decrypt, .is_right = is_opened},
    {.name = "ring_decrypt a bare cell",
     .set_up = set_up_bare,
     .run = run_decrypt,
     .is_right = is_opened},
    {.name = "ring_decrypt a forgery",
     .set_up = set_up_forged,
     .run = run_forged,
     .is_right = is_wiped},
    {.name = "ring_rotate", .set_up = set_up_stored, .run = run_rotate, .is_right = is_stored},
    {.name = "ring_rotate a bare cell",
     .set_up = set_up_bare,
     .run = run_rotate,
     .is_right = is_stored},
    {.name = "ring encrypt many",
     .set_up = set_up_many,
     .run = run_many,
     .is_right = are_many_right,
     .kind = THEMIS_RING_ENCRYPT},
    {.name = "ring decrypt many",
     .set_up = set_up_many,
     .run = run_many,
     .is_right = are_many_right,
     .kind = THEMIS_RING_DECRYPT},
    {.name = NULL},
};

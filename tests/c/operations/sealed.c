/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed files: a handle, its slots of each kind, and its chunks. */
#include "operations/stage.h"

#include <string.h>

#include "secrets.h"
#include "soter/bytes.h"

enum { LOG2 = 12, CHUNK_SIZE = TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE, LABEL_BYTES = 18 };

static const uint8_t key_id[THEMIS_SEALED_KEY_ID_SIZE] = {1, 2, 3, 4, 5};
static const char slot_label[] = "TSFILE1 key slot";
static const char passphrase_label[] = "TSFILE1 passphrase slot";

/* KDF(secret, label, [D], 32) */
static void derive_from(const uint8_t *secret, size_t len, const char *label, uint8_t out[32])
{
    uint8_t contexts[4 + THEMIS_SEALED_DIGEST_SIZE] = {THEMIS_SEALED_DIGEST_SIZE};
    themis_sealed_digest(stage.writer, contexts + 4);
    must(themis_testing_kdf(secret,
                            len,
                            (const uint8_t *)label,
                            strlen(label),
                            contexts,
                            sizeof contexts,
                            out,
                            32),
         "KDF");
}

static void add_slot_cell(const char *name, const uint8_t *key, size_t len)
{
    add_hmac(name, key, len);
}

/* The file key, what is made of it, and the keys of all slots. */
static void add_sealed_secrets(void)
{
    uint8_t plain[THEMIS_SEALED_PLAIN_SIZE];
    uint8_t derived[32];
    uint8_t agreed[32];
    uint8_t contexts[4 + 4 + 4 + LABEL_BYTES] = {4, 0, 0, 0, TEXT_SIZE, 0, 0, 0, LABEL_BYTES};
    const uint8_t *fk = plain + THEMIS_SEALED_DIGEST_SIZE;
    must(themis_sealed_plain(stage.writer, plain), "the file key");
    add_hmac("file key", fk, 32);
    memcpy(contexts + 12, "TSFILE1\n\x0c", 9);
    contexts[12 + LABEL_BYTES - 1] = 1;
    derive(fk, 32, contexts, sizeof contexts, derived);
    secrets_add("key of a chunk", derived, sizeof derived);
    add_aes(derived, 256);
    add_hmac("master key", SHORT_KEY);
    derive_from(SHORT_KEY, slot_label, derived);
    add_slot_cell("key of a slot", derived, sizeof derived);
    add_hmac("passphrase", PASSPHRASE);
    derive_from(PASSPHRASE, passphrase_label, derived);
    secrets_add("key from a passphrase", derived, sizeof derived);
    add_private(&pairs[EC_256]);
    add_private(&pairs[EC_256_OTHER]);
    agree(&pairs[EC_256], &pairs[EC_256_OTHER], agreed, sizeof agreed);
    add_slot_cell("agreed secret", agreed, sizeof agreed);
    secrets_add("message", text, TEXT_SIZE);
}

static void set_up_writer(const struct operation *operation)
{
    (void)operation;
    must(themis_sealed_new(LOG2, CONTEXT, &stage.writer), "a new file");
    add_sealed_secrets();
}

/* ---- Handles ---- */

static int run_new(const struct operation *operation)
{
    (void)operation;
    return themis_sealed_new(LOG2, CONTEXT, &stage.sealed);
}

static int run_again(const struct operation *operation)
{
    (void)operation;
    return themis_sealed_again(stage.writer, CONTEXT, &stage.sealed);
}

/* Whether the handle has a key: its chunks are read again. */
static bool works(themis_sealed *sealed)
{
    uint8_t chunk[CHUNK_SIZE];
    uint8_t opened[TEXT_SIZE];
    return sealed != NULL &&
           themis_sealed_encrypt(sealed, 0, 1, text, TEXT_SIZE, chunk, sizeof chunk) ==
               THEMIS_SUCCESS &&
           themis_sealed_decrypt(sealed, 0, 1, chunk, sizeof chunk, opened, sizeof opened) ==
               THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

static bool has_key(const struct operation *operation)
{
    (void)operation;
    return works(stage.sealed);
}

static int run_name(const struct operation *operation)
{
    (void)operation;
    return themis_sealed_name(PRIVATE(EC_256), stage.out, stage.out + THEMIS_SEALED_NAME_SIZE);
}

static bool is_named(const struct operation *operation)
{
    (void)operation;
    return memcmp(stage.out + THEMIS_SEALED_NAME_SIZE,
                  pairs[EC_256].public_key,
                  THEMIS_SEALED_PUBLIC_SIZE) == 0;
}

static void set_up_name(const struct operation *operation)
{
    (void)operation;
    add_private(&pairs[EC_256]);
}

/* ---- Slots, written ---- */

/* A stretch for a slot, of few iterations. */
static void stretch_to_seal(void)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t derived[32];
    uint8_t hex[64];
    uint32_t left;
    derive_from(PASSPHRASE, passphrase_label, derived);
    for (size_t i = 0; i < sizeof derived; i++) {
        hex[2 * i] = (uint8_t)digits[derived[i] >> 4];
        hex[2 * i + 1] = (uint8_t)digits[derived[i] & 15];
    }
    add_hmac("passphrase of a slot", hex, sizeof hex);
    must(themis_passphrase_new(hex, sizeof hex, ITERATIONS, &stage.passphrase), "a passphrase");
    must(themis_stretch_to_seal(stage.passphrase, &stage.stretch), "to begin the work");
    must(themis_stretch_work(stage.stretch, UINT32_MAX, &left), "to work");
}

static void mask(const uint8_t *from, uint8_t *to)
{
    for (size_t i = 0; i < THEMIS_SEALED_PLAIN_SIZE; i++) {
        to[i] = from[i] ^ 0x5a;
    }
}

static int make_slot(int kind, uint8_t *slot, size_t slot_len)
{
    switch (kind) {
    case THEMIS_SEALED_KEY:
        return themis_sealed_key_slot(stage.writer,
                                      SHORT_KEY,
                                      key_id,
                                      sizeof key_id,
                                      slot,
                                      slot_len);
    case THEMIS_SEALED_PASSPHRASE:
        return themis_sealed_passphrase_slot(stage.writer, stage.stretch, slot, slot_len);
    case THEMIS_SEALED_RECIPIENT:
        return themis_sealed_recipient_slot(stage.writer, PUBLIC(EC_256), 0, slot, slot_len);
    case THEMIS_SEALED_SENDER:
        return themis_sealed_sender_slot(stage.writer,
                                         PRIVATE(EC_256_OTHER),
                                         PUBLIC(EC_256),
                                         slot,
                                         slot_len);
    default: /* a service of little worth */
        memcpy(slot, "\5\1\0\x40s", 5);
        must(themis_sealed_plain(stage.writer, slot + 5), "the file key");
        mask(slot + 5, slot + 5);
        return THEMIS_SUCCESS;
    }
}

static size_t slot_size(int kind)
{
    static const size_t sizes[] = {0,
                                   THEMIS_SEALED_KEY_SLOT_SIZE,
                                   THEMIS_SEALED_PASSPHRASE_SLOT_SIZE,
                                   THEMIS_SEALED_RECIPIENT_SLOT_SIZE,
                                   THEMIS_SEALED_SENDER_SLOT_SIZE,
                                   5 + THEMIS_SEALED_PLAIN_SIZE};
    return sizes[kind];
}

/* A header of one slot, and how long it is without its mac. */
static size_t put_head(const uint8_t *slot, size_t slot_len, uint8_t *head)
{
    memcpy(head, "TSFILE1\n\x0c\1", 10);
    soter_put_u32be(head + 10, (uint32_t)slot_len);
    memcpy(head + THEMIS_SEALED_START_SIZE, slot, slot_len);
    return THEMIS_SEALED_START_SIZE + slot_len;
}

static void set_up_slot(const struct operation *operation)
{
    set_up_writer(operation);
    stretch_to_seal();
}

static int run_slot(const struct operation *operation)
{
    stage.out_len = slot_size(operation->kind);
    return make_slot(operation->kind, stage.out, stage.out_len);
}

/* Tries the one slot of the file that is being read. */
static int open_slot(int kind)
{
    static uint8_t plain[THEMIS_SEALED_PLAIN_SIZE];
    switch (kind) {
    case THEMIS_SEALED_KEY:
        return themis_sealed_open_key(stage.sealed, 0, SHORT_KEY);
    case THEMIS_SEALED_PASSPHRASE:
        return themis_sealed_open_passphrase(stage.sealed, 0, stage.passphrase, stage.stretch);
    case THEMIS_SEALED_RECIPIENT:
        return themis_sealed_open_recipient(stage.sealed, 0, PRIVATE(EC_256));
    case THEMIS_SEALED_SENDER:
        return themis_sealed_open_sender(stage.sealed, 0, PRIVATE(EC_256), PUBLIC(EC_256_OTHER));
    default:
        mask(stage.in + THEMIS_SEALED_START_SIZE + 5, plain);
        return themis_sealed_open_service(stage.sealed, 0, plain, sizeof plain);
    }
}

/* Puts a file of one slot where it is read from. */
static void set_up_file(const struct operation *operation)
{
    uint8_t slot[THEMIS_SEALED_SENDER_SLOT_SIZE];
    size_t where;
    set_up_slot(operation);
    must(make_slot(operation->kind, slot, sizeof slot), "a slot");
    stage.in_len = put_head(slot, slot_size(operation->kind), stage.in);
    must(themis_sealed_mac(stage.writer,
                           stage.in,
                           stage.in_len,
                           stage.in + stage.in_len,
                           &stage.why,
                           &where),
         "a mac");
    stage.in_len += THEMIS_SEALED_MAC_SIZE;
}

static int run_read(const struct operation *operation)
{
    size_t where;
    (void)operation;
    return themis_sealed_read(stage.in, stage.in_len, CONTEXT, &stage.sealed, &stage.why, &where);
}

static bool is_read(const struct operation *operation)
{
    uint32_t fields[5];
    return stage.sealed != NULL && themis_sealed_count(stage.sealed) == 1 &&
           themis_sealed_describe(stage.sealed, 0, fields) == THEMIS_SUCCESS &&
           fields[0] == (uint32_t)operation->kind;
}

static int run_mac(const struct operation *operation)
{
    size_t where;
    (void)operation;
    return themis_sealed_mac(stage.writer,
                             stage.in,
                             stage.in_len - THEMIS_SEALED_MAC_SIZE,
                             stage.out,
                             &stage.why,
                             &where);
}

static bool is_mac(const struct operation *operation)
{
    (void)operation;
    return memcmp(stage.out,
                  stage.in + stage.in_len - THEMIS_SEALED_MAC_SIZE,
                  THEMIS_SEALED_MAC_SIZE) == 0;
}

/* Whether a slot that was made opens the file that it was made for. */
static bool is_slot(const struct operation *operation)
{
    size_t where;
    uint32_t left;
    bool is_right;
    stage.in_len = put_head(stage.out, stage.out_len, stage.in);
    must(themis_sealed_mac(stage.writer,
                           stage.in,
                           stage.in_len,
                           stage.in + stage.in_len,
                           &stage.why,
                           &where),
         "a mac");
    stage.in_len += THEMIS_SEALED_MAC_SIZE;
    must(run_read(operation), "to read the header");
    if (operation->kind == THEMIS_SEALED_PASSPHRASE) {
        themis_stretch_free(stage.stretch);
        stage.stretch = NULL;
        must(themis_sealed_stretch(stage.sealed, 0, stage.passphrase, &stage.stretch), "a stretch");
        must(themis_stretch_work(stage.stretch, UINT32_MAX, &left), "to work");
    }
    is_right = open_slot(operation->kind) == THEMIS_SUCCESS && works(stage.sealed);
    themis_sealed_free(stage.sealed);
    stage.sealed = NULL;
    return is_right;
}

/* ---- Slots, read ---- */

static void set_up_open(const struct operation *operation)
{
    uint32_t left;
    set_up_file(operation);
    must(run_read(operation), "to read the header");
    if (operation->kind == THEMIS_SEALED_PASSPHRASE) {
        themis_stretch_free(stage.stretch);
        stage.stretch = NULL;
        must(themis_sealed_stretch(stage.sealed, 0, stage.passphrase, &stage.stretch), "a stretch");
        must(themis_stretch_work(stage.stretch, UINT32_MAX, &left), "to work");
    }
}

static int run_open(const struct operation *operation)
{
    return open_slot(operation->kind);
}

static int run_passphrase(const struct operation *operation)
{
    (void)operation;
    return themis_sealed_passphrase(stage.writer, PASSPHRASE, 0, &stage.passphrase);
}

static bool has_passphrase(const struct operation *operation)
{
    (void)operation;
    return stage.passphrase != NULL;
}

/* ---- Chunks ---- */

static int run_encrypt(const struct operation *operation)
{
    (void)operation;
    stage.out_len = CHUNK_SIZE;
    return themis_sealed_encrypt(stage.writer, 0, 1, text, TEXT_SIZE, stage.out, CHUNK_SIZE);
}

static bool is_encrypted(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return themis_sealed_decrypt(stage.writer, 0, 1, stage.out, CHUNK_SIZE, opened, TEXT_SIZE) ==
               THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

/* A right chunk, or a wrong one. */
static void set_up_chunk(const struct operation *operation)
{
    set_up_writer(operation);
    must(run_encrypt(operation), "to encrypt");
    memcpy(stage.in, stage.out, stage.in_len = CHUNK_SIZE);
    stage.in[CHUNK_SIZE - 1] ^= (uint8_t)operation->flag;
}

static int run_decrypt(const struct operation *operation)
{
    int status;
    stage.out_len = TEXT_SIZE;
    status = themis_sealed_decrypt(stage.writer, 0, 1, stage.in, CHUNK_SIZE, stage.out, TEXT_SIZE);
    if (operation->flag == 0) {
        return status;
    }
    if (status == THEMIS_SUCCESS) {
        stage_fail("to refuse a forged chunk");
    }
    return status == THEMIS_FAIL ? THEMIS_SUCCESS : status;
}

static bool is_wiped(const struct operation *operation)
{
    (void)operation;
    return themis_sealed_zeros(stage.out, TEXT_SIZE) == TEXT_SIZE;
}

#define SLOT(text, number)                                                                         \
    {.name = "sealed " text " slot",                                                               \
     .set_up = set_up_slot,                                                                        \
     .run = run_slot,                                                                              \
     .is_right = is_slot,                                                                          \
     .kind = (number)},                                                                            \
    {                                                                                              \
        .name = "sealed open " text, .set_up = set_up_open, .run = run_open, .is_right = has_key,  \
        .kind = (number)                                                                           \
    }

const struct operation sealed_operations[] = {
    {.name = "sealed_new", .run = run_new, .is_right = has_key, .makes = true},
    {.name = "sealed_again",
     .set_up = set_up_writer,
     .run = run_again,
     .is_right = has_key,
     .makes = true},
    {.name = "sealed_read",
     .set_up = set_up_file,
     .run = run_read,
     .is_right = is_read,
     .kind = THEMIS_SEALED_RECIPIENT,
     .makes = true},
    {.name = "sealed name", .set_up = set_up_name, .run = run_name, .is_right = is_named},
    {.name = "sealed mac",
     .set_up = set_up_file,
     .run = run_mac,
     .is_right = is_mac,
     .kind = THEMIS_SEALED_KEY},
    {.name = "sealed passphrase",
     .set_up = set_up_writer,
     .run = run_passphrase,
     .is_right = has_passphrase,
     .makes = true},
    SLOT("key", THEMIS_SEALED_KEY),
    SLOT("passphrase", THEMIS_SEALED_PASSPHRASE),
    SLOT("recipient", THEMIS_SEALED_RECIPIENT),
    SLOT("sender", THEMIS_SEALED_SENDER),
    {.name = "sealed open service",
     .set_up = set_up_open,
     .run = run_open,
     .is_right = has_key,
     .kind = THEMIS_SEALED_SERVICE},
    {.name = "sealed encrypt",
     .set_up = set_up_writer,
     .run = run_encrypt,
     .is_right = is_encrypted},
    {.name = "sealed decrypt", .set_up = set_up_chunk, .run = run_decrypt, .is_right = is_opened},
    {.name = "sealed decrypt, forged",
     .set_up = set_up_chunk,
     .run = run_decrypt,
     .is_right = is_wiped,
     .flag = 1},
    {.name = NULL},
};

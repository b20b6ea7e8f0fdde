/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a sealed file:
 *
 *   0         8      9       10             14
 *   | magic   | log2 | count | slots length | slots ... |
 *
 * and each slot:
 *
 *   0      1           2             4
 *   | kind | id length | body length | id | body |
 *
 * The numbers are big-endian, but for those inside of cells. Every loop ends with the number of
 * slots, at most 255, or with the bytes of one. */
#include "themis/sealed_head.h"

#include <string.h>

#define MAGIC "TSFILE1\n"
#define MAGIC_SIZE 8
#define VERSION_AT 6

#define KEY_BODY_SIZE 76
#define KEY_ID_SIZE 5
#define PASSPHRASE_BODY_SIZE 102
#define RECIPIENT_BODY_SIZE 129
#define RECIPIENT_ID_SIZE 8
#define SENDER_BODY_SIZE 146
#define SENDER_ID_SIZE 16

#define ITERATIONS_AT 48
#define SALT_LENGTH_AT 52
#define EPHEMERAL_SIZE 45
#define EPHEMERAL_SIGN_AT 12

#define PASSPHRASES_MAX 4
#define HIDDEN_MAX 64

/* What encrypted 32 bytes begin with, in the one form that is allowed (FORMATS, 6a). */
static const uint8_t cell_start[16] = {0, 1, 1, 0x40, 12, 0, 0, 0, 16, 0, 0, 0, 32, 0, 0, 0};
static const uint8_t passphrase_start[20] = {0, 1, 1,  0x41, 12, 0, 0,  0, 16, 0,
                                             0, 0, 32, 0,    0,  0, 22, 0, 0,  0};
static const uint8_t recipient_start[24] = {0x20, 0x27, 4, 0x26, 84, 0, 0, 0, 0,  1, 1, 0x40,
                                            12,   0,    0, 0,    16, 0, 0, 0, 32, 0, 0, 0};
static const uint8_t sender_start[24] = {0x20, 0x27, 4, 0x26, 146, 0, 0, 0, 0,  1, 1, 0x40,
                                         12,   0,    0, 0,    16,  0, 0, 0, 94, 0, 0, 0};
static const uint8_t ephemeral_start[8] = {'U', 'E', 'C', '2', 0, 0, 0, EPHEMERAL_SIZE};

static soter_status
refuse(struct themis_sealed_fault *fault, soter_status status, size_t slot, const char *why)
{
    fault->why = why;
    fault->slot = slot;
    return status;
}

static bool is_later_version(const uint8_t *bytes)
{
    const uint8_t version = bytes[VERSION_AT];
    return memcmp(bytes, MAGIC, VERSION_AT) == 0 && bytes[MAGIC_SIZE - 1] == '\n' &&
           version >= '0' && version <= '9' && version != '1';
}

soter_status themis_sealed_head_begin(const uint8_t *bytes,
                                      size_t bytes_len,
                                      struct themis_sealed_head *head,
                                      size_t *slots_len,
                                      struct themis_sealed_fault *fault)
{
    if (bytes_len < THEMIS_SEALED_START_SIZE) {
        return refuse(fault, SOTER_DATA_CORRUPT, 0, "it has fewer than 14 bytes");
    }
    if (is_later_version(bytes)) {
        return refuse(fault, SOTER_NOT_SUPPORTED, 0, "it is of a later version of the format");
    }
    if (memcmp(bytes, MAGIC, MAGIC_SIZE) != 0) {
        return refuse(fault, SOTER_INVALID_PARAMETER, 0, "it does not begin with TSFILE1");
    }
    head->log2 = bytes[8];
    head->count = bytes[9];
    *slots_len = soter_get_u32be(bytes + 10);
    if (head->log2 < THEMIS_SEALED_LOG2_MIN || head->log2 > THEMIS_SEALED_LOG2_MAX) {
        return refuse(fault, SOTER_DATA_CORRUPT, 0, "its chunks are of an impossible size");
    }
    if (head->count == 0) {
        return refuse(fault, SOTER_DATA_CORRUPT, 0, "it has no slots");
    }
    if (*slots_len > THEMIS_SEALED_SLOTS_MAX_SIZE) {
        return refuse(fault, SOTER_DATA_CORRUPT, 0, "its slots have more than 262144 bytes");
    }
    return SOTER_SUCCESS;
}

/* ---- The form of one slot (8.3) ---- */

static bool starts_with(struct soter_slice bytes, const uint8_t *start, size_t start_len)
{
    return bytes.len >= start_len && memcmp(bytes.data, start, start_len) == 0;
}

static bool is_key(const struct themis_sealed_slot *slot)
{
    return (slot->id.len == 0 || slot->id.len == KEY_ID_SIZE) && slot->body.len == KEY_BODY_SIZE &&
           starts_with(slot->body, cell_start, sizeof cell_start);
}

static bool is_passphrase(struct themis_sealed_slot *slot)
{
    if (slot->id.len != 0 || slot->body.len != PASSPHRASE_BODY_SIZE ||
        !starts_with(slot->body, passphrase_start, sizeof passphrase_start)) {
        return false;
    }
    slot->iterations = soter_get_u32le(slot->body.data + ITERATIONS_AT);
    return slot->iterations >= 1 && slot->iterations <= THEMIS_PASSPHRASE_ITERATIONS_LIMIT &&
           slot->body.data[SALT_LENGTH_AT] == 16 && slot->body.data[SALT_LENGTH_AT + 1] == 0;
}

static bool is_recipient(const struct themis_sealed_slot *slot)
{
    return (slot->id.len == 0 || slot->id.len == RECIPIENT_ID_SIZE) &&
           slot->body.len == RECIPIENT_BODY_SIZE &&
           starts_with(slot->body, ephemeral_start, sizeof ephemeral_start) &&
           (slot->body.data[EPHEMERAL_SIGN_AT] | 1) == 3 &&
           memcmp(slot->body.data + EPHEMERAL_SIZE, recipient_start, sizeof recipient_start) == 0;
}

static bool is_sender(const struct themis_sealed_slot *slot)
{
    return slot->id.len == SENDER_ID_SIZE && slot->body.len == SENDER_BODY_SIZE &&
           starts_with(slot->body, sender_start, sizeof sender_start);
}

static bool is_service(const struct themis_sealed_slot *slot)
{
    for (size_t i = 0; i < slot->id.len; i++) {
        if (slot->id.data[i] < 0x21 || slot->id.data[i] > 0x7E) {
            return false;
        }
    }
    return slot->id.len != 0 && slot->body.len != 0;
}

static const char *wrong_form(struct themis_sealed_slot *slot)
{
    switch (slot->kind) {
    case 0:
        return "it is of kind 0, which does not exist";
    case THEMIS_SEALED_KEY:
        return is_key(slot) ? NULL : "it is not a key slot in the form that is allowed";
    case THEMIS_SEALED_PASSPHRASE:
        return is_passphrase(slot) ? NULL
                                   : "it is not a passphrase slot in the form that is allowed";
    case THEMIS_SEALED_RECIPIENT:
        return is_recipient(slot) ? NULL : "it is not a recipient slot in the form that is allowed";
    case THEMIS_SEALED_SENDER:
        return is_sender(slot) ? NULL : "it is not a sender slot in the form that is allowed";
    case THEMIS_SEALED_SERVICE:
        return is_service(slot) ? NULL : "it is not a service slot in the form that is allowed";
    default:
        return NULL; /* of a later writer: passed over */
    }
}

static bool read_slot(struct soter_reader *reader, struct themis_sealed_slot *slot)
{
    const uint8_t *fixed;
    slot->encoded.data = reader->at;
    slot->iterations = 0;
    if (!soter_read_bytes(reader, THEMIS_SEALED_SLOT_START_SIZE, &fixed)) {
        return false;
    }
    slot->kind = fixed[0];
    slot->id.len = fixed[1];
    slot->body.len = (size_t)fixed[2] << 8 | fixed[3];
    slot->encoded.len = THEMIS_SEALED_SLOT_START_SIZE + slot->id.len + slot->body.len;
    return soter_read_bytes(reader, slot->id.len, &slot->id.data) &&
           soter_read_bytes(reader, slot->body.len, &slot->body.data);
}

static bool is_before(struct soter_slice a, struct soter_slice b)
{
    const size_t shorter = a.len < b.len ? a.len : b.len;
    const int order = memcmp(a.data, b.data, shorter);
    return order < 0 || (order == 0 && a.len < b.len);
}

/* ---- All slots together ---- */

static bool is_same_id(const struct themis_sealed_slot *a, const struct themis_sealed_slot *b)
{
    return a->kind == b->kind && a->kind <= THEMIS_SEALED_SERVICE && a->id.len != 0 &&
           a->id.len == b->id.len && memcmp(a->id.data, b->id.data, a->id.len) == 0;
}

/* Slots of one id need not be neighbours: the length of a body comes before the id. */
static bool has_twin(const struct themis_sealed_head *head, size_t number)
{
    for (size_t i = 0; i < number; i++) {
        if (is_same_id(&head->slots[i], &head->slots[number])) {
            return true;
        }
    }
    return false;
}

static soter_status check_set(const struct themis_sealed_head *head,
                              struct themis_sealed_fault *fault)
{
    size_t passphrases = 0;
    size_t hidden = 0;
    for (size_t i = 0; i < head->count; i++) {
        const struct themis_sealed_slot *slot = &head->slots[i];
        passphrases += slot->kind == THEMIS_SEALED_PASSPHRASE;
        hidden += slot->kind == THEMIS_SEALED_RECIPIENT && slot->id.len == 0;
        if (slot->kind == THEMIS_SEALED_SENDER && head->count > 1) {
            return refuse(fault, SOTER_DATA_CORRUPT, i + 1, "a sender slot must be the only one");
        }
        if (has_twin(head, i)) {
            return refuse(fault, SOTER_DATA_CORRUPT, i + 1, "another slot of its kind has its id");
        }
    }
    if (passphrases > PASSPHRASES_MAX) {
        return refuse(fault, SOTER_DATA_CORRUPT, 0, "it has more than 4 passphrase slots");
    }
    if (hidden > HIDDEN_MAX) {
        return refuse(fault, SOTER_DATA_CORRUPT, 0, "it has more than 64 hidden recipients");
    }
    return SOTER_SUCCESS;
}

soter_status themis_sealed_head_read(const uint8_t *bytes,
                                     size_t bytes_len,
                                     struct themis_sealed_head *head,
                                     struct themis_sealed_fault *fault)
{
    struct soter_reader reader;
    size_t slots_len = 0;
    const soter_status status = themis_sealed_head_begin(bytes, bytes_len, head, &slots_len, fault);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    soter_reader_init(&reader,
                      bytes + THEMIS_SEALED_START_SIZE,
                      bytes_len - THEMIS_SEALED_START_SIZE);
    if (reader.left != slots_len) {
        return refuse(fault, SOTER_DATA_CORRUPT, 0, "it ends within its header");
    }
    for (size_t i = 0; i < head->count; i++) {
        struct themis_sealed_slot *slot = &head->slots[i];
        const char *why;
        if (!read_slot(&reader, slot)) {
            return refuse(fault, SOTER_DATA_CORRUPT, i + 1, "it is longer than what is left");
        }
        why = wrong_form(slot);
        if (why == NULL && i != 0 && !is_before(head->slots[i - 1].encoded, slot->encoded)) {
            why = "it does not come after the slot before it in the order of their bytes";
        }
        if (why != NULL) {
            return refuse(fault, SOTER_DATA_CORRUPT, i + 1, why);
        }
    }
    if (reader.left != 0) {
        return refuse(fault, SOTER_DATA_CORRUPT, 0, "bytes follow its last slot");
    }
    return check_set(head, fault);
}

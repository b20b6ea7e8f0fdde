/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed files. Input: flags with the slots to make; then for a raw run a header with its mac, else
 * a context, a number, a text for the pieces, and the edits of the header and of the chunks.
 *
 * Promises: a header is judged as the specification has it, and read only as far as the bytes go;
 * each honest slot opens its file; what is not the honest header opens nothing, and what are not
 * the honest chunks at their place are refused, and nothing comes out. */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"

enum { FLAG_RAW = 1, FLAG_KEY = 2, FLAG_RECIPIENT = 4, FLAG_SERVICE = 8, FLAG_SENDER = 16 };
enum { START = 14, MAC = 32, LOG2 = 12, PIECE = 4096 };

static const uint8_t key[32] = "a key of thirty-two bytes: 4f2a";

/* ---- What the specification says about a header ---- */

static bool is_before(struct soter_slice a, struct soter_slice b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        if (a.data[i] != b.data[i]) {
            return a.data[i] < b.data[i];
        }
    }
    return a.len < b.len;
}

static uint32_t le(const uint8_t *at)
{
    return soter_get_u32le(at);
}

/* A cell of so many bytes with no other form than the strict one. */
static bool is_cell(const uint8_t *at, uint32_t size)
{
    return le(at) == 0x40010100 && le(at + 4) == 12 && le(at + 8) == 16 && le(at + 12) == size;
}

static bool is_message(const uint8_t *at, uint32_t size)
{
    return le(at) == 0x26042720 && le(at + 4) == size + 52 && is_cell(at + 8, size);
}

static bool has_form(uint8_t kind, struct soter_slice id, struct soter_slice body)
{
    const uint8_t *at = body.data;
    switch (kind) {
    case 0:
        return false;
    case THEMIS_SEALED_KEY:
        return (id.len == 0 || id.len == 5) && body.len == 76 && is_cell(at, 32);
    case THEMIS_SEALED_PASSPHRASE:
        return id.len == 0 && body.len == 102 && le(at) == 0x41010100 && le(at + 4) == 12 &&
               le(at + 8) == 16 && le(at + 12) == 32 && le(at + 16) == 22 && le(at + 48) != 0 &&
               le(at + 48) <= INT32_MAX && at[52] == 16 && at[53] == 0;
    case THEMIS_SEALED_RECIPIENT:
        return (id.len == 0 || id.len == 8) && body.len == 129 &&
               memcmp(at, "UEC2\0\0\0\x2d", 8) == 0 && (at[12] == 2 || at[12] == 3) &&
               is_message(at + 45, 32);
    case THEMIS_SEALED_SENDER:
        return id.len == 16 && body.len == 146 && is_message(at, 94);
    case THEMIS_SEALED_SERVICE:
        for (size_t i = 0; i < id.len; i++) {
            if (id.data[i] <= ' ' || id.data[i] >= 0x7F) {
                return false;
            }
        }
        return id.len != 0 && body.len != 0;
    default:
        return true;
    }
}

static bool slots_are_sound(const uint8_t *at, const uint8_t *end, size_t count)
{
    static struct soter_slice ids[256]; /* with the kind before them, up to the last known one */
    struct soter_slice before = {at, 0};
    size_t named = 0;
    size_t of_kind[256] = {0};
    size_t hidden = 0;
    for (size_t i = 0; i < count; i++) {
        struct soter_slice whole = {at, 0};
        struct soter_slice id;
        struct soter_slice body;
        if (end - at < 4) {
            return false;
        }
        id = (struct soter_slice){at + 4, at[1]};
        body = (struct soter_slice){at + 4 + id.len, (size_t)at[2] * 256 + at[3]};
        whole.len = 4 + id.len + body.len;
        if ((size_t)(end - at) < whole.len || !has_form(at[0], id, body) ||
            (i != 0 && !is_before(before, whole))) {
            return false;
        }
        of_kind[at[0]]++;
        hidden += at[0] == THEMIS_SEALED_RECIPIENT && id.len == 0;
        for (size_t j = 0; j < named && at[0] <= THEMIS_SEALED_SERVICE && id.len != 0; j++) {
            if (ids[j].data[-4] == at[0] && fuzz_equal(ids[j], id)) {
                return false;
            }
        }
        ids[named] = id;
        named += id.len != 0;
        before = whole;
        at += whole.len;
    }
    return at == end && of_kind[THEMIS_SEALED_PASSPHRASE] <= 4 && hidden <= 64 &&
           (of_kind[THEMIS_SEALED_SENDER] == 0 || count == 1);
}

static int expected_status(struct soter_slice file)
{
    const uint8_t *at = file.data;
    size_t slots_len;
    if (file.len < START) {
        return THEMIS_DATA_CORRUPT;
    }
    if (memcmp(at, "TSFILE", 6) == 0 && at[7] == '\n' && at[6] >= '0' && at[6] <= '9' &&
        at[6] != '1') {
        return THEMIS_NOT_SUPPORTED;
    }
    if (memcmp(at, "TSFILE1\n", 8) != 0) {
        return THEMIS_INVALID_PARAMETER;
    }
    slots_len = soter_get_u32be(at + 10);
    if (at[8] < 12 || at[8] > 24 || at[9] == 0 || slots_len > 262144 ||
        file.len != START + slots_len + MAC) {
        return THEMIS_DATA_CORRUPT;
    }
    return slots_are_sound(at + START, at + START + slots_len, at[9]) ? THEMIS_SUCCESS
                                                                      : THEMIS_DATA_CORRUPT;
}

/* Reads a header with its mac; gives a handle if it is sound. */
static themis_sealed *read_head(struct soter_slice file, struct soter_slice context)
{
    uint8_t *copy = fuzz_copy(file);
    themis_sealed *sealed = NULL;
    const char *why = NULL;
    size_t slot = 0;
    size_t size = 0;
    const int expected = expected_status(file);
    const int status =
        themis_sealed_read(copy, file.len, context.data, context.len, &sealed, &why, &slot);
    MUST(status == expected && (status == THEMIS_SUCCESS) == (sealed != NULL));
    MUST((status == THEMIS_SUCCESS) == (why == NULL));
    MUST(slot <= THEMIS_SEALED_SLOTS_MAX);
    if (themis_sealed_size(copy, file.len, &size, &why) == THEMIS_SUCCESS) {
        MUST(size <= START + THEMIS_SEALED_SLOTS_MAX_SIZE + MAC);
    }
    MUST(status != THEMIS_SUCCESS || size == file.len);
    free(copy);
    return sealed;
}

/* Tries all slots with all that there is; whether one opened. */
static bool open_any(themis_sealed *sealed, const uint8_t plain[THEMIS_SEALED_PLAIN_SIZE])
{
    const struct soter_slice ours = fuzz_ec_private(256, false);
    const struct soter_slice theirs = fuzz_ec_public(256, true);
    for (size_t i = 0; i < themis_sealed_count(sealed); i++) {
        uint32_t fields[5];
        int status = THEMIS_FAIL;
        MUST(themis_sealed_describe(sealed, i, fields) == THEMIS_SUCCESS);
        switch (fields[0]) {
        case THEMIS_SEALED_KEY:
            status = themis_sealed_open_key(sealed, i, key, sizeof key);
            break;
        case THEMIS_SEALED_RECIPIENT:
            status = themis_sealed_open_recipient(sealed, i, ours.data, ours.len);
            break;
        case THEMIS_SEALED_SENDER:
            status =
                themis_sealed_open_sender(sealed, i, ours.data, ours.len, theirs.data, theirs.len);
            break;
        case THEMIS_SEALED_SERVICE:
            status = themis_sealed_open_service(sealed, i, plain, THEMIS_SEALED_PLAIN_SIZE);
            break;
        default:
            break;
        }
        MUST(status == THEMIS_SUCCESS || status == THEMIS_FAIL);
        if (status == THEMIS_SUCCESS) {
            return true;
        }
    }
    return false;
}

/* ---- What honest code makes, and its edits ---- */

static void add_slot(struct fuzz_message *file, size_t len)
{
    file->bytes[9]++;
    file->len += len;
}

static void
write_head(themis_sealed *sealed, uint8_t flags, const uint8_t *plain, struct fuzz_message *file)
{
    const struct soter_slice ours = fuzz_ec_public(256, false);
    const struct soter_slice theirs = fuzz_ec_private(256, true);
    const char *why = NULL;
    size_t slot = 0;
    uint8_t *mac;
    memcpy(file->bytes, "TSFILE1\n\x0c\0", 10);
    file->len = START;
#define ROOM file->bytes + file->len, FUZZ_MESSAGE_ROOM - file->len
    if ((flags & FLAG_SENDER) != 0) {
        MUST(
            themis_sealed_sender_slot(sealed, theirs.data, theirs.len, ours.data, ours.len, ROOM) ==
            THEMIS_SUCCESS);
        add_slot(file, THEMIS_SEALED_SENDER_SLOT_SIZE);
        flags = 0;
    }
    if ((flags & FLAG_KEY) != 0) {
        MUST(themis_sealed_key_slot(sealed, key, sizeof key, plain, 5, ROOM) == THEMIS_SUCCESS);
        add_slot(file, THEMIS_SEALED_KEY_SLOT_SIZE);
    }
    if ((flags & FLAG_RECIPIENT) != 0) {
        MUST(themis_sealed_recipient_slot(sealed, ours.data, ours.len, 0, ROOM) == THEMIS_SUCCESS);
        add_slot(file, THEMIS_SEALED_RECIPIENT_SLOT_SIZE);
    }
    if ((flags & FLAG_SERVICE) != 0) {
        memcpy(file->bytes + file->len, "\5\1\0\1sb", 6);
        add_slot(file, 6);
    }
#undef ROOM
    soter_put_u32be(file->bytes + 10, (uint32_t)(file->len - START));
    mac = file->bytes + file->len;
    MUST(themis_sealed_mac(sealed, file->bytes, file->len, mac, &why, &slot) == THEMIS_SUCCESS);
    file->len += MAC;
}

static void edit_head(fuzz_input *input,
                      themis_sealed *sealed,
                      uint8_t flags,
                      struct soter_slice context,
                      const uint8_t *plain)
{
    static struct fuzz_message honest;
    static struct fuzz_message changed;
    themis_sealed *reading;
    if ((flags & (FLAG_KEY | FLAG_RECIPIENT | FLAG_SERVICE | FLAG_SENDER)) == 0) {
        flags |= FLAG_KEY;
    }
    write_head(sealed, flags, plain, &honest);
    reading = read_head(fuzz_slice(&honest), context);
    MUST(reading != NULL && open_any(reading, plain));
    themis_sealed_free(reading);
    changed = honest;
    fuzz_edit(input, &changed);
    reading = read_head(fuzz_slice(&changed), context);
    if (reading != NULL) {
        MUST(open_any(reading, plain) == fuzz_equal(fuzz_slice(&changed), fuzz_slice(&honest)));
    }
    themis_sealed_free(reading);
}

static int decrypt(themis_sealed *sealed,
                   uint64_t number,
                   bool is_last,
                   struct soter_slice chunks,
                   struct soter_slice text)
{
    const size_t growth = (chunks.len + PIECE + 43) / (PIECE + 44) * THEMIS_CELL_TOKEN_SIZE;
    const size_t size = chunks.len > growth ? chunks.len - growth : 0;
    uint8_t *copy = fuzz_copy(chunks);
    uint8_t *room = fuzz_room(size);
    const int status = themis_sealed_decrypt(sealed, number, is_last, copy, chunks.len, room, size);
    MUST(status == THEMIS_SUCCESS || status == THEMIS_FAIL || status == THEMIS_INVALID_PARAMETER);
    MUST(status == THEMIS_SUCCESS ? memcmp(room, text.data, text.len) == 0
                                  : fuzz_nothing_in(room, size));
    free(room);
    free(copy);
    return status;
}

static void edit_chunks(fuzz_input *input, themis_sealed *sealed)
{
    static struct fuzz_message honest;
    static struct fuzz_message changed;
    const uint64_t number = (uint64_t)fuzz_number(input) << (fuzz_byte(input) % 32);
    const struct soter_slice text = fuzz_field(input);
    const size_t rest = text.len % PIECE;
    const bool is_whole = text.len != 0 && (rest == 0 || rest >= THEMIS_SEALED_LAST_MIN);
    int status = themis_sealed_encrypt(sealed,
                                       number,
                                       1,
                                       text.data,
                                       text.len,
                                       honest.bytes,
                                       sizeof honest.bytes);
    MUST(status == (is_whole ? THEMIS_SUCCESS : THEMIS_INVALID_PARAMETER));
    if (!is_whole) {
        return;
    }
    honest.len = text.len + (text.len + PIECE - 1) / PIECE * THEMIS_CELL_TOKEN_SIZE;
    MUST(decrypt(sealed, number, true, fuzz_slice(&honest), text) == THEMIS_SUCCESS);
    MUST(decrypt(sealed, number + 1, true, fuzz_slice(&honest), text) == THEMIS_FAIL);
    MUST(decrypt(sealed, number, false, fuzz_slice(&honest), text) != THEMIS_SUCCESS);
    changed = honest;
    fuzz_edit(input, &changed);
    status = decrypt(sealed, number, true, fuzz_slice(&changed), text);
    MUST((status == THEMIS_SUCCESS) == fuzz_equal(fuzz_slice(&changed), fuzz_slice(&honest)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    const uint8_t nothing[THEMIS_SEALED_PLAIN_SIZE] = {0};
    const struct soter_slice context = fuzz_field(&input);
    uint8_t plain[THEMIS_SEALED_PLAIN_SIZE];
    themis_sealed *sealed = NULL;
    if ((flags & FLAG_RAW) != 0) {
        sealed = read_head(fuzz_rest(&input), context);
        if (sealed != NULL) {
            (void)open_any(sealed, nothing);
        }
    } else {
        MUST(themis_sealed_new(LOG2, context.data, context.len, &sealed) == THEMIS_SUCCESS);
        MUST(themis_sealed_plain(sealed, plain) == THEMIS_SUCCESS);
        edit_head(&input, sealed, flags, context, plain);
        edit_chunks(&input, sealed);
    }
    themis_sealed_free(sealed);
    return 0;
}

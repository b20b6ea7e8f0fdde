/* SPDX-License-Identifier: Apache-2.0 */
/* The payload of a keyring, read: one line of JSON in exactly one form, a regular grammar.
 *
 *   {"keys":[KEY,...],"legacy":["BASE64",...],"name":"NAME","primary":"ID","version":NUMBER}
 *   KEY = {"created":NUMBER,"id":"ID","key":"BASE64","state":"active"}     or "retired"
 *
 * It is scanned where it lies, so that no copy of a key stays anywhere but where it is prepared.
 * What is not a key may choose branches: ids, times, states, names and lengths are no secrets. */
#include "themis/ring_text.h"

#include <stdlib.h>
#include <string.h>

#include "soter/base64.h"
#include "soter/hash.h"
#include "soter/wipe.h"

#define NUMBER_MAX ((UINT64_C(1) << 53) - 1) /* so that readers may take it as a double */
#define NUMBER_DIGITS 16
#define BLOCK_SIZE 64 /* of HMAC-SHA256 */
#define KEY_TEXT_SIZE SOTER_BASE64_SIZE(THEMIS_RING_KEY_SIZE)

#define TOO_LONG "it has more than 262144 bytes"
#define MEMBERS "a member is unknown, missing, doubled or out of order, or not written plainly"
#define BAD_NUMBER "a number is not written plainly, or exceeds 2^53-1"
#define BAD_VERSION "its version is 0"
#define BAD_ID "an id is not 10 lower-case hex digits"
#define BAD_NAME                                                                                   \
    "its name does not consist of 1 to 64 characters of a-z, 0-9, '.', '_' and '-', the first a "  \
    "letter or digit"
#define BAD_KEY "a key is not the base64 of exactly 32 bytes"
#define BAD_LEGACY "a legacy key is not the base64 of 1 to 1024 bytes"
#define BAD_STATE "the state of a key is neither active nor retired"
#define NO_KEYS "it has no keys"
#define MANY_KEYS "it has more than 256 keys"
#define MANY_LEGACY "it has more than 64 legacy keys"
#define TWO_IDS "two of its keys have the same id"
#define TWO_KEYS "it has one key twice (HMAC ignores zeros at the end of a key)"
#define BAD_PRIMARY "its primary key is not an active key of the ring"
#define SURPLUS "something follows the end"

struct parser {
    struct soter_reader in;
    struct themis_ring *ring;
    uint8_t *blocks; /* of the keys so far, as HMAC sees them */
    size_t blocks_count;
    bool is_draft;
    const char *why;
};

/* ---- Reading: each function sets `why`, unless it finds what it looks for ---- */

static bool refuse(struct parser *parser, const char *why)
{
    parser->why = why;
    return false;
}

static bool skip_if(struct parser *parser, const char *text)
{
    const size_t len = strlen(text);
    const uint8_t *skipped;
    return parser->in.left >= len && memcmp(parser->in.at, text, len) == 0 &&
           soter_read_bytes(&parser->in, len, &skipped);
}

static bool skip(struct parser *parser, const char *text)
{
    return skip_if(parser, text) || refuse(parser, MEMBERS);
}

static bool read_number(struct parser *parser, uint64_t *out)
{
    size_t digits = 0;
    const uint8_t *at = parser->in.at;
    uint64_t number = 0;
    while (digits < parser->in.left && digits <= NUMBER_DIGITS && at[digits] >= '0' &&
           at[digits] <= '9') {
        number = number * 10 + (uint64_t)(at[digits++] - '0');
    }
    if (digits == 0 || digits > NUMBER_DIGITS || number > NUMBER_MAX ||
        (digits > 1 && at[0] == '0') || !soter_read_bytes(&parser->in, digits, &at)) {
        return refuse(parser, BAD_NUMBER);
    }
    *out = number;
    return true;
}

/* What stands before the next quote, which is skipped. */
static bool read_text(struct parser *parser, size_t most, struct soter_slice *out, const char *why)
{
    const uint8_t *quote;
    out->len = 0;
    while (out->len < parser->in.left && out->len <= most && parser->in.at[out->len] != '"') {
        out->len++;
    }
    if (out->len > most || !soter_read_bytes(&parser->in, out->len, &out->data) ||
        !soter_read_bytes(&parser->in, 1, &quote)) {
        return refuse(parser, why);
    }
    return true;
}

/* The base64 of a key, whose length is known: nothing of it is looked at. */
static bool read_key_text(struct parser *parser, struct soter_slice *out)
{
    out->len = KEY_TEXT_SIZE;
    return (soter_read_bytes(&parser->in, out->len, &out->data) && skip_if(parser, "\"")) ||
           refuse(parser, BAD_KEY);
}

static bool hex_value(uint8_t c, uint8_t *out)
{
    if (c >= '0' && c <= '9') {
        *out = (uint8_t)(c - '0');
    } else if (c >= 'a' && c <= 'f') {
        *out = (uint8_t)(c - 'a' + 10);
    } else {
        return false;
    }
    return true;
}

static bool read_id(struct parser *parser, uint8_t id[THEMIS_RING_ID_SIZE])
{
    struct soter_slice text;
    if (!read_text(parser, THEMIS_RING_ID_DIGITS, &text, BAD_ID)) {
        return false;
    }
    if (text.len != THEMIS_RING_ID_DIGITS) {
        return refuse(parser, BAD_ID);
    }
    for (size_t i = 0; i < THEMIS_RING_ID_SIZE; i++) {
        uint8_t high;
        uint8_t low;
        if (!hex_value(text.data[2 * i], &high) || !hex_value(text.data[2 * i + 1], &low)) {
            return refuse(parser, BAD_ID);
        }
        id[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* ---- Keys ---- */

/* A key as HMAC sees it: longer than a block, it stands for its hash; shorter, it ends in zeros. */
static soter_status make_block(const uint8_t *key, size_t key_len, uint8_t block[BLOCK_SIZE])
{
    const struct soter_slice whole = {key, key_len};
    memset(block, 0, BLOCK_SIZE);
    if (key_len > BLOCK_SIZE) {
        return soter_sha256(&whole, 1, block);
    }
    memcpy(block, key, key_len);
    return SOTER_SUCCESS;
}

/* Prepares a key, which has no equal in the ring. */
static soter_status
take_key(struct parser *parser, const uint8_t *key, size_t key_len, struct themis_ring_entry *out)
{
    uint8_t *block = parser->blocks + parser->blocks_count * BLOCK_SIZE;
    const soter_status status = make_block(key, key_len, block);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    for (size_t i = 0; i < parser->blocks_count; i++) {
        if (soter_equal(parser->blocks + i * BLOCK_SIZE, block, BLOCK_SIZE)) {
            parser->why = TWO_KEYS;
            return SOTER_INVALID_PARAMETER;
        }
    }
    parser->blocks_count++;
    return themis_cell_key_init(&out->cell, key, key_len);
}

static soter_status decode_key(struct parser *parser, struct themis_ring_entry *out)
{
    uint8_t key[THEMIS_RING_KEY_SIZE];
    soter_status status = SOTER_INVALID_PARAMETER;
    if (soter_base64_decode_exact(out->text, key, sizeof key)) {
        status = take_key(parser, key, sizeof key, out);
    } else {
        parser->why = BAD_KEY;
    }
    soter_wipe(key, sizeof key);
    return status;
}

static soter_status decode_legacy(struct parser *parser, struct themis_ring_entry *out)
{
    uint8_t key[THEMIS_RING_LEGACY_MAX_SIZE];
    size_t key_len = 0;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (soter_base64_decode(out->text, key, sizeof key, &key_len)) {
        status = take_key(parser, key, key_len, out);
    } else {
        parser->why = BAD_LEGACY;
    }
    soter_wipe(key, sizeof key);
    return status;
}

static bool read_key_members(struct parser *parser, struct themis_ring_entry *key)
{
    if (!skip(parser, "{\"created\":") || !read_number(parser, &key->created) ||
        !skip(parser, ",\"id\":\"") || !read_id(parser, key->id) || !skip(parser, ",\"key\":\"") ||
        !read_key_text(parser, &key->text) || !skip(parser, ",\"state\":")) {
        return false;
    }
    key->is_active = skip_if(parser, THEMIS_RING_IS_ACTIVE);
    return key->is_active || skip_if(parser, THEMIS_RING_IS_RETIRED) || refuse(parser, BAD_STATE);
}

static soter_status read_key(struct parser *parser)
{
    struct themis_ring *ring = parser->ring;
    struct themis_ring_entry *key = &ring->keys[ring->keys_count];
    if (ring->keys_count == THEMIS_RING_KEYS_MAX) {
        parser->why = MANY_KEYS;
        return SOTER_INVALID_PARAMETER;
    }
    if (!read_key_members(parser, key)) {
        return SOTER_INVALID_PARAMETER;
    }
    if (themis_ring_find(ring, key->id) != THEMIS_RING_NONE) {
        parser->why = TWO_IDS;
        return SOTER_INVALID_PARAMETER;
    }
    ring->keys_count++;
    return decode_key(parser, key);
}

static soter_status read_legacy(struct parser *parser)
{
    struct themis_ring *ring = parser->ring;
    struct themis_ring_entry *key = &ring->legacy[ring->legacy_count];
    if (ring->legacy_count == THEMIS_RING_LEGACY_MAX) {
        parser->why = MANY_LEGACY;
        return SOTER_INVALID_PARAMETER;
    }
    if (!skip(parser, "\"") || !read_text(parser,
                                          SOTER_BASE64_SIZE(THEMIS_RING_LEGACY_MAX_SIZE),
                                          &key->text,
                                          BAD_LEGACY)) {
        return SOTER_INVALID_PARAMETER;
    }
    ring->legacy_count++;
    return decode_legacy(parser, key);
}

/* Items with commas between them, and the bracket at their end. */
static soter_status read_list(struct parser *parser, soter_status (*read)(struct parser *))
{
    soter_status status = SOTER_SUCCESS;
    if (skip_if(parser, "]")) {
        return SOTER_SUCCESS;
    }
    do {
        status = read(parser);
    } while (status == SOTER_SUCCESS && skip_if(parser, ","));
    if (status == SOTER_SUCCESS && !skip(parser, "]")) {
        status = SOTER_INVALID_PARAMETER;
    }
    return status;
}

/* ---- The whole ---- */

static bool read_primary(struct parser *parser)
{
    struct themis_ring *ring = parser->ring;
    uint8_t id[THEMIS_RING_ID_SIZE];
    ring->primary = THEMIS_RING_NONE;
    if (ring->keys_count == 0) {
        return parser->is_draft ? skip(parser, "\"") : refuse(parser, NO_KEYS);
    }
    if (!read_id(parser, id)) {
        return false;
    }
    ring->primary = themis_ring_find(ring, id);
    return (ring->primary != THEMIS_RING_NONE && ring->keys[ring->primary].is_active) ||
           refuse(parser, BAD_PRIMARY);
}

static bool read_end(struct parser *parser)
{
    struct themis_ring *ring = parser->ring;
    if (!skip(parser, ",\"name\":\"") ||
        !read_text(parser, THEMIS_RING_NAME_MAX, &ring->name, BAD_NAME)) {
        return false;
    }
    if (!themis_ring_is_name(ring->name)) {
        return refuse(parser, BAD_NAME);
    }
    if (!skip(parser, ",\"primary\":\"") || !read_primary(parser) ||
        !skip(parser, ",\"version\":") || !read_number(parser, &ring->version)) {
        return false;
    }
    if (ring->version == 0 && !parser->is_draft) {
        return refuse(parser, BAD_VERSION);
    }
    return skip(parser, "}") && (parser->in.left == 0 || refuse(parser, SURPLUS));
}

static soter_status read_whole(struct parser *parser)
{
    soter_status status = SOTER_INVALID_PARAMETER;
    if (skip(parser, "{\"keys\":[")) {
        status = read_list(parser, read_key);
    }
    if (status == SOTER_SUCCESS) {
        status = skip(parser, ",\"legacy\":[") ? read_list(parser, read_legacy)
                                               : SOTER_INVALID_PARAMETER;
    }
    if (status == SOTER_SUCCESS && !read_end(parser)) {
        status = SOTER_INVALID_PARAMETER;
    }
    return status;
}

static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

soter_status themis_ring_parse(struct themis_ring *ring, bool is_draft, const char **why)
{
    const size_t len = ring->payload.len;
    /* No list has more items than the text has room for. */
    const size_t keys_most = at_most(len / KEY_TEXT_SIZE, THEMIS_RING_KEYS_MAX);
    const size_t legacy_most = at_most(len / 4, THEMIS_RING_LEGACY_MAX);
    const size_t blocks_size = (keys_most + legacy_most + 1) * BLOCK_SIZE;
    struct parser parser = {.ring = ring, .is_draft = is_draft};
    soter_status status = SOTER_NO_MEMORY;
    if (len > THEMIS_RING_PAYLOAD_MAX) {
        *why = TOO_LONG;
        return SOTER_INVALID_PARAMETER;
    }
    soter_reader_init(&parser.in, ring->payload.data, len);
    /* One more than there can be: where the next one would lie. */
    ring->keys = calloc(keys_most + 1, sizeof *ring->keys);
    ring->legacy = calloc(legacy_most + 1, sizeof *ring->legacy);
    parser.blocks = malloc(blocks_size);
    if (ring->keys != NULL && ring->legacy != NULL && parser.blocks != NULL) {
        status = read_whole(&parser);
    }
    *why = parser.why;
    soter_wipe_free(parser.blocks, parser.blocks == NULL ? 0 : blocks_size);
    return status;
}

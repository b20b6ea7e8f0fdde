/* SPDX-License-Identifier: Apache-2.0 */
/* The payload of a keyring, written as ring_text.c reads it: straight into guarded memory. */
#include "themis/ring_write.h"

#include <string.h>

#include "soter/base64.h"
#include "soter/digits.h"
#include "soter/guarded.h"
#include "soter/kdf.h" /* SOTER_LABEL */

static bool put(struct soter_writer *writer, const char *text)
{
    return soter_write_bytes(writer, (const uint8_t *)text, strlen(text));
}

static bool put_slice(struct soter_writer *writer, struct soter_slice slice)
{
    return soter_write_bytes(writer, slice.data, slice.len);
}

static bool put_number(struct soter_writer *writer, uint64_t number)
{
    uint8_t digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return soter_write_bytes(writer, digits + at, sizeof digits - at);
}

static bool put_id(struct soter_writer *writer, const uint8_t id[THEMIS_RING_ID_SIZE])
{
    uint8_t *digits;
    if (!soter_write_room(writer, THEMIS_RING_ID_DIGITS, &digits)) {
        return false;
    }
    soter_hex_write(id, THEMIS_RING_ID_SIZE, digits);
    return true;
}

static bool put_key_start(struct soter_writer *writer, uint64_t created, const uint8_t *id)
{
    return put(writer, "{\"created\":") && put_number(writer, created) &&
           put(writer, ",\"id\":\"") && put_id(writer, id) && put(writer, "\",\"key\":\"");
}

static bool put_keys(struct soter_writer *writer,
                     const struct themis_ring *ring,
                     const struct themis_ring_edit *edit)
{
    const char *comma = "";
    for (size_t i = 0; i < ring->keys_count; i++) {
        const struct themis_ring_entry *key = &ring->keys[i];
        const bool is_active = key->is_active && i != edit->retired;
        if (i == edit->removed) {
            continue;
        }
        if (!put(writer, comma) || !put_key_start(writer, key->created, key->id) ||
            !put_slice(writer, key->text) || !put(writer, "\",\"state\":") ||
            !put(writer, is_active ? THEMIS_RING_IS_ACTIVE : THEMIS_RING_IS_RETIRED)) {
            return false;
        }
        comma = ",";
    }
    if (edit->added == NULL) {
        return true;
    }
    return put(writer, comma) && put_key_start(writer, edit->added->created, edit->added->id) &&
           soter_base64_encode(writer,
                               (struct soter_slice){edit->added->key, THEMIS_RING_KEY_SIZE}) &&
           put(writer, "\",\"state\":" THEMIS_RING_IS_ACTIVE);
}

static bool put_legacy(struct soter_writer *writer,
                       const struct themis_ring *ring,
                       const struct themis_ring_edit *edit)
{
    const char *quote = "\"";
    for (size_t i = 0; i < ring->legacy_count && !edit->drops_legacy; i++) {
        if (!put(writer, quote) || !put_slice(writer, ring->legacy[i].text) || !put(writer, "\"")) {
            return false;
        }
        quote = ",\"";
    }
    return edit->legacy.data == NULL ||
           (put(writer, quote) && soter_base64_encode(writer, edit->legacy) && put(writer, "\""));
}

static bool put_whole(struct soter_writer *writer,
                      const struct themis_ring *ring,
                      const struct themis_ring_edit *edit)
{
    const size_t primary = edit->promoted != THEMIS_RING_NONE ? edit->promoted : ring->primary;
    const uint8_t *id = primary != THEMIS_RING_NONE ? ring->keys[primary].id
                        : edit->added != NULL       ? edit->added->id
                                                    : NULL;
    return put(writer, "{\"keys\":[") && put_keys(writer, ring, edit) &&
           put(writer, "],\"legacy\":[") && put_legacy(writer, ring, edit) &&
           put(writer, "],\"name\":\"") && put_slice(writer, ring->name) &&
           put(writer, "\",\"primary\":\"") && (id == NULL || put_id(writer, id)) &&
           put(writer, "\",\"version\":") && put_number(writer, ring->version + 1) &&
           put(writer, "}");
}

soter_status themis_ring_edited(const struct themis_ring *ring,
                                const struct themis_ring_edit *edit,
                                struct themis_ring_text *out)
{
    enum { KEY_MOST = 160 }; /* characters of a key, and of longer numbers, states and ids */
    const size_t most = ring->payload.len + KEY_MOST + SOTER_BASE64_SIZE(edit->legacy.len) + 8;
    struct soter_writer writer;
    const soter_status status = soter_guarded_new(most, &out->data);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    soter_writer_init(&writer, out->data, most);
    if (!put_whole(&writer, ring, edit)) {
        soter_guarded_free(out->data);
        return SOTER_BUFFER_TOO_SMALL;
    }
    out->len = most - writer.left;
    return SOTER_SUCCESS;
}

soter_status themis_ring_blank(struct soter_slice name, struct themis_ring_text *out)
{
    const struct soter_slice parts[] = {SOTER_LABEL("{\"keys\":[],\"legacy\":[],\"name\":\""),
                                        name,
                                        SOTER_LABEL("\",\"primary\":\"\",\"version\":0}")};
    uint8_t *at;
    soter_status status;
    if (!themis_ring_is_name(name)) {
        return SOTER_INVALID_PARAMETER;
    }
    out->len = parts[0].len + parts[1].len + parts[2].len;
    status = soter_guarded_new(out->len, &out->data);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    at = out->data;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        memcpy(at, parts[i].data, parts[i].len);
        at += parts[i].len;
    }
    return SOTER_SUCCESS;
}

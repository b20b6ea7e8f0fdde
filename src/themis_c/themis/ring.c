/* SPDX-License-Identifier: Apache-2.0 */
/* Keyrings (formats, sections 9.1 to 9.3): made, read, changed, compared. */
#include <stdlib.h>
#include <string.h>

#include "soter/base64.h"
#include "soter/guarded.h"
#include "soter/kdf.h"
#include "soter/rand.h"
#include "soter/wipe.h"
#include "themis/ring_state.h"
#include "themis/ring_text.h"
#include "themis/ring_write.h"

#define ID_DRAWS 8 /* before a generator that repeats itself is taken for broken */

static void free_keys(struct themis_ring_entry *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        themis_cell_key_clear(&keys[i].cell);
    }
    free(keys);
}

void themis_ring_free(themis_ring *ring)
{
    if (ring != NULL) {
        free_keys(ring->keys, ring->keys_count);
        free_keys(ring->legacy, ring->legacy_count);
        soter_guarded_free(ring->payload.data);
        free(ring);
    }
}

/* Makes a ring of a payload, which is its own from here on, whatever the answer. */
static soter_status
from_payload(struct themis_ring_text payload, bool is_draft, themis_ring **out, const char **why)
{
    soter_status status = SOTER_NO_MEMORY;
    themis_ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL) {
        soter_guarded_free(payload.data);
        return status;
    }
    ring->payload = payload;
    status = themis_ring_parse(ring, is_draft, why);
    if (status == SOTER_SUCCESS) {
        status = soter_guarded_protect(payload.data);
    }
    if (status != SOTER_SUCCESS) {
        themis_ring_free(ring);
        return status;
    }
    *out = ring;
    return SOTER_SUCCESS;
}

int themis_ring_new(const uint8_t *name, size_t name_len, themis_ring **out)
{
    const char *why;
    struct themis_ring_text payload = {NULL, 0};
    const soter_status status = themis_ring_blank((struct soter_slice){name, name_len}, &payload);
    return status == SOTER_SUCCESS ? from_payload(payload, true, out, &why) : status;
}

int themis_ring_read(const uint8_t *payload,
                     size_t payload_len,
                     themis_ring **out,
                     const char **why)
{
    struct themis_ring_text copy = {NULL, payload_len};
    soter_status status;
    *why = NULL;
    if (payload_len == 0 || payload_len > THEMIS_RING_PAYLOAD_MAX) {
        *why = payload_len == 0 ? "it is empty" : "it has more than 262144 bytes";
        return SOTER_INVALID_PARAMETER;
    }
    status = soter_guarded_new(payload_len, &copy.data);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    memcpy(copy.data, payload, payload_len);
    return from_payload(copy, false, out, why);
}

int themis_ring_lock(themis_ring *ring)
{
    return soter_guarded_lock(ring->payload.data, ring->payload.len);
}

/* ---- What a ring tells ---- */

const uint8_t *themis_ring_payload(const themis_ring *ring, size_t *payload_len)
{
    *payload_len = ring->keys_count != 0 ? ring->payload.len : 0;
    return *payload_len != 0 ? ring->payload.data : NULL;
}

const uint8_t *themis_ring_name(const themis_ring *ring, size_t *name_len)
{
    *name_len = ring->name.len;
    return ring->name.data;
}

uint64_t themis_ring_version(const themis_ring *ring)
{
    return ring->version;
}

size_t themis_ring_legacy_count(const themis_ring *ring)
{
    return ring->legacy_count;
}

int themis_ring_key(const themis_ring *ring,
                    size_t index,
                    uint8_t id[THEMIS_RING_ID_SIZE],
                    uint64_t *created)
{
    const struct themis_ring_entry *key;
    if (index >= ring->keys_count) {
        return 0;
    }
    key = &ring->keys[index];
    memcpy(id, key->id, sizeof key->id);
    *created = key->created;
    if (index == ring->primary) {
        return THEMIS_RING_PRIMARY;
    }
    return key->is_active ? THEMIS_RING_ACTIVE : THEMIS_RING_RETIRED;
}

int themis_ring_pin(const themis_ring *ring,
                    const uint8_t id[THEMIS_RING_ID_SIZE],
                    uint8_t pin[THEMIS_RING_PIN_SIZE])
{
    const struct soter_slice contexts[1] = {{id, THEMIS_RING_ID_SIZE}};
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("TK1 pin"), contexts, 1};
    const size_t index = themis_ring_find(ring, id);
    if (index == THEMIS_RING_NONE) {
        return SOTER_INVALID_PARAMETER;
    }
    return soter_kdf(ring->keys[index].cell.master, &purpose, pin, THEMIS_RING_PIN_SIZE);
}

int themis_ring_blind_index(const themis_ring *ring,
                            size_t index,
                            const uint8_t *names,
                            size_t names_len,
                            const uint8_t *data,
                            size_t data_len,
                            uint8_t out[THEMIS_RING_INDEX_SIZE])
{
    const struct soter_slice contexts[2] = {{names, names_len}, {data, data_len}};
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("pythemis blind index"), contexts, 2};
    if (index >= ring->keys_count) {
        return SOTER_INVALID_PARAMETER;
    }
    return soter_kdf(ring->keys[index].cell.master, &purpose, out, THEMIS_RING_INDEX_SIZE);
}

int themis_ring_secret(const themis_ring *ring, size_t index, themis_secret **out)
{
    uint8_t key[THEMIS_RING_LEGACY_MAX_SIZE] = {0};
    const size_t legacy = index - ring->keys_count; /* its index there, if it is one */
    size_t key_len = THEMIS_RING_KEY_SIZE;
    bool is_read = false;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (index < ring->keys_count) {
        is_read = soter_base64_decode_exact(ring->keys[index].text, key, key_len);
    } else if (legacy < ring->legacy_count) {
        is_read = soter_base64_decode(ring->legacy[legacy].text, key, sizeof key, &key_len);
    }
    if (is_read) {
        status = themis_secret_new(key, key_len, out);
    }
    soter_wipe(key, sizeof key);
    return status;
}

/* ---- Changes ---- */

static soter_status change(const themis_ring *ring,
                           const struct themis_ring_edit *edit,
                           themis_ring **out,
                           const char **why)
{
    struct themis_ring_text payload = {NULL, 0};
    soter_status status;
    *why = NULL;
    status = themis_ring_edited(ring, edit, &payload);
    return status == SOTER_SUCCESS ? from_payload(payload, true, out, why) : status;
}

static soter_status draw_id(const themis_ring *ring, uint8_t id[THEMIS_RING_ID_SIZE])
{
    for (int i = 0; i < ID_DRAWS; i++) {
        const soter_status status = soter_rand_public(id, THEMIS_RING_ID_SIZE);
        if (status != SOTER_SUCCESS || themis_ring_find(ring, id) == THEMIS_RING_NONE) {
            return status;
        }
    }
    return SOTER_ENGINE_FAIL;
}

#define NO_EDIT {THEMIS_RING_NONE, THEMIS_RING_NONE, THEMIS_RING_NONE, NULL, {NULL, 0}, false}

int themis_ring_add(const themis_ring *ring,
                    uint64_t created,
                    const uint8_t *key,
                    size_t key_len,
                    themis_ring **out,
                    const char **why)
{
    uint8_t drawn[THEMIS_RING_KEY_SIZE] = {0};
    struct themis_ring_addition added = {{0}, created, key};
    struct themis_ring_edit edit = NO_EDIT;
    soter_status status = SOTER_SUCCESS;
    *why = NULL;
    if (key == NULL) {
        added.key = drawn;
        status = soter_rand_secret(drawn, sizeof drawn);
    } else if (key_len != THEMIS_RING_KEY_SIZE) {
        *why = "a key of a ring has exactly 32 bytes";
        status = SOTER_INVALID_PARAMETER;
    }
    if (status == SOTER_SUCCESS) {
        status = draw_id(ring, added.id);
    }
    if (status == SOTER_SUCCESS) {
        edit.added = &added;
        status = change(ring, &edit, out, why);
    }
    soter_wipe(drawn, sizeof drawn);
    return status;
}

int themis_ring_add_legacy(const themis_ring *ring,
                           const uint8_t *key,
                           size_t key_len,
                           themis_ring **out,
                           const char **why)
{
    struct themis_ring_edit edit = NO_EDIT;
    if (key_len == 0 || key_len > THEMIS_RING_LEGACY_MAX_SIZE) {
        *why = "a legacy key has 1 to 1024 bytes";
        return SOTER_INVALID_PARAMETER;
    }
    edit.legacy.data = key;
    edit.legacy.len = key_len;
    return change(ring, &edit, out, why);
}

/* Whether this change of this key is allowed; NULL if it is, else why not. */
static const char *refusal(const themis_ring *ring, int kind, size_t index)
{
    if (kind == THEMIS_RING_DROP_LEGACY) {
        return ring->legacy_count != 0 ? NULL : "it has no legacy keys";
    }
    if (index == THEMIS_RING_NONE) {
        return "it has no key with this id";
    }
    switch (kind) {
    case THEMIS_RING_PROMOTE:
        return index == ring->primary         ? "the key is primary already"
               : !ring->keys[index].is_active ? "the key is retired: add a new one"
                                              : NULL;
    case THEMIS_RING_RETIRE:
        return index == ring->primary         ? "the key is primary: promote another one first"
               : !ring->keys[index].is_active ? "the key is retired already"
                                              : NULL;
    case THEMIS_RING_REMOVE:
        return ring->keys[index].is_active ? "the key is active: retire it first" : NULL;
    default:
        return "there is no such change";
    }
}

int themis_ring_change(const themis_ring *ring,
                       int kind,
                       const uint8_t id[THEMIS_RING_ID_SIZE],
                       themis_ring **out,
                       const char **why)
{
    const size_t index = themis_ring_find(ring, id);
    struct themis_ring_edit edit = NO_EDIT;
    *why = refusal(ring, kind, index);
    if (*why != NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    edit.promoted = kind == THEMIS_RING_PROMOTE ? index : THEMIS_RING_NONE;
    edit.retired = kind == THEMIS_RING_RETIRE ? index : THEMIS_RING_NONE;
    edit.removed = kind == THEMIS_RING_REMOVE ? index : THEMIS_RING_NONE;
    edit.drops_legacy = kind == THEMIS_RING_DROP_LEGACY;
    return change(ring, &edit, out, why);
}

/* ---- Reloading (formats, section 9.3) ---- */

static bool same_bytes(struct soter_slice a, struct soter_slice b)
{
    return a.len == b.len && soter_equal(a.data, b.data, a.len);
}

static bool same_payload(const themis_ring *a, const themis_ring *b)
{
    const struct soter_slice a_bytes = {a->payload.data, a->payload.len};
    const struct soter_slice b_bytes = {b->payload.data, b->payload.len};
    return same_bytes(a_bytes, b_bytes);
}

int themis_ring_follows(const themis_ring *before, const themis_ring *after, const char **why)
{
    *why = NULL;
    if (!same_bytes(before->name, after->name)) {
        *why = "it is a ring of another name";
    } else if (after->version < before->version) {
        *why = "it is an older version of the ring in use";
    } else if (after->version == before->version && !same_payload(before, after)) {
        *why = "it has the version of the ring in use and another content";
    } else if (before->primary != THEMIS_RING_NONE &&
               themis_ring_find(after, before->keys[before->primary].id) == THEMIS_RING_NONE) {
        *why = "it lacks the primary key of the ring in use";
    }
    for (size_t i = 0; *why == NULL && i < before->keys_count; i++) {
        const size_t index = themis_ring_find(after, before->keys[i].id);
        if (index != THEMIS_RING_NONE &&
            !same_bytes(before->keys[i].text, after->keys[index].text)) { /* base64 is canonical */
            *why = "it has another key under the id of a key of the ring in use";
        }
    }
    return *why == NULL ? SOTER_SUCCESS : SOTER_FAIL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed files, reading: each kind of slot is tried (FORMATS, 8.5, step 5). The header's reader has
 * checked their form. What a slot gives counts only if the mac is right under it. */
#include <stdlib.h>
#include <string.h>

#include "soter/wipe.h"
#include "themis.h"
#include "themis/sealed_keys.h"
#include "themis/sealed_state.h"

/* The slot at an index, if it is of a kind and the file is not open yet; else NULL. */
static const struct themis_sealed_slot *
find_slot(const themis_sealed *sealed, size_t index, uint8_t kind)
{
    if (sealed->has_fk || index >= themis_sealed_count(sealed) ||
        sealed->head.slots[index].kind != kind) {
        return NULL;
    }
    return &sealed->head.slots[index];
}

int themis_sealed_open_key(themis_sealed *sealed, size_t index, const uint8_t *key, size_t key_len)
{
    const struct themis_sealed_slot *slot = find_slot(sealed, index, THEMIS_SEALED_KEY);
    uint8_t room[THEMIS_SEALED_CONTEXT_MAX_SIZE]; /* public */
    uint8_t fk[THEMIS_SEALED_FK_SIZE] = {0};
    struct soter_slice context;
    themis_cell *cell = NULL;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (slot == NULL) {
        return status;
    }
    status = themis_sealed_slot_cell(sealed, key, key_len, &cell);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    context = themis_sealed_context(sealed, THEMIS_SEALED_KEY_LABEL, room);
    status = themis_cell_unseal(cell,
                                slot->body.data,
                                slot->body.len,
                                context.data,
                                context.len,
                                fk,
                                sizeof fk);
    themis_cell_free(cell);
    if (status == SOTER_SUCCESS) {
        status = themis_sealed_accept(sealed, fk);
    }
    soter_wipe(fk, sizeof fk);
    return status;
}

int themis_sealed_stretch(const themis_sealed *sealed,
                          size_t index,
                          const themis_passphrase *passphrase,
                          themis_stretch **out)
{
    const struct themis_sealed_slot *slot = find_slot(sealed, index, THEMIS_SEALED_PASSPHRASE);
    return slot != NULL ? themis_stretch_to_unseal(passphrase, slot->body.data, slot->body.len, out)
                        : SOTER_INVALID_PARAMETER;
}

int themis_sealed_open_passphrase(themis_sealed *sealed,
                                  size_t index,
                                  const themis_passphrase *passphrase,
                                  const themis_stretch *stretch)
{
    const struct themis_sealed_slot *slot = find_slot(sealed, index, THEMIS_SEALED_PASSPHRASE);
    uint8_t room[THEMIS_SEALED_CONTEXT_MAX_SIZE]; /* public */
    uint8_t fk[THEMIS_SEALED_FK_SIZE] = {0};
    struct soter_slice context;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (slot == NULL) {
        return status;
    }
    context = themis_sealed_context(sealed, THEMIS_SEALED_PASSPHRASE_LABEL, room);
    status = themis_stretched_unseal(passphrase,
                                     stretch,
                                     slot->body.data,
                                     slot->body.len,
                                     context.data,
                                     context.len,
                                     fk,
                                     sizeof fk);
    if (status == SOTER_SUCCESS) {
        status = themis_sealed_accept(sealed, fk);
    }
    soter_wipe(fk, sizeof fk);
    return status;
}

/* Decrypts a message between two keys. What another person wrote into the slot, such as a point
 * that is none, is wrong like a wrong key: FAIL. */
static soter_status unwrap(struct soter_slice private_key,
                           struct soter_slice public_key,
                           struct soter_slice wrapped,
                           uint8_t *text,
                           size_t text_len)
{
    themis_message *message = NULL;
    soter_status status = themis_message_new(private_key.data,
                                             private_key.len,
                                             public_key.data,
                                             public_key.len,
                                             &message);
    if (status == SOTER_SUCCESS) {
        status = themis_message_unwrap(message, wrapped.data, wrapped.len, text, text_len);
    }
    themis_message_free(message);
    return status == SOTER_INVALID_PARAMETER || status == SOTER_DATA_CORRUPT ? SOTER_FAIL : status;
}

int themis_sealed_open_recipient(themis_sealed *sealed,
                                 size_t index,
                                 const uint8_t *private_key,
                                 size_t private_key_len)
{
    const struct themis_sealed_slot *slot = find_slot(sealed, index, THEMIS_SEALED_RECIPIENT);
    const struct soter_slice ours = {private_key, private_key_len};
    uint8_t fk[THEMIS_SEALED_FK_SIZE] = {0};
    struct soter_slice ephemeral;
    struct soter_slice wrapped;
    soter_status status;
    if (slot == NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    ephemeral.data = slot->body.data;
    ephemeral.len = THEMIS_SEALED_PUBLIC_SIZE;
    wrapped.data = slot->body.data + THEMIS_SEALED_PUBLIC_SIZE;
    wrapped.len = slot->body.len - THEMIS_SEALED_PUBLIC_SIZE;
    status = unwrap(ours, ephemeral, wrapped, fk, sizeof fk);
    if (status == SOTER_SUCCESS) {
        status = themis_sealed_accept(sealed, fk);
    }
    soter_wipe(fk, sizeof fk);
    return status;
}

int themis_sealed_open_sender(themis_sealed *sealed,
                              size_t index,
                              const uint8_t *private_key,
                              size_t private_key_len,
                              const uint8_t *sender,
                              size_t sender_len)
{
    const struct themis_sealed_slot *slot = find_slot(sealed, index, THEMIS_SEALED_SENDER);
    const struct soter_slice ours = {private_key, private_key_len};
    const struct soter_slice theirs = {sender, sender_len};
    uint8_t prefix[THEMIS_SEALED_PREFIX_SIZE]; /* public */
    uint8_t text[THEMIS_SEALED_PREFIX_SIZE + THEMIS_SEALED_FK_SIZE] = {0};
    soter_status status;
    if (slot == NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    status = unwrap(ours, theirs, slot->body, text, sizeof text);
    if (status == SOTER_SUCCESS) {
        themis_sealed_prefix(sealed, slot->id.data, prefix);
        status = soter_equal(text, prefix, sizeof prefix)
                     ? themis_sealed_accept(sealed, text + sizeof prefix)
                     : SOTER_FAIL;
    }
    soter_wipe(text, sizeof text);
    return status;
}

int themis_sealed_open_service(themis_sealed *sealed,
                               size_t index,
                               const uint8_t *plain,
                               size_t plain_len)
{
    if (find_slot(sealed, index, THEMIS_SEALED_SERVICE) == NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    if (plain_len != THEMIS_SEALED_PLAIN_SIZE || !soter_equal(plain, sealed->d, sizeof sealed->d)) {
        return SOTER_FAIL;
    }
    return themis_sealed_accept(sealed, plain + sizeof sealed->d);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed files, writing: slots of each kind (FORMATS, 8.3). */
#include <assert.h>
#include <string.h>

#include "soter/ec_key.h"
#include "soter/wipe.h"
#include "themis.h"
#include "themis/sealed_keys.h"
#include "themis/sealed_state.h"

#define KEY_BODY_SIZE (THEMIS_CELL_TOKEN_SIZE + THEMIS_SEALED_FK_SIZE)
#define PASSPHRASE_BODY_SIZE (THEMIS_PASSPHRASE_TOKEN_SIZE + THEMIS_SEALED_FK_SIZE)
#define MESSAGE_GROWTH 52
#define RECIPIENT_BODY_SIZE (THEMIS_SEALED_PUBLIC_SIZE + MESSAGE_GROWTH + THEMIS_SEALED_FK_SIZE)
#define SENDER_TEXT_SIZE (THEMIS_SEALED_PREFIX_SIZE + THEMIS_SEALED_FK_SIZE)
#define SENDER_BODY_SIZE (MESSAGE_GROWTH + SENDER_TEXT_SIZE)

static_assert(THEMIS_SEALED_KEY_SLOT_SIZE ==
                  THEMIS_SEALED_SLOT_START_SIZE + THEMIS_SEALED_KEY_ID_SIZE + KEY_BODY_SIZE,
              "a key slot");
static_assert(THEMIS_SEALED_PASSPHRASE_SLOT_SIZE ==
                  THEMIS_SEALED_SLOT_START_SIZE + PASSPHRASE_BODY_SIZE,
              "a passphrase slot");
static_assert(THEMIS_SEALED_RECIPIENT_SLOT_SIZE ==
                  THEMIS_SEALED_SLOT_START_SIZE + THEMIS_SEALED_NAME_SIZE + RECIPIENT_BODY_SIZE,
              "a recipient slot");
static_assert(THEMIS_SEALED_SENDER_SLOT_SIZE ==
                  THEMIS_SEALED_SLOT_START_SIZE + THEMIS_SEALED_SENDER_ID_SIZE + SENDER_BODY_SIZE,
              "a sender slot");
static_assert(THEMIS_SEALED_PUBLIC_SIZE == SOTER_P256_PUBLIC_SIZE, "keys are on P-256");

/* Writes what comes before a body, if there is room for all; the body belongs at *body. */
static soter_status begin(struct soter_slice id,
                          uint8_t kind,
                          size_t body_len,
                          uint8_t *slot,
                          size_t slot_len,
                          uint8_t **body)
{
    const uint8_t start[THEMIS_SEALED_SLOT_START_SIZE] = {kind,
                                                          (uint8_t)id.len,
                                                          0,
                                                          (uint8_t)body_len}; /* public */
    struct soter_writer writer;
    if (slot_len < sizeof start + id.len + body_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    soter_writer_init(&writer, slot, slot_len);
    return soter_write_bytes(&writer, start, sizeof start) &&
                   soter_write_bytes(&writer, id.data, id.len) &&
                   soter_write_room(&writer, body_len, body)
               ? SOTER_SUCCESS
               : SOTER_BUFFER_TOO_SMALL;
}

int themis_sealed_key_slot(const themis_sealed *sealed,
                           const uint8_t *key,
                           size_t key_len,
                           const uint8_t *id,
                           size_t id_len,
                           uint8_t *slot,
                           size_t slot_len)
{
    uint8_t room[THEMIS_SEALED_CONTEXT_MAX_SIZE]; /* public */
    const struct soter_slice context = themis_sealed_context(sealed, THEMIS_SEALED_KEY_LABEL, room);
    themis_cell *cell = NULL;
    uint8_t *body = NULL;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (!sealed->has_fk || key_len < THEMIS_SEALED_KEY_MIN_SIZE ||
        (id_len != 0 && id_len != THEMIS_SEALED_KEY_ID_SIZE)) {
        return status;
    }
    status = begin((struct soter_slice){id, id_len},
                   THEMIS_SEALED_KEY,
                   KEY_BODY_SIZE,
                   slot,
                   slot_len,
                   &body);
    if (status == SOTER_SUCCESS) {
        status = themis_sealed_slot_cell(sealed, key, key_len, &cell);
    }
    if (status == SOTER_SUCCESS) {
        status = themis_cell_seal(cell,
                                  sealed->fk,
                                  sizeof sealed->fk,
                                  context.data,
                                  context.len,
                                  body,
                                  KEY_BODY_SIZE);
    }
    themis_cell_free(cell);
    return status;
}

int themis_sealed_passphrase_slot(const themis_sealed *sealed,
                                  const themis_stretch *stretch,
                                  uint8_t *slot,
                                  size_t slot_len)
{
    const struct soter_slice none = {NULL, 0};
    uint8_t room[THEMIS_SEALED_CONTEXT_MAX_SIZE]; /* public */
    const struct soter_slice context =
        themis_sealed_context(sealed, THEMIS_SEALED_PASSPHRASE_LABEL, room);
    uint8_t *body = NULL;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (!sealed->has_fk) {
        return status;
    }
    status = begin(none, THEMIS_SEALED_PASSPHRASE, PASSPHRASE_BODY_SIZE, slot, slot_len, &body);
    return status == SOTER_SUCCESS ? themis_stretched_seal(stretch,
                                                           sealed->fk,
                                                           sizeof sealed->fk,
                                                           context.data,
                                                           context.len,
                                                           body,
                                                           PASSPHRASE_BODY_SIZE)
                                   : status;
}

/* Encrypts for a public key. */
static soter_status wrap(struct soter_slice private_key,
                         struct soter_slice public_key,
                         struct soter_slice text,
                         uint8_t *out,
                         size_t out_len)
{
    themis_message *message = NULL;
    soter_status status = themis_message_new(private_key.data,
                                             private_key.len,
                                             public_key.data,
                                             public_key.len,
                                             &message);
    if (status == SOTER_SUCCESS) {
        status = themis_message_wrap(message, text.data, text.len, out, out_len);
    }
    themis_message_free(message);
    return status;
}

int themis_sealed_recipient_slot(const themis_sealed *sealed,
                                 const uint8_t *public_key,
                                 size_t public_key_len,
                                 int hidden,
                                 uint8_t *slot,
                                 size_t slot_len)
{
    const struct soter_slice fk = {sealed->fk, sizeof sealed->fk};
    uint8_t ephemeral[SOTER_P256_PRIVATE_SIZE] = {0};
    uint8_t name[THEMIS_SEALED_NAME_SIZE];         /* public */
    uint8_t compressed[THEMIS_SEALED_PUBLIC_SIZE]; /* public */
    uint8_t *body = NULL;
    soter_status status = sealed->has_fk
                              ? themis_sealed_name(public_key, public_key_len, name, compressed)
                              : SOTER_INVALID_PARAMETER;
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = begin((struct soter_slice){name, hidden != 0 ? 0 : sizeof name},
                   THEMIS_SEALED_RECIPIENT,
                   RECIPIENT_BODY_SIZE,
                   slot,
                   slot_len,
                   &body);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = themis_key_pair(THEMIS_KEY_EC,
                             256,
                             0,
                             ephemeral,
                             sizeof ephemeral,
                             body,
                             THEMIS_SEALED_PUBLIC_SIZE);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = wrap((struct soter_slice){ephemeral, sizeof ephemeral},
                  (struct soter_slice){compressed, sizeof compressed},
                  fk,
                  body + THEMIS_SEALED_PUBLIC_SIZE,
                  RECIPIENT_BODY_SIZE - THEMIS_SEALED_PUBLIC_SIZE);
out:
    soter_wipe(ephemeral, sizeof ephemeral);
    return status;
}

int themis_sealed_sender_slot(const themis_sealed *sealed,
                              const uint8_t *private_key,
                              size_t private_key_len,
                              const uint8_t *recipient,
                              size_t recipient_len,
                              uint8_t *slot,
                              size_t slot_len)
{
    uint8_t id[THEMIS_SEALED_SENDER_ID_SIZE];  /* public */
    uint8_t theirs[THEMIS_SEALED_PUBLIC_SIZE]; /* public */
    uint8_t ours[THEMIS_SEALED_PUBLIC_SIZE];   /* public */
    uint8_t text[SENDER_TEXT_SIZE] = {0};
    uint8_t *body = NULL;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (!sealed->is_fresh) {
        return status;
    }
    status = themis_sealed_name(recipient, recipient_len, id, theirs);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = themis_sealed_name(private_key, private_key_len, id + THEMIS_SEALED_NAME_SIZE, ours);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = begin((struct soter_slice){id, sizeof id},
                   THEMIS_SEALED_SENDER,
                   SENDER_BODY_SIZE,
                   slot,
                   slot_len,
                   &body);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    themis_sealed_prefix(sealed, id, text);
    memcpy(text + THEMIS_SEALED_PREFIX_SIZE, sealed->fk, sizeof sealed->fk);
    status = wrap((struct soter_slice){private_key, private_key_len},
                  (struct soter_slice){theirs, sizeof theirs},
                  (struct soter_slice){text, sizeof text},
                  body,
                  SENDER_BODY_SIZE);
    soter_wipe(text, sizeof text);
    return status;
}

int themis_sealed_plain(const themis_sealed *sealed, uint8_t plain[THEMIS_SEALED_PLAIN_SIZE])
{
    if (!sealed->has_fk) {
        return SOTER_INVALID_PARAMETER;
    }
    memcpy(plain, sealed->d, sizeof sealed->d);
    memcpy(plain + sizeof sealed->d, sealed->fk, sizeof sealed->fk);
    return SOTER_SUCCESS;
}

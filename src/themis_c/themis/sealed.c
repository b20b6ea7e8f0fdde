/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed files: handles, what a header says, and its mac (FORMATS, section 8). */
#include <stdlib.h>
#include <string.h>

#include "soter/ec_key.h"
#include "soter/hash.h"
#include "soter/key_container.h"
#include "soter/rand.h"
#include "soter/wipe.h"
#include "themis.h"
#include "themis/sealed_state.h"

static soter_status sealed_new(struct soter_slice context, themis_sealed **out)
{
    soter_status status;
    themis_sealed *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_sha256(&context, 1, made->d);
    if (status != SOTER_SUCCESS) {
        themis_sealed_free(made);
        return status;
    }
    *out = made;
    return SOTER_SUCCESS;
}

void themis_sealed_free(themis_sealed *sealed)
{
    if (sealed != NULL) {
        if (sealed->has_fk) {
            themis_cell_key_clear(&sealed->chunks);
        }
        free(sealed->bytes.data);
        soter_wipe_free(sealed, sizeof *sealed);
    }
}

int themis_sealed_size(const uint8_t *start, size_t start_len, size_t *size, const char **why)
{
    struct themis_sealed_head head;
    struct themis_sealed_fault fault = {NULL, 0};
    size_t slots_len = 0;
    const soter_status status =
        themis_sealed_head_begin(start, start_len, &head, &slots_len, &fault);
    *why = fault.why;
    *size =
        status == SOTER_SUCCESS ? THEMIS_SEALED_START_SIZE + slots_len + THEMIS_SEALED_MAC_SIZE : 0;
    return status;
}

/* Copies header and mac, and reads the copy. */
static soter_status
take_head(themis_sealed *sealed, struct soter_slice bytes, struct themis_sealed_fault *fault)
{
    struct soter_slice head;
    soter_status status;
    if (bytes.len < THEMIS_SEALED_START_SIZE + THEMIS_SEALED_MAC_SIZE) {
        size_t slots_len = 0;
        status = themis_sealed_head_begin(bytes.data, bytes.len, &sealed->head, &slots_len, fault);
        if (status == SOTER_SUCCESS) {
            fault->why = "it ends within its header";
            status = SOTER_DATA_CORRUPT;
        }
        return status;
    }
    sealed->bytes.data = malloc(bytes.len);
    if (sealed->bytes.data == NULL) {
        return SOTER_NO_MEMORY;
    }
    memcpy(sealed->bytes.data, bytes.data, bytes.len);
    sealed->bytes.len = bytes.len;
    head.data = sealed->bytes.data;
    head.len = bytes.len - THEMIS_SEALED_MAC_SIZE;
    status = themis_sealed_head_read(head.data, head.len, &sealed->head, fault);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    sealed->log2 = sealed->head.log2;
    return soter_sha256(&head, 1, sealed->digest);
}

int themis_sealed_read(const uint8_t *head,
                       size_t head_len,
                       const uint8_t *context,
                       size_t context_len,
                       themis_sealed **out,
                       const char **why,
                       size_t *slot)
{
    struct themis_sealed_fault fault = {NULL, 0};
    themis_sealed *made = NULL;
    soter_status status = sealed_new((struct soter_slice){context, context_len}, &made);
    if (status == SOTER_SUCCESS) {
        status = take_head(made, (struct soter_slice){head, head_len}, &fault);
    }
    *why = fault.why;
    *slot = fault.slot;
    if (status != SOTER_SUCCESS) {
        themis_sealed_free(made);
        return status;
    }
    *out = made;
    return SOTER_SUCCESS;
}

int themis_sealed_new(int log2, const uint8_t *context, size_t context_len, themis_sealed **out)
{
    uint8_t fk[THEMIS_SEALED_FK_SIZE] = {0};
    themis_sealed *made = NULL;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (log2 < THEMIS_SEALED_LOG2_MIN || log2 > THEMIS_SEALED_LOG2_MAX) {
        return status;
    }
    status = sealed_new((struct soter_slice){context, context_len}, &made);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_rand_secret(fk, sizeof fk);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = themis_sealed_set_fk(made, fk);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    made->is_fresh = true;
    made->log2 = (uint8_t)log2;
    *out = made;
    made = NULL;
out:
    themis_sealed_free(made);
    soter_wipe(fk, sizeof fk);
    return status;
}

int themis_sealed_again(const themis_sealed *sealed,
                        const uint8_t *context,
                        size_t context_len,
                        themis_sealed **out)
{
    themis_sealed *made = NULL;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (!sealed->has_fk) {
        return status;
    }
    status = sealed_new((struct soter_slice){context, context_len}, &made);
    if (status == SOTER_SUCCESS) {
        status = themis_sealed_set_fk(made, sealed->fk);
    }
    if (status != SOTER_SUCCESS) {
        themis_sealed_free(made);
        return status;
    }
    made->log2 = sealed->log2;
    *out = made;
    return SOTER_SUCCESS;
}

int themis_sealed_log2(const themis_sealed *sealed)
{
    return sealed->log2;
}

size_t themis_sealed_count(const themis_sealed *sealed)
{
    return sealed->bytes.len != 0 ? sealed->head.count : 0;
}

int themis_sealed_describe(const themis_sealed *sealed, size_t index, uint32_t fields[5])
{
    const struct themis_sealed_slot *slot;
    if (index >= themis_sealed_count(sealed)) {
        return SOTER_INVALID_PARAMETER;
    }
    slot = &sealed->head.slots[index];
    fields[0] = slot->kind;
    fields[1] = (uint32_t)(slot->encoded.data - sealed->bytes.data) + THEMIS_SEALED_SLOT_START_SIZE;
    fields[2] = (uint32_t)slot->id.len;
    fields[3] = (uint32_t)slot->body.len;
    fields[4] = slot->iterations;
    return SOTER_SUCCESS;
}

void themis_sealed_digest(const themis_sealed *sealed, uint8_t digest[THEMIS_SEALED_DIGEST_SIZE])
{
    memcpy(digest, sealed->d, THEMIS_SEALED_DIGEST_SIZE);
}

int themis_sealed_name(const uint8_t *key,
                       size_t key_len,
                       uint8_t name[THEMIS_SEALED_NAME_SIZE],
                       uint8_t public_key[THEMIS_SEALED_PUBLIC_SIZE])
{
    const struct soter_slice compressed = {public_key, THEMIS_SEALED_PUBLIC_SIZE};
    const struct soter_key_kind *kind;
    uint8_t digest[SOTER_SHA256_SIZE] = {0}; /* public */
    soter_key *parsed = NULL;
    soter_status status = soter_key_read(key, key_len, &parsed);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    kind = soter_key_kind(parsed);
    status = kind->algorithm == SOTER_KEY_EC && kind->bits == 256
                 ? soter_key_write_public(parsed, SOTER_COMPRESSED, public_key, compressed.len)
                 : SOTER_INVALID_PARAMETER;
    if (status == SOTER_SUCCESS) {
        status = soter_sha256(&compressed, 1, digest);
    }
    if (status == SOTER_SUCCESS) {
        memcpy(name, digest, THEMIS_SEALED_NAME_SIZE);
    }
    soter_key_free(parsed);
    return status;
}

int themis_sealed_mac(const themis_sealed *sealed,
                      const uint8_t *head,
                      size_t head_len,
                      uint8_t mac[THEMIS_SEALED_MAC_SIZE],
                      const char **why,
                      size_t *slot)
{
    const struct soter_slice bytes = {head, head_len};
    struct themis_sealed_fault fault = {NULL, 0};
    uint8_t digest[SOTER_SHA256_SIZE] = {0}; /* public */
    struct themis_sealed_head *read = calloc(1, sizeof *read);
    soter_status status = SOTER_NO_MEMORY;
    if (read == NULL) {
        goto out;
    }
    status = themis_sealed_head_read(head, head_len, read, &fault);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    if (!sealed->has_fk || read->log2 != sealed->log2) {
        status = SOTER_INVALID_PARAMETER;
        goto out;
    }
    status = soter_sha256(&bytes, 1, digest);
    if (status == SOTER_SUCCESS) {
        status = themis_sealed_header_mac(sealed->fk, sealed->d, digest, mac);
    }
out:
    *why = fault.why;
    *slot = fault.slot;
    free(read);
    return status;
}

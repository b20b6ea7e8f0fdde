/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/key.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "soter/container.h"
#include "soter/evp_key.h"
#include "soter/fork.h"
#include "soter/wipe.h"

static const struct soter_key_kind kinds[] = {
    {"UEC2", SOTER_KEY_EC, false, 256, 32},
    {"UEC3", SOTER_KEY_EC, false, 384, 48},
    {"UEC5", SOTER_KEY_EC, false, 521, 66},
    {"REC2", SOTER_KEY_EC, true, 256, 32},
    {"REC3", SOTER_KEY_EC, true, 384, 48},
    {"REC5", SOTER_KEY_EC, true, 521, 66},
    {"URA1", SOTER_KEY_RSA, false, 1024, 128},
    {"URA2", SOTER_KEY_RSA, false, 2048, 256},
    {"URA4", SOTER_KEY_RSA, false, 4096, 512},
    {"URA8", SOTER_KEY_RSA, false, 8192, 1024},
    {"RRA1", SOTER_KEY_RSA, true, 1024, 128},
    {"RRA2", SOTER_KEY_RSA, true, 2048, 256},
    {"RRA4", SOTER_KEY_RSA, true, 4096, 512},
    {"RRA8", SOTER_KEY_RSA, true, 8192, 1024},
};

#define KINDS_COUNT (sizeof kinds / sizeof kinds[0])

const struct soter_key_kind *
soter_key_find_kind(enum soter_key_algorithm algorithm, bool is_private, unsigned bits)
{
    for (size_t i = 0; i < KINDS_COUNT; i++) {
        if (kinds[i].algorithm == algorithm && kinds[i].is_private == is_private &&
            kinds[i].bits == bits) {
            return &kinds[i];
        }
    }
    return NULL;
}

static const struct soter_key_kind *kind_of(const struct soter_container *container)
{
    for (size_t i = 0; i < KINDS_COUNT; i++) {
        if (soter_container_has_tag(container, kinds[i].tag)) {
            return &kinds[i];
        }
    }
    return NULL;
}

static soter_status open_container(const uint8_t *key,
                                   size_t key_len,
                                   const struct soter_key_kind **kind,
                                   struct soter_slice *payload)
{
    struct soter_reader reader;
    struct soter_container container;
    soter_status status;
    soter_reader_init(&reader, key, key_len);
    status = soter_container_read(&reader, &container);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    *kind = kind_of(&container);
    if (*kind == NULL || reader.left != 0) {
        return SOTER_INVALID_PARAMETER;
    }
    payload->data = container.payload;
    payload->len = container.payload_len;
    if ((*kind)->algorithm == SOTER_KEY_EC ? !soter_ec_payload_fits(*kind, payload->len)
                                           : !soter_rsa_payload_fits(*kind, payload->len)) {
        return SOTER_INVALID_PARAMETER;
    }
    return SOTER_SUCCESS;
}

soter_status
soter_key_inspect(const uint8_t *key, size_t key_len, const struct soter_key_kind **out)
{
    struct soter_slice payload;
    return open_container(key, key_len, out, &payload);
}

soter_status soter_key_new(const struct soter_key_kind *kind, soter_key **out)
{
    soter_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        return SOTER_NO_MEMORY;
    }
    key->kind = kind;
    *out = key;
    return SOTER_SUCCESS;
}

soter_status soter_key_read(const uint8_t *key, size_t key_len, soter_key **out)
{
    const struct soter_key_kind *kind = NULL;
    struct soter_slice payload;
    soter_key *made = NULL;
    soter_status status = open_container(key, key_len, &kind, &payload);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = soter_key_new(kind, &made);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    ERR_set_mark(); /* whoever shares libcrypto with us finds the error queue as it was */
    soter_fork_hold_off();
    status = kind->algorithm == SOTER_KEY_EC ? soter_ec_import(made, payload)
                                             : soter_rsa_import(made, payload);
    soter_fork_allow();
    ERR_pop_to_mark();
    if (status == SOTER_SUCCESS) {
        *out = made;
        made = NULL;
    }
    soter_key_free(made);
    return status;
}

void soter_key_free(soter_key *key)
{
    if (key != NULL) {
        soter_evp_key_free(key->pkey);
        soter_wipe_free(key, sizeof *key);
    }
}

const struct soter_key_kind *soter_key_kind(const soter_key *key)
{
    return key->kind;
}

bool soter_key_is_ec(const soter_key *key, bool is_private)
{
    return key->kind->algorithm == SOTER_KEY_EC && key->kind->is_private == is_private;
}

size_t soter_key_size(const struct soter_key_kind *kind, enum soter_point_form form)
{
    size_t size = SOTER_CONTAINER_HEADER_SIZE;
    if (kind->algorithm == SOTER_KEY_EC) {
        size += kind->is_private ? soter_ec_private_payload_size(kind)
                                 : soter_ec_public_payload_size(kind, form);
    } else {
        size += kind->is_private ? soter_rsa_private_payload_size(kind)
                                 : soter_rsa_public_payload_size(kind);
    }
    return size;
}

soter_status soter_key_write_public(const soter_key *key,
                                    enum soter_point_form form,
                                    uint8_t *out,
                                    size_t out_len)
{
    const struct soter_key_kind *kind =
        soter_key_find_kind(key->kind->algorithm, false, key->kind->bits);
    soter_status status;
    if (kind == NULL || out_len != soter_key_size(kind, form)) {
        return SOTER_INVALID_PARAMETER;
    }
    ERR_set_mark();
    status = kind->algorithm == SOTER_KEY_EC
                 ? soter_ec_export_public(key, form, out + SOTER_CONTAINER_HEADER_SIZE)
                 : soter_rsa_export_public(key, out + SOTER_CONTAINER_HEADER_SIZE);
    ERR_pop_to_mark();
    return status == SOTER_SUCCESS ? soter_container_finish(out, out_len, kind->tag) : status;
}

soter_status soter_key_write_private(const soter_key *key, uint8_t *out, size_t out_len)
{
    soter_status status;
    if (!key->kind->is_private || out_len != soter_key_size(key->kind, SOTER_COMPRESSED)) {
        return SOTER_INVALID_PARAMETER;
    }
    ERR_set_mark();
    status = key->kind->algorithm == SOTER_KEY_EC
                 ? soter_ec_export_private(key, out + SOTER_CONTAINER_HEADER_SIZE)
                 : soter_rsa_export_private(key, out + SOTER_CONTAINER_HEADER_SIZE);
    ERR_pop_to_mark();
    if (status == SOTER_SUCCESS) {
        status = soter_container_finish(out, out_len, key->kind->tag);
    }
    if (status != SOTER_SUCCESS) {
        soter_wipe(out, out_len);
    }
    return status;
}

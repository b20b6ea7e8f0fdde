/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/key_container.h"

#include <openssl/err.h>

#include "soter/bytes.h"
#include "soter/container.h"
#include "soter/ec_key.h"
#include "soter/fork.h"
#include "soter/key_internal.h"
#include "soter/libcrypto.h"
#include "soter/rsa_key.h"
#include "soter/wipe.h"

static const struct soter_key_functions *functions_of(const struct soter_key_kind *kind)
{
    return kind->algorithm == SOTER_KEY_EC ? &soter_ec_key_functions : &soter_rsa_key_functions;
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
    *kind = soter_key_find_tag(container.tag);
    if (*kind == NULL || reader.left != 0) {
        return SOTER_INVALID_PARAMETER;
    }
    payload->data = container.payload;
    payload->len = container.payload_len;
    return functions_of(*kind)->payload_fits(*kind, payload->len) ? SOTER_SUCCESS
                                                                  : SOTER_INVALID_PARAMETER;
}

soter_status
soter_key_inspect(const uint8_t *key, size_t key_len, const struct soter_key_kind **out)
{
    struct soter_slice payload;
    return open_container(key, key_len, out, &payload);
}

/* Judges the numbers of a payload, and prepares a key from them. */
static soter_status
import(const struct soter_key_kind *kind, struct soter_slice payload, soter_key **out)
{
    soter_key *made = NULL;
    soter_status status = soter_key_new(kind, functions_of(kind), &made);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    soter_libcrypto_mark(); /* other users of libcrypto find the error queue as it was */
    soter_fork_hold_off();
    status = made->functions->import(made, payload);
    soter_fork_allow();
    ERR_pop_to_mark();
    if (status == SOTER_SUCCESS) {
        *out = made;
        made = NULL;
    }
    soter_key_free(made);
    return status;
}

soter_status soter_key_read(const uint8_t *key, size_t key_len, soter_key **out)
{
    const struct soter_key_kind *kind = NULL;
    struct soter_slice payload;
    const soter_status status = open_container(key, key_len, &kind, &payload);
    return status == SOTER_SUCCESS ? import(kind, payload, out) : status;
}

soter_status
soter_key_read_half(const uint8_t *key, size_t key_len, bool is_private, soter_key **out)
{
    const struct soter_key_kind *kind = NULL;
    struct soter_slice payload;
    const soter_status status = open_container(key, key_len, &kind, &payload);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return kind->is_private == is_private ? import(kind, payload, out) : SOTER_INVALID_PARAMETER;
}

size_t soter_key_size(const struct soter_key_kind *kind, enum soter_point_form form)
{
    return SOTER_CONTAINER_HEADER_SIZE + functions_of(kind)->payload_size(kind, form);
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
    soter_libcrypto_mark();
    status = key->functions->export_public(key, form, out + SOTER_CONTAINER_HEADER_SIZE);
    ERR_pop_to_mark();
    return status == SOTER_SUCCESS ? soter_container_finish(out, out_len, kind->tag) : status;
}

soter_status soter_key_write_private(const soter_key *key, uint8_t *out, size_t out_len)
{
    soter_status status;
    if (!key->kind->is_private || out_len != soter_key_size(key->kind, SOTER_COMPRESSED)) {
        return SOTER_INVALID_PARAMETER;
    }
    soter_libcrypto_mark();
    status = key->functions->export_private(key, out + SOTER_CONTAINER_HEADER_SIZE);
    ERR_pop_to_mark();
    if (status == SOTER_SUCCESS) {
        status = soter_container_finish(out, out_len, key->kind->tag);
    }
    if (status != SOTER_SUCCESS) {
        soter_wipe(out, out_len);
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Primitives within reach of known answers. */
#include <string.h>

#include "soter/container.h"
#include "soter/kdf.h"
#include "themis.h"

int themis_testing_kdf(const uint8_t *key,
                       size_t key_len,
                       const uint8_t *label,
                       size_t label_len,
                       const uint8_t *contexts,
                       size_t contexts_len,
                       uint8_t *out,
                       size_t out_len)
{
    struct soter_slice list[SOTER_KDF_MAX_CONTEXTS]; /* public */
    struct soter_kdf_purpose purpose = {{label, label_len}, list, 0};
    struct soter_reader reader;
    soter_hmac_key *prepared = NULL;
    soter_status status;
    soter_reader_init(&reader, contexts, contexts_len);
    while (reader.left != 0) {
        uint32_t len;
        if (purpose.contexts_count == SOTER_KDF_MAX_CONTEXTS || !soter_read_u32le(&reader, &len) ||
            !soter_read_bytes(&reader, len, &list[purpose.contexts_count].data)) {
            return SOTER_INVALID_PARAMETER;
        }
        list[purpose.contexts_count++].len = len;
    }
    if (key_len == 0) {
        return soter_kdf_keyless(&purpose, out, out_len);
    }
    status = soter_hmac_key_new(key, key_len, &prepared);
    if (status == SOTER_SUCCESS) {
        status = soter_kdf(prepared, &purpose, out, out_len);
    }
    soter_hmac_key_free(prepared);
    return status;
}

int themis_testing_container_write(uint8_t *container, size_t container_len, const char *tag)
{
    return strlen(tag) == SOTER_CONTAINER_TAG_SIZE
               ? soter_container_finish(container, container_len, tag)
               : SOTER_INVALID_PARAMETER;
}

int themis_testing_container_read(const uint8_t *container,
                                  size_t container_len,
                                  const char *tag,
                                  size_t *payload_len)
{
    struct soter_reader reader;
    struct soter_container found;
    soter_status status;
    if (strlen(tag) != SOTER_CONTAINER_TAG_SIZE) {
        return SOTER_INVALID_PARAMETER;
    }
    soter_reader_init(&reader, container, container_len);
    status = soter_container_read(&reader, &found);
    if (status == SOTER_SUCCESS && !soter_container_has_tag(&found, tag)) {
        status = SOTER_INVALID_PARAMETER;
    }
    *payload_len = status == SOTER_SUCCESS ? found.payload_len : 0;
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/kdf.h"

#include <string.h>

#include "soter/wipe.h"

/* Short parts cost less in one piece than one by one. How many bytes were joined; 0 if there is no
 * room for all. */
static size_t
join(const struct soter_slice *parts, size_t count, uint8_t *joined, size_t joined_size)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > joined_size - used) {
            return 0;
        }
        if (parts[i].len != 0) {
            memcpy(joined + used, parts[i].data, parts[i].len);
            used += parts[i].len;
        }
    }
    return used;
}

soter_status soter_kdf(soter_hmac_key *key,
                       const struct soter_kdf_purpose *purpose,
                       uint8_t *out,
                       size_t out_len)
{
    static const uint8_t counter[4] = {0, 0, 0, 1};
    static const uint8_t separator[1] = {0};
    soter_status status;
    uint8_t derived[SOTER_HMAC_SIZE] = {0};
    uint8_t joined[160]; /* contexts may be secret: those of a blind index are */
    struct soter_slice whole = {joined, 0};
    struct soter_slice parts[3 + SOTER_KDF_MAX_CONTEXTS] = {
        {counter, sizeof counter},
        purpose->label,
        {separator, sizeof separator}}; /* public */
    const size_t count = 3 + purpose->contexts_count;
    if (out_len > SOTER_KDF_MAX_SIZE || purpose->contexts_count > SOTER_KDF_MAX_CONTEXTS) {
        return SOTER_INVALID_PARAMETER;
    }
    for (size_t i = 0; i < purpose->contexts_count; i++) {
        parts[3 + i] = purpose->contexts[i];
    }
    whole.len = join(parts, count, joined, sizeof joined);
    status = whole.len != 0 ? soter_hmac(key, &whole, 1, derived)
                            : soter_hmac(key, parts, count, derived);
    if (status == SOTER_SUCCESS) {
        memcpy(out, derived, out_len);
    }
    soter_wipe(joined, sizeof joined);
    soter_wipe(derived, sizeof derived);
    return status;
}

#define KEYLESS_SIZE 32

static void xor_slice(uint8_t key[KEYLESS_SIZE], struct soter_slice slice)
{
    for (size_t i = 0; i < KEYLESS_SIZE && i < slice.len; i++) {
        key[i] ^= slice.data[i];
    }
}

soter_status
soter_kdf_keyless(const struct soter_kdf_purpose *purpose, uint8_t *out, size_t out_len)
{
    soter_status status;
    uint8_t key[KEYLESS_SIZE] = {0}; /* public: made of what the peers sent in the clear */
    soter_hmac_key *prepared = NULL;
    xor_slice(key, purpose->label);
    for (size_t i = 0; i < purpose->contexts_count; i++) {
        xor_slice(key, purpose->contexts[i]);
    }
    status = soter_hmac_key_new(key, sizeof key, &prepared);
    if (status == SOTER_SUCCESS) {
        status = soter_kdf(prepared, purpose, out, out_len);
    }
    soter_hmac_key_free(prepared);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/sealed_state.h"

#include <string.h>

#include "soter/hmac.h"
#include "soter/kdf.h"

soter_status themis_sealed_header_mac(const uint8_t fk[THEMIS_SEALED_FK_SIZE],
                                      const uint8_t d[SOTER_SHA256_SIZE],
                                      const uint8_t digest[SOTER_SHA256_SIZE],
                                      uint8_t mac[THEMIS_SEALED_MAC_SIZE])
{
    const struct soter_slice parts[3] = {SOTER_LABEL("TSFILE1\nheader"),
                                         {d, SOTER_SHA256_SIZE},
                                         {digest, SOTER_SHA256_SIZE}};
    soter_hmac_key *key = NULL;
    soter_status status = soter_hmac_key_new(fk, THEMIS_SEALED_FK_SIZE, &key);
    if (status == SOTER_SUCCESS) {
        status = soter_hmac(key, parts, 3, mac);
    }
    soter_hmac_key_free(key);
    return status;
}

soter_status themis_sealed_set_fk(themis_sealed *sealed, const uint8_t fk[THEMIS_SEALED_FK_SIZE])
{
    const soter_status status = themis_cell_key_init(&sealed->chunks, fk, THEMIS_SEALED_FK_SIZE);
    if (status == SOTER_SUCCESS) {
        memcpy(sealed->fk, fk, THEMIS_SEALED_FK_SIZE);
        sealed->has_fk = true;
    }
    return status;
}

soter_status themis_sealed_accept(themis_sealed *sealed, const uint8_t fk[THEMIS_SEALED_FK_SIZE])
{
    uint8_t mac[THEMIS_SEALED_MAC_SIZE] = {0}; /* public, once it is known to be right */
    const size_t head_len = sealed->bytes.len - THEMIS_SEALED_MAC_SIZE;
    const soter_status status = themis_sealed_header_mac(fk, sealed->d, sealed->digest, mac);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (!soter_equal(mac, sealed->bytes.data + head_len, sizeof mac)) {
        return SOTER_FAIL;
    }
    return themis_sealed_set_fk(sealed, fk);
}

struct soter_slice themis_sealed_context(const themis_sealed *sealed,
                                         const char *label,
                                         uint8_t out[THEMIS_SEALED_CONTEXT_MAX_SIZE])
{
    const size_t label_len = strlen(label); /* 25 at most */
    const struct soter_slice made = {out, label_len + SOTER_SHA256_SIZE};
    memcpy(out, label, label_len);
    memcpy(out + label_len, sealed->d, SOTER_SHA256_SIZE);
    return made;
}

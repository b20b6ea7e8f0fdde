/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/sealed_keys.h"

#include <assert.h>
#include <string.h>

#include "soter/digits.h"
#include "soter/hmac.h"
#include "soter/kdf.h"
#include "soter/wipe.h"
#include "themis/sealed_state.h"

#define SENDER_LABEL_SIZE 14

static_assert(SENDER_LABEL_SIZE + THEMIS_SEALED_SENDER_ID_SIZE + SOTER_SHA256_SIZE ==
                  THEMIS_SEALED_PREFIX_SIZE,
              "the prefix is a label, two names and a digest");

/* KDF(secret, label, [D], 32) */
static soter_status derive(const themis_sealed *sealed,
                           struct soter_slice secret,
                           struct soter_slice label,
                           uint8_t out[SOTER_KDF_MAX_SIZE])
{
    const struct soter_slice d = {sealed->d, sizeof sealed->d};
    const struct soter_kdf_purpose purpose = {label, &d, 1};
    soter_hmac_key *key = NULL;
    soter_status status = soter_hmac_key_new(secret.data, secret.len, &key);
    if (status == SOTER_SUCCESS) {
        status = soter_kdf(key, &purpose, out, SOTER_KDF_MAX_SIZE);
    }
    soter_hmac_key_free(key);
    return status;
}

soter_status themis_sealed_slot_cell(const themis_sealed *sealed,
                                     const uint8_t *key,
                                     size_t key_len,
                                     themis_cell **out)
{
    const struct soter_slice label = SOTER_LABEL("TSFILE1 key slot");
    uint8_t derived[SOTER_KDF_MAX_SIZE] = {0};
    soter_status status = derive(sealed, (struct soter_slice){key, key_len}, label, derived);
    if (status == SOTER_SUCCESS) {
        status = themis_cell_new(derived, sizeof derived, 0, out);
    }
    soter_wipe(derived, sizeof derived);
    return status;
}

int themis_sealed_passphrase(const themis_sealed *sealed,
                             const uint8_t *passphrase,
                             size_t passphrase_len,
                             uint32_t iterations,
                             themis_passphrase **out)
{
    const struct soter_slice label = SOTER_LABEL("TSFILE1 passphrase slot");
    const uint32_t limit = THEMIS_PASSPHRASE_ITERATIONS_LIMIT;
    uint8_t derived[SOTER_KDF_MAX_SIZE] = {0};
    uint8_t text[2 * SOTER_KDF_MAX_SIZE] = {0};
    soter_status status;
    if (iterations != 0 && iterations < THEMIS_PASSPHRASE_ITERATIONS) {
        return SOTER_INVALID_PARAMETER;
    }
    status = derive(sealed, (struct soter_slice){passphrase, passphrase_len}, label, derived);
    if (status == SOTER_SUCCESS) {
        soter_hex_write(derived, sizeof derived, text);
        status = themis_passphrase_new(text,
                                       sizeof text,
                                       iterations != 0 ? iterations : limit,
                                       1,
                                       limit,
                                       out);
    }
    soter_wipe(text, sizeof text);
    soter_wipe(derived, sizeof derived);
    return status;
}

void themis_sealed_prefix(const themis_sealed *sealed,
                          const uint8_t id[THEMIS_SEALED_SENDER_ID_SIZE],
                          uint8_t prefix[THEMIS_SEALED_PREFIX_SIZE])
{
    memcpy(prefix, "TSFILE1\nsender", SENDER_LABEL_SIZE);
    memcpy(prefix + SENDER_LABEL_SIZE, id, THEMIS_SEALED_SENDER_ID_SIZE);
    memcpy(prefix + SENDER_LABEL_SIZE + THEMIS_SEALED_SENDER_ID_SIZE, sealed->d, sizeof sealed->d);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/session_keys.h"

#include "soter/wipe.h"

static soter_status derive_sid(const struct themis_session_parties *parties,
                               uint8_t sid[THEMIS_SESSION_SID_SIZE])
{
    const struct soter_slice contexts[] = {parties->client_ephemeral,
                                           parties->server_ephemeral,
                                           parties->client_id,
                                           parties->server_id};
    const struct soter_kdf_purpose purpose = {
        SOTER_LABEL("Themis secure session unique identifier"),
        contexts,
        sizeof contexts / sizeof contexts[0]};
    return soter_kdf_keyless(&purpose, sid, THEMIS_SESSION_SID_SIZE);
}

static soter_status derive_master(const uint8_t *shared,
                                  size_t shared_len,
                                  struct soter_slice sid,
                                  uint8_t master[THEMIS_SESSION_KEY_SIZE])
{
    const struct soter_kdf_purpose purpose = {SOTER_LABEL("Themis secure session master key"),
                                              &sid,
                                              1};
    soter_hmac_key *key = NULL;
    soter_status status = soter_hmac_key_new(shared, shared_len, &key);
    if (status == SOTER_SUCCESS) {
        status = soter_kdf(key, &purpose, master, THEMIS_SESSION_KEY_SIZE);
    }
    soter_hmac_key_free(key);
    return status;
}

/* What the master key is made for; the sequence numbers are read as u32le. */
static soter_status derive_from_master(struct soter_slice sid, struct themis_session_secrets *out)
{
    uint8_t numbers[2][4] = {{0}};
    const struct {
        struct soter_slice label;
        uint8_t *out;
        size_t out_len;
    } wanted[] = {
        {SOTER_LABEL("Themis secure session client key"), out->client_key, sizeof out->client_key},
        {SOTER_LABEL("Themis secure session server key"), out->server_key, sizeof out->server_key},
        {SOTER_LABEL("Themis secure session client initial sequence number"), numbers[0], 4},
        {SOTER_LABEL("Themis secure session server initial sequence number"), numbers[1], 4},
    };
    soter_hmac_key *key = NULL;
    soter_status status = soter_hmac_key_new(out->master, sizeof out->master, &key);
    for (size_t i = 0; status == SOTER_SUCCESS && i < sizeof wanted / sizeof wanted[0]; i++) {
        const struct soter_kdf_purpose purpose = {wanted[i].label, &sid, 1};
        status = soter_kdf(key, &purpose, wanted[i].out, wanted[i].out_len);
    }
    out->client_number = soter_get_u32le(numbers[0]);
    out->server_number = soter_get_u32le(numbers[1]);
    soter_wipe(numbers, sizeof numbers);
    soter_hmac_key_free(key);
    return status;
}

soter_status themis_session_derive(const struct themis_session_parties *parties,
                                   const uint8_t *shared,
                                   size_t shared_len,
                                   struct themis_session_secrets *out)
{
    const struct soter_slice sid = {out->sid, sizeof out->sid};
    soter_status status = derive_sid(parties, out->sid);
    if (status == SOTER_SUCCESS) {
        status = derive_master(shared, shared_len, sid, out->master);
    }
    if (status == SOTER_SUCCESS) {
        status = derive_from_master(sid, out);
    }
    if (status != SOTER_SUCCESS) {
        soter_wipe(out, sizeof *out);
    }
    return status;
}

soter_status themis_session_mac(const struct themis_session_secrets *secrets,
                                struct soter_slice ephemeral,
                                uint8_t mac[THEMIS_SESSION_MAC_SIZE])
{
    const struct soter_slice parts[] = {ephemeral, {secrets->sid, sizeof secrets->sid}};
    soter_hmac_key *key = NULL;
    soter_status status = soter_hmac_key_new(secrets->master, sizeof secrets->master, &key);
    if (status == SOTER_SUCCESS) {
        status = soter_hmac(key, parts, 2, mac);
    }
    soter_hmac_key_free(key);
    return status;
}

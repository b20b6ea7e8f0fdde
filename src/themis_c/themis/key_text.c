/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in the forms of the rest of the world, and the blobs that they come in. */
#include <stdlib.h>

#include "soter/key.h"
#include "soter/pkcs8.h"
#include "soter/wipe.h"
#include "themis.h"

struct themis_blob {
    struct soter_owned content;
};

const uint8_t *themis_blob_data(const themis_blob *blob)
{
    return blob->content.data;
}

size_t themis_blob_size(const themis_blob *blob)
{
    return blob->content.len;
}

void themis_blob_free(themis_blob *blob)
{
    if (blob != NULL) {
        soter_wipe_free(blob->content.data, blob->content.len);
        free(blob);
    }
}

int themis_key_export(const uint8_t *key,
                      size_t key_len,
                      int pem,
                      const uint8_t *passphrase,
                      size_t passphrase_len,
                      themis_blob **out)
{
    const struct soter_slice secret = {passphrase, passphrase_len};
    soter_key *parsed = NULL;
    themis_blob *made = NULL;
    soter_status status = soter_key_read(key, key_len, &parsed);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        status = SOTER_NO_MEMORY;
        goto out;
    }
    status = soter_pkcs8_write(parsed, pem != 0 ? SOTER_PEM : SOTER_DER, secret, &made->content);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = made;
    made = NULL;
out:
    themis_blob_free(made);
    soter_key_free(parsed);
    return status;
}

struct themis_key_reading {
    soter_pkcs8 *text;
};

int themis_key_reading_new(const uint8_t *text,
                           size_t text_len,
                           int pem,
                           const uint8_t *passphrase,
                           size_t passphrase_len,
                           themis_key_reading **out,
                           const char **why)
{
    const struct soter_slice input = {text, text_len};
    const struct soter_slice secret = {passphrase, passphrase_len};
    soter_status status;
    themis_key_reading *made = calloc(1, sizeof *made);
    *why = NULL;
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_pkcs8_new(input, pem != 0 ? SOTER_PEM : SOTER_DER, secret, &made->text, why);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = made;
    made = NULL;
out:
    themis_key_reading_free(made);
    return status;
}

void themis_key_reading_free(themis_key_reading *reading)
{
    if (reading != NULL) {
        soter_pkcs8_free(reading->text);
        free(reading);
    }
}

int themis_key_reading_work(themis_key_reading *reading, uint32_t most, uint32_t *left)
{
    return soter_pkcs8_work(reading->text, most, left);
}

int themis_key_reading_finish(themis_key_reading *reading, themis_blob **out, const char **why)
{
    soter_status status;
    themis_blob *made = calloc(1, sizeof *made);
    *why = NULL;
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_pkcs8_finish(reading->text, &made->content, why);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = made;
    made = NULL;
out:
    themis_blob_free(made);
    return status;
}

int themis_key_import(const uint8_t *text,
                      size_t text_len,
                      int pem,
                      const uint8_t *passphrase,
                      size_t passphrase_len,
                      themis_blob **out,
                      const char **why)
{
    themis_key_reading *reading = NULL;
    uint32_t left;
    soter_status status =
        themis_key_reading_new(text, text_len, pem, passphrase, passphrase_len, &reading, why);
    if (status == SOTER_SUCCESS) {
        status = themis_key_reading_work(reading, UINT32_MAX, &left);
    }
    if (status == SOTER_SUCCESS) {
        status = themis_key_reading_finish(reading, out, why);
    }
    themis_key_reading_free(reading);
    return status;
}

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

int themis_key_import(const uint8_t *text,
                      size_t text_len,
                      int pem,
                      const uint8_t *passphrase,
                      size_t passphrase_len,
                      themis_blob **out,
                      const char **why)
{
    const struct soter_slice input = {text, text_len};
    const struct soter_slice secret = {passphrase, passphrase_len};
    soter_status status;
    themis_blob *made = calloc(1, sizeof *made);
    *why = NULL;
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = soter_pkcs8_read(input, pem != 0 ? SOTER_PEM : SOTER_DER, secret, &made->content, why);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    *out = made;
    made = NULL;
out:
    themis_blob_free(made);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: generated, inspected, their public halves, and PKCS#8 and its relatives in and out. */
#include "soter/key_container.h"

#include <stdlib.h>

#include "soter/ec_key.h"
#include "soter/pkcs8_read.h"
#include "soter/pkcs8_write.h"
#include "soter/rand.h"
#include "soter/rsa_key.h"
#include "soter/wipe.h"
#include "themis.h"

int themis_symmetric_key(uint8_t key[THEMIS_SYMMETRIC_KEY_SIZE])
{
    return soter_rand_secret(key, THEMIS_SYMMETRIC_KEY_SIZE);
}

int themis_symmetric_key_at_once(uint8_t key[THEMIS_SYMMETRIC_KEY_SIZE], int *would_wait)
{
    bool waits = false;
    const soter_status status = soter_rand_secret_at_once(key, THEMIS_SYMMETRIC_KEY_SIZE, &waits);
    *would_wait = waits;
    return status;
}

static enum soter_point_form form_for(int uncompressed)
{
    return uncompressed != 0 ? SOTER_UNCOMPRESSED : SOTER_COMPRESSED;
}

int themis_key_inspect(const uint8_t *key,
                       size_t key_len,
                       int *algorithm,
                       int *is_private,
                       int *bits)
{
    const struct soter_key_kind *kind = NULL;
    const soter_status status = soter_key_inspect(key, key_len, &kind);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    *algorithm = kind->algorithm == SOTER_KEY_EC ? THEMIS_KEY_EC : THEMIS_KEY_RSA;
    *is_private = kind->is_private;
    *bits = kind->bits;
    return SOTER_SUCCESS;
}

size_t themis_key_size(int algorithm, int is_private, int bits, int uncompressed)
{
    const struct soter_key_kind *kind;
    if (bits < 0 || (algorithm != THEMIS_KEY_EC && algorithm != THEMIS_KEY_RSA)) {
        return 0;
    }
    kind = soter_key_find_kind(algorithm == THEMIS_KEY_EC ? SOTER_KEY_EC : SOTER_KEY_RSA,
                               is_private != 0,
                               (unsigned)bits);
    return kind != NULL ? soter_key_size(kind, form_for(uncompressed)) : 0;
}

int themis_key_pair(int algorithm,
                    int bits,
                    int uncompressed,
                    uint8_t *private_key,
                    size_t private_key_len,
                    uint8_t *public_key,
                    size_t public_key_len)
{
    const size_t private_len = themis_key_size(algorithm, 1, bits, uncompressed);
    const size_t public_len = themis_key_size(algorithm, 0, bits, uncompressed);
    soter_key *pair = NULL;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (private_len == 0 || public_len == 0) {
        return status;
    }
    if (private_key_len < private_len || public_key_len < public_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    status = algorithm == THEMIS_KEY_EC ? soter_ec_key_generate((unsigned)bits, &pair)
                                        : soter_rsa_key_generate((unsigned)bits, &pair);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_key_write_public(pair, form_for(uncompressed), public_key, public_len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_key_write_private(pair, private_key, private_len);
out:
    soter_key_free(pair);
    return status;
}

/* Reads a key, private or public, and writes its public half. */
static soter_status rewrite(struct soter_slice data,
                            bool is_private,
                            enum soter_point_form form,
                            uint8_t *public_key,
                            size_t public_key_len)
{
    soter_key *key = NULL;
    soter_status status = soter_key_read_half(data.data, data.len, is_private, &key);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = soter_key_write_public(key, form, public_key, public_key_len);
    soter_key_free(key);
    return status;
}

int themis_key_public(const uint8_t *private_key,
                      size_t private_key_len,
                      int uncompressed,
                      uint8_t *public_key,
                      size_t public_key_len)
{
    const struct soter_slice data = {private_key, private_key_len};
    return rewrite(data, true, form_for(uncompressed), public_key, public_key_len);
}

int themis_key_uncompressed(const uint8_t *public_key,
                            size_t public_key_len,
                            uint8_t *uncompressed,
                            size_t uncompressed_len)
{
    const struct soter_slice data = {public_key, public_key_len};
    return rewrite(data, false, SOTER_UNCOMPRESSED, uncompressed, uncompressed_len);
}

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

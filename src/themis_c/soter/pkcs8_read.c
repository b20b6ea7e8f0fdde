/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/pkcs8_read.h"

#include <limits.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "soter/key_der.h"
#include "soter/libcrypto.h"
#include "soter/pbes2.h"
#include "soter/pem.h"
#include "soter/wipe.h"

/* One of them is there, or both are not once the key has been given away. */
struct soter_pkcs8 {
    struct soter_owned container;
    soter_pbes2 *encrypted;
};

/* The forms, by the name that PEM has for each. */
static const struct form_name {
    const char *name;
    enum soter_key_form form;
} form_names[] = {
    {"PRIVATE KEY", SOTER_FORM_PKCS8},
    {"ENCRYPTED PRIVATE KEY", SOTER_FORM_PKCS8_ENCRYPTED},
    {"PUBLIC KEY", SOTER_FORM_SPKI},
    {"EC PRIVATE KEY", SOTER_FORM_SEC1},
    {"RSA PRIVATE KEY", SOTER_FORM_PKCS1_PRIVATE},
    {"RSA PUBLIC KEY", SOTER_FORM_PKCS1_PUBLIC},
};

#define FORMS_COUNT (sizeof form_names / sizeof form_names[0])

static enum soter_key_form form_named(struct soter_slice label)
{
    for (size_t i = 0; i < FORMS_COUNT; i++) {
        const char *name = form_names[i].name;
        if (label.len == strlen(name) && memcmp(label.data, name, label.len) == 0) {
            return form_names[i].form;
        }
    }
    return SOTER_FORM_UNKNOWN;
}

static bool is_public(enum soter_key_form form)
{
    return form == SOTER_FORM_SPKI || form == SOTER_FORM_PKCS1_PUBLIC;
}

static soter_status refuse(const char **why, soter_status status, const char *sentence)
{
    *why = sentence;
    return status;
}

/* Says what soter_key_from_der found. */
static soter_status explain(const char **why, soter_status status)
{
    switch (status) {
    case SOTER_INVALID_PARAMETER:
        *why = "this is not a key, or it is corrupted";
        break;
    case SOTER_NOT_SUPPORTED:
        *why = "keys of this kind are not supported, only EC on P-256, P-384 and P-521, and "
               "RSA of 1024, 2048, 4096 and 8192 bits";
        break;
    case SOTER_DATA_CORRUPT:
        *why = "the numbers of the key make no sense, or an RSA key has another exponent "
               "than 3 or 65537";
        break;
    default:
        break;
    }
    return status;
}

static soter_status read_plain(soter_pkcs8 *reading,
                               enum soter_key_form form,
                               struct soter_slice der,
                               struct soter_slice passphrase,
                               const char **why)
{
    const soter_status status = soter_key_from_der(der, form, &reading->container);
    if (passphrase.len != 0 && (status == SOTER_SUCCESS || status == SOTER_NOT_SUPPORTED ||
                                status == SOTER_DATA_CORRUPT)) {
        return refuse(why,
                      SOTER_INVALID_PARAMETER,
                      "a passphrase was given, but the key is not encrypted");
    }
    return explain(why, status);
}

static soter_status read_encrypted(soter_pkcs8 *reading,
                                   struct soter_slice der,
                                   struct soter_slice passphrase,
                                   const char **why)
{
    soter_status status;
    if (passphrase.len == 0) {
        return refuse(why,
                      SOTER_INVALID_PARAMETER,
                      "the key is encrypted: pass its passphrase to read it");
    }
    status = soter_pbes2_new(der, passphrase, &reading->encrypted, why);
    return status == SOTER_INVALID_PARAMETER ? explain(why, status) : status;
}

/* A key without a passphrase may have another form than its PEM text says, as software writes it,
 * but not be the other half. */
static bool fits(enum soter_key_form wanted, enum soter_key_form form)
{
    return wanted == SOTER_FORM_UNKNOWN || wanted == form ||
           (wanted != SOTER_FORM_PKCS8_ENCRYPTED && form != SOTER_FORM_PKCS8_ENCRYPTED &&
            is_public(wanted) == is_public(form));
}

/* `wanted` is what a PEM text says of it, if there is one. */
static soter_status read_der(soter_pkcs8 *reading,
                             enum soter_key_form wanted,
                             struct soter_slice der,
                             struct soter_slice passphrase,
                             const char **why)
{
    const enum soter_key_form form = soter_key_der_form(der);
    if (form == SOTER_FORM_UNKNOWN || !fits(wanted, form)) {
        return explain(why, SOTER_INVALID_PARAMETER);
    }
    return form == SOTER_FORM_PKCS8_ENCRYPTED ? read_encrypted(reading, der, passphrase, why)
                                              : read_plain(reading, form, der, passphrase, why);
}

/* Reads the next block; nothing happens if it is none of a key, such as the parameters that OpenSSL
 * writes before an EC key. */
static soter_status read_block(soter_pkcs8 *reading,
                               struct soter_reader *text,
                               struct soter_slice passphrase,
                               const char **why)
{
    struct soter_pem_block block;
    enum soter_key_form form;
    soter_status status = soter_pem_read(text, &block);
    if (status != SOTER_SUCCESS) {
        return status == SOTER_INVALID_PARAMETER
                   ? refuse(why, status, "there is no key in this PEM text")
                   : status;
    }
    form = form_named(block.label);
    if (form != SOTER_FORM_UNKNOWN && block.has_headers) {
        status =
            refuse(why,
                   SOTER_NOT_SUPPORTED,
                   "the key is encrypted in the legacy format of old OpenSSL versions: convert it "
                   "with `openssl pkcs8 -topk8`");
    } else if (form != SOTER_FORM_UNKNOWN) {
        const struct soter_slice der = {block.body.data, block.body.len};
        status = read_der(reading, form, der, passphrase, why);
    }
    soter_wipe_free(block.body.data, block.body.len);
    return status;
}

static soter_status read_pem(soter_pkcs8 *reading,
                             struct soter_slice text,
                             struct soter_slice passphrase,
                             const char **why)
{
    soter_status status = SOTER_SUCCESS;
    struct soter_reader reader;
    soter_reader_init(&reader, text.data, text.len);
    while (status == SOTER_SUCCESS && reading->container.data == NULL &&
           reading->encrypted == NULL) {
        status = read_block(reading, &reader, passphrase, why); /* consumes something, or fails */
    }
    return status;
}

soter_status soter_pkcs8_new(struct soter_slice input,
                             enum soter_key_text text,
                             struct soter_slice passphrase,
                             soter_pkcs8 **out,
                             const char **why)
{
    soter_pkcs8 *made;
    soter_status status;
    if (input.len == 0 || input.len > SOTER_PKCS8_MAX_SIZE || passphrase.len > INT_MAX) {
        return refuse(why,
                      SOTER_INVALID_PARAMETER,
                      "this is not a key: it is empty, or longer than any key");
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    soter_libcrypto_mark();
    status = text == SOTER_PEM ? read_pem(made, input, passphrase, why)
                               : read_der(made, SOTER_FORM_UNKNOWN, input, passphrase, why);
    soter_wipe_stack();
    ERR_pop_to_mark();
    if (status == SOTER_SUCCESS) {
        *out = made;
        made = NULL;
    }
    soter_pkcs8_free(made);
    return status;
}

soter_status soter_pkcs8_work(soter_pkcs8 *reading, uint32_t most, uint32_t *left)
{
    *left = 0;
    return reading->encrypted != NULL ? soter_pbes2_work(reading->encrypted, most, left)
                                      : SOTER_SUCCESS;
}

static soter_status open_encrypted(soter_pkcs8 *reading, const char **why)
{
    struct soter_owned plain = {NULL, 0};
    soter_status status = soter_pbes2_finish(reading->encrypted, &plain);
    if (status == SOTER_SUCCESS) {
        const struct soter_slice der = {plain.data, plain.len};
        status = soter_key_from_der(der, SOTER_FORM_PKCS8, &reading->container);
        /* one time in 256, padding that is right is there by chance */
        status = status == SOTER_INVALID_PARAMETER ? SOTER_FAIL : explain(why, status);
    }
    if (status == SOTER_FAIL) {
        *why = "the passphrase is wrong, or the key is corrupted";
    }
    soter_wipe_free(plain.data, plain.len);
    return status;
}

soter_status soter_pkcs8_finish(soter_pkcs8 *reading, struct soter_owned *out, const char **why)
{
    if (reading->encrypted != NULL) {
        const soter_status status = open_encrypted(reading, why);
        if (status != SOTER_SUCCESS) {
            return status;
        }
    }
    if (reading->container.data == NULL) {
        return SOTER_INVALID_PARAMETER;
    }
    *out = reading->container;
    reading->container.data = NULL;
    return SOTER_SUCCESS;
}

void soter_pkcs8_free(soter_pkcs8 *reading)
{
    if (reading != NULL) {
        soter_pbes2_free(reading->encrypted);
        soter_wipe_free(reading->container.data, reading->container.len);
        free(reading);
    }
}

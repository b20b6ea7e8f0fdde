/* SPDX-License-Identifier: Apache-2.0 */
/* Keys from other programs. Input: flags, a passphrase, then DER, or PEM as text; or DER that the
 * target puts into a PEM block with one of the labels, so that base64 is no obstacle.
 *
 * Promises: what is accepted is a sound key that survives a trip out and in again; what is refused
 * leaves nothing, and says why. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"

enum { FORM_DER, FORM_TEXT, FORM_BLOCK, FORMS };

static const char *const labels[] = {
    "PRIVATE KEY",
    "PUBLIC KEY",
    "EC PRIVATE KEY",
    "RSA PRIVATE KEY",
    "RSA PUBLIC KEY",
    "ENCRYPTED PRIVATE KEY",
    "EC PARAMETERS",
    "CERTIFICATE",
};

#define LABELS_COUNT (sizeof labels / sizeof labels[0])

/* Whether reading costs few rounds of key derivation: the bound that users have is five million,
 * with which a fuzzer would do nothing else. The rounds are an INTEGER of up to two bytes behind
 * the identifier of PBKDF2; scrypt is left to the bound. */
static bool is_affordable(struct soter_slice der)
{
    static const uint8_t pbkdf2[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c};
    for (size_t at = 0; at + sizeof pbkdf2 < der.len; at++) {
        if (memcmp(der.data + at, pbkdf2, sizeof pbkdf2) == 0) {
            for (size_t i = at + sizeof pbkdf2; i + 1 < der.len && i < at + 64; i++) {
                if (der.data[i] == 0x02 && der.data[i + 1] > 2) {
                    return false;
                }
            }
        }
    }
    return true;
}

/* A PEM block; its headers, if there are any, are lines of the input. */
static struct soter_slice
block(const char *label, struct soter_slice headers, struct soter_slice der)
{
    const size_t room = 2 * der.len + headers.len + 128;
    char *text = (char *)fuzz_room(room);
    int at = snprintf(text, room, "-----BEGIN %s-----\n", label);
    if (headers.len != 0) {
        memcpy(text + at, headers.data, headers.len);
        at += (int)headers.len;
        at += snprintf(text + at, room - (size_t)at, "\n\n");
    }
    for (size_t done = 0; done < der.len; done += 48) {
        const int part = der.len - done < 48 ? (int)(der.len - done) : 48;
        at += EVP_EncodeBlock((unsigned char *)text + at, der.data + done, part);
        text[at++] = '\n';
    }
    at += snprintf(text + at, room - (size_t)at, "-----END %s-----\n", label);
    return (struct soter_slice){(uint8_t *)text, (size_t)at};
}

static void check_accepted(const themis_blob *key)
{
    int algorithm = 0;
    int is_private = 0;
    int bits = 0;
    themis_blob *text = NULL;
    themis_blob *back = NULL;
    const char *why = NULL;
    const uint8_t *bytes = themis_blob_data(key);
    const size_t size = themis_blob_size(key);
    MUST(themis_key_inspect(bytes, size, &algorithm, &is_private, &bits) == THEMIS_SUCCESS);
    MUST(size == themis_key_size(algorithm, is_private, bits, 0));
    MUST(themis_key_export(bytes, size, 1, NULL, 0, &text) == THEMIS_SUCCESS);
    MUST(themis_key_import(themis_blob_data(text),
                           themis_blob_size(text),
                           1,
                           NULL,
                           0,
                           &back,
                           &why) == THEMIS_SUCCESS);
    MUST(themis_blob_size(back) == size && memcmp(themis_blob_data(back), bytes, size) == 0);
    themis_blob_free(text);
    themis_blob_free(back);
}

static void import(struct soter_slice text, bool pem, struct soter_slice passphrase)
{
    themis_blob *key = NULL;
    const char *why = "";
    uint8_t *copy = fuzz_copy(text);
    const int status =
        themis_key_import(copy, text.len, pem, passphrase.data, passphrase.len, &key, &why);
    free(copy);
    MUST((key != NULL) == (status == THEMIS_SUCCESS));
    if (status == THEMIS_SUCCESS) {
        MUST(why == NULL);
        check_accepted(key);
    } else {
        MUST(why != NULL && why[0] != '\0');
        MUST(status == THEMIS_INVALID_PARAMETER || status == THEMIS_NOT_SUPPORTED ||
             status == THEMIS_FAIL || status == THEMIS_DATA_CORRUPT);
    }
    themis_blob_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    struct soter_slice passphrase = fuzz_field(&input);
    struct soter_slice headers = {NULL, 0};
    struct soter_slice rest;
    if (flags % 4 % FORMS == FORM_BLOCK) {
        headers = fuzz_field(&input);
    }
    rest = fuzz_rest(&input);
    if (flags % 4 % FORMS == FORM_TEXT || !is_affordable(rest)) {
        passphrase.len = 0; /* what is encrypted is refused then */
    }
    if (flags % 4 % FORMS == FORM_BLOCK) {
        rest = block(labels[flags / 4 % LABELS_COUNT], headers, rest);
    }
    import(rest, flags % 4 % FORMS != FORM_DER, passphrase);
    if (flags % 4 % FORMS == FORM_BLOCK) {
        free((void *)(uintptr_t)rest.data);
    }
    return 0;
}

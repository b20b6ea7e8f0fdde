/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "known_answers.h"
#include "themis.h"

enum { MAX_KEY = 8192, TAG_SIZE = 4, HEADER_SIZE = 12 };

/* key (empty: the implicit one), label, contexts in one run, output */
bool check_kdf(const struct line *line)
{
    const struct field *f = line->fields;
    bool is_right = true;
    uint8_t *out = odd_block(f[3].len);
    const int status = themis_testing_kdf(f[0].data,
                                          f[0].len,
                                          f[1].data,
                                          f[1].len,
                                          f[2].data,
                                          f[2].len,
                                          out,
                                          f[3].len);
    DEMAND(status == THEMIS_SUCCESS && field_is(f[3], out, f[3].len));
out:
    odd_free(out);
    return is_right;
}

/* tag, payload, container */
bool check_container(const struct line *line)
{
    const struct field *f = line->fields;
    bool is_right = true;
    char tag[TAG_SIZE + 1] = {0};
    size_t payload_len = 0;
    uint8_t *made = odd_block(f[2].len);
    DEMAND(f[0].len == TAG_SIZE && f[2].len == HEADER_SIZE + f[1].len);
    memcpy(tag, f[0].data, TAG_SIZE);
    memcpy(made + HEADER_SIZE, f[1].data, f[1].len);
    DEMAND(themis_testing_container_write(made, f[2].len, tag) == THEMIS_SUCCESS);
    DEMAND(field_is(f[2], made, f[2].len));
    DEMAND(themis_testing_container_read(made, f[2].len, tag, &payload_len) == THEMIS_SUCCESS);
    DEMAND(payload_len == f[1].len);
    made[f[2].len - 1] ^= 1;
    DEMAND(themis_testing_container_read(made, f[2].len, tag, &payload_len) == THEMIS_DATA_CORRUPT);
out:
    odd_free(made);
    return is_right;
}

/* The public half of a private key, in one of its forms. */
static bool gives_public(struct field private_key, int uncompressed, struct field expected)
{
    bool is_right = true;
    uint8_t *made = odd_block(expected.len);
    DEMAND(themis_key_public(private_key.data, private_key.len, uncompressed, made, expected.len) ==
           THEMIS_SUCCESS);
    DEMAND(field_is(expected, made, expected.len));
out:
    odd_free(made);
    return is_right;
}

/* A message signed with one half and verified with the other, and not when it is changed. */
static bool signs(struct field private_key, struct field public_key)
{
    enum { MESSAGE_SIZE = 33, MAX_SIGNATURE = 1024 };
    bool is_right = true;
    size_t len = MAX_SIGNATURE;
    size_t found = 0;
    themis_signer *signer = NULL;
    themis_verifier *verifier = NULL;
    uint8_t *made = odd_block(THEMIS_SIGNED_HEADER_SIZE + MESSAGE_SIZE + MAX_SIGNATURE);
    uint8_t *message = made + THEMIS_SIGNED_HEADER_SIZE;
    memset(message, 'm', MESSAGE_SIZE);
    DEMAND(themis_signer_new(private_key.data, private_key.len, &signer) == THEMIS_SUCCESS);
    DEMAND(themis_signer_signature_max(signer) <= MAX_SIGNATURE);
    DEMAND(themis_signer_sign(signer, message, MESSAGE_SIZE, made, message + MESSAGE_SIZE, &len) ==
           THEMIS_SUCCESS);
    len += THEMIS_SIGNED_HEADER_SIZE + MESSAGE_SIZE;
    DEMAND(themis_verifier_new(public_key.data, public_key.len, &verifier) == THEMIS_SUCCESS);
    DEMAND(themis_verifier_verify(verifier, made, len, &found) == THEMIS_SUCCESS);
    DEMAND(found == MESSAGE_SIZE);
    message[0] ^= 1;
    DEMAND(themis_verifier_verify(verifier, made, len, &found) == THEMIS_INVALID_SIGNATURE);
out:
    themis_signer_free(signer);
    themis_verifier_free(verifier);
    odd_free(made);
    return is_right;
}

/* A message encrypted to oneself. */
static bool encrypts(struct field private_key, struct field public_key)
{
    enum { MESSAGE_SIZE = 33 };
    bool is_right = true;
    themis_message *both = NULL;
    uint8_t *wrapped = NULL;
    uint8_t *opened = NULL;
    uint8_t *text = odd_block(MESSAGE_SIZE);
    size_t len;
    memset(text, 'm', MESSAGE_SIZE);
    DEMAND(themis_message_new(private_key.data,
                              private_key.len,
                              public_key.data,
                              public_key.len,
                              &both) == THEMIS_SUCCESS);
    len = MESSAGE_SIZE + themis_message_wrap_growth(both);
    DEMAND(themis_message_unwrap_growth(both) == len - MESSAGE_SIZE);
    wrapped = odd_block(len);
    opened = odd_block(MESSAGE_SIZE);
    DEMAND(themis_message_wrap(both,
                               text,
                               MESSAGE_SIZE,
                               wrapped,
                               MESSAGE_SIZE + themis_message_wrap_growth(both)) == THEMIS_SUCCESS);
    DEMAND(themis_message_unwrap(both,
                                 wrapped,
                                 len,
                                 opened,
                                 len - themis_message_unwrap_growth(both)) == THEMIS_SUCCESS);
    DEMAND(memcmp(opened, text, MESSAGE_SIZE) == 0);
    wrapped[len - 1] ^= 1;
    DEMAND(themis_message_unwrap(both,
                                 wrapped,
                                 len,
                                 opened,
                                 len - themis_message_unwrap_growth(both)) == THEMIS_FAIL);
out:
    themis_message_free(both);
    odd_free(wrapped);
    odd_free(opened);
    odd_free(text);
    return is_right;
}

/* private, private in its short form, public, public uncompressed or nothing, PKCS#8 in PEM or
 * nothing, whether they are EC keys */
bool check_pair(const struct line *line)
{
    const struct field *f = line->fields;
    bool is_right = true;
    int algorithm = 0;
    int is_private = 0;
    int bits = 0;
    const char *why = NULL;
    themis_blob *blob = NULL;
    DEMAND(themis_key_inspect(f[0].data, f[0].len, &algorithm, &is_private, &bits) ==
           THEMIS_SUCCESS);
    DEMAND(is_private == 1 && themis_key_size(algorithm, 1, bits, 0) == f[0].len);
    DEMAND(gives_public(f[0], 0, f[2]) && gives_public(f[1], 0, f[2]));
    DEMAND(f[3].len == 0 || gives_public(f[0], 1, f[3]));
    if (f[4].len != 0) {
        DEMAND(themis_key_import(f[4].data, f[4].len, 1, NULL, 0, &blob, &why) == THEMIS_SUCCESS);
        DEMAND(field_is(f[0], themis_blob_data(blob), themis_blob_size(blob)));
    }
    themis_blob_free(blob);
    blob = NULL;
    DEMAND(themis_key_export(f[2].data, f[2].len, 0, NULL, 0, &blob) == THEMIS_SUCCESS);
    DEMAND(signs(f[1], f[2]) && encrypts(f[0], f[3].len != 0 ? f[3] : f[2]));
    DEMAND((field_number(f[5]) != 0) == (algorithm == THEMIS_KEY_EC));
out:
    themis_blob_free(blob);
    return is_right;
}

/* key, sound */
bool check_validity(const struct line *line)
{
    const struct field *key = &line->fields[0];
    int algorithm = 0;
    int is_private = 0;
    int bits = 0;
    const int status = themis_key_inspect(key->data, key->len, &algorithm, &is_private, &bits);
    return (status == THEMIS_SUCCESS) == (field_number(line->fields[1]) != 0);
}

/* public key, signed message, accepted, message */
bool check_signed(const struct line *line)
{
    const struct field *f = line->fields;
    const bool accepted = field_number(f[2]) != 0;
    bool is_right = true;
    size_t len = 0;
    themis_verifier *verifier = NULL;
    int status = themis_verifier_new(f[0].data, f[0].len, &verifier);
    DEMAND(status == THEMIS_SUCCESS || !accepted);
    if (status == THEMIS_SUCCESS) {
        status = themis_verifier_verify(verifier, f[1].data, f[1].len, &len);
    }
    DEMAND((status == THEMIS_SUCCESS) == accepted);
    DEMAND(!accepted || (len + THEMIS_SIGNED_HEADER_SIZE <= f[1].len &&
                         field_is(f[3], f[1].data + THEMIS_SIGNED_HEADER_SIZE, len)));
out:
    themis_verifier_free(verifier);
    return is_right;
}

/* private key, public key, wrapped, accepted, message */
bool check_encrypted(const struct line *line)
{
    const struct field *f = line->fields;
    const bool accepted = field_number(f[3]) != 0;
    bool is_right = true;
    size_t growth = 0;
    themis_message *both = NULL;
    uint8_t *opened = odd_block(f[2].len);
    int status = themis_message_new(f[0].data, f[0].len, f[1].data, f[1].len, &both);
    DEMAND(status == THEMIS_SUCCESS || !accepted);
    if (status == THEMIS_SUCCESS) {
        growth = themis_message_unwrap_growth(both);
        status = THEMIS_INVALID_PARAMETER;
        if (f[2].len > growth) {
            status = themis_message_unwrap(both,
                                           f[2].data,
                                           f[2].len,
                                           opened,
                                           f[2].len - themis_message_unwrap_growth(both));
        }
    }
    DEMAND((status == THEMIS_SUCCESS) == accepted);
    DEMAND(!accepted || field_is(f[4], opened, f[2].len - growth));
out:
    themis_message_free(both);
    odd_free(opened);
    return is_right;
}

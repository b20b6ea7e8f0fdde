/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as containers. Input: flags, then bytes as they are, or the edits of an honest key, whose
 * checksum is mended or not.
 *
 * Promises: what a key says it is has the size that we know for it; a key whose numbers are
 * accepted works, and is the same key after a trip through DER; a refused one leaves nothing. */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"

enum { KINDS = 5, FLAG_RAW = 8, FLAG_MEND = 16, FLAG_PRIVATE = 32 };
enum { SLOW_BITS = 2048 }; /* the most of RSA whose private operations a fuzzer has time for */

struct kind {
    int algorithm;
    int is_private;
    int bits;
};

static bool is_algorithm(int algorithm)
{
    return algorithm == THEMIS_KEY_EC || algorithm == THEMIS_KEY_RSA;
}

/* Whether there is such a kind, and what our sizes say of a key of this length. */
static void check_kind(const struct kind *kind, size_t key_len)
{
    const size_t size = themis_key_size(kind->algorithm, kind->is_private, kind->bits, 0);
    const size_t long_size = themis_key_size(kind->algorithm, kind->is_private, kind->bits, 1);
    MUST(is_algorithm(kind->algorithm) && (kind->is_private == 0 || kind->is_private == 1));
    MUST(size != 0 && size <= long_size);
    /* a private EC key may come without the zero in front */
    MUST(key_len == size || key_len == long_size ||
         (kind->algorithm == THEMIS_KEY_EC && kind->is_private && key_len == size - 1));
}

/* DER and back: the same numbers in the form that we write. */
static void round_trip(const struct kind *kind, struct soter_slice key)
{
    themis_blob *der = NULL;
    themis_blob *back = NULL;
    const char *why = NULL;
    int status = themis_key_export(key.data, key.len, 0, NULL, 0, &der);
    MUST(status == THEMIS_SUCCESS || status == THEMIS_DATA_CORRUPT);
    MUST((der != NULL) == (status == THEMIS_SUCCESS));
    if (der != NULL) {
        status = themis_key_import(themis_blob_data(der),
                                   themis_blob_size(der),
                                   0,
                                   NULL,
                                   0,
                                   &back,
                                   &why);
        MUST(status == THEMIS_SUCCESS && why == NULL);
        MUST(themis_blob_size(back) ==
             themis_key_size(kind->algorithm, kind->is_private, kind->bits, 0));
        MUST(key.len != themis_blob_size(back) ||
             memcmp(themis_blob_data(back), key.data, key.len) == 0);
    }
    themis_blob_free(der);
    themis_blob_free(back);
}

/* What a private key signs, its public half verifies; but for RSA keys whose numbers fit as far as
 * we judge them (soter/rsa_key.c says how far), whose signatures may be good for nothing. */
static void use(struct soter_slice private_key, struct soter_slice public_key, bool must_work)
{
    static const uint8_t text[] = "text";
    themis_signer *signer = NULL;
    themis_verifier *verifier = NULL;
    uint8_t *whole;
    size_t signature_len;
    size_t text_len = 0;
    int status;
    uint8_t *signature;
    MUST(themis_signer_new(private_key.data, private_key.len, &signer) == THEMIS_SUCCESS);
    MUST(themis_verifier_new(public_key.data, public_key.len, &verifier) == THEMIS_SUCCESS);
    whole =
        fuzz_room(THEMIS_SIGNED_HEADER_SIZE + sizeof text + themis_signer_signature_max(signer));
    memcpy(whole + THEMIS_SIGNED_HEADER_SIZE, text, sizeof text);
    signature = whole + THEMIS_SIGNED_HEADER_SIZE + sizeof text;
    signature_len = themis_signer_signature_max(signer);
    status = themis_signer_sign(signer, text, sizeof text, whole, signature, &signature_len);
    MUST(status == THEMIS_SUCCESS || !must_work);
    if (status == THEMIS_SUCCESS) {
        status = themis_verifier_verify(verifier,
                                        whole,
                                        THEMIS_SIGNED_HEADER_SIZE + sizeof text + signature_len,
                                        &text_len);
        MUST(status == THEMIS_SUCCESS ? text_len == sizeof text : !must_work);
    }
    free(whole);
    themis_signer_free(signer);
    themis_verifier_free(verifier);
}

static void derive_public(const struct kind *kind, struct soter_slice key, int uncompressed)
{
    const size_t size = themis_key_size(kind->algorithm, 0, kind->bits, uncompressed);
    uint8_t *public_key = fuzz_room(size);
    struct kind found = {0, 0, 0};
    const int status = themis_key_public(key.data, key.len, uncompressed, public_key, size);
    if (!kind->is_private) {
        MUST(status == THEMIS_INVALID_PARAMETER || status == THEMIS_DATA_CORRUPT);
    } else if (status == THEMIS_SUCCESS) {
        MUST(themis_key_inspect(public_key,
                                size,
                                &found.algorithm,
                                &found.is_private,
                                &found.bits) == THEMIS_SUCCESS);
        MUST(found.algorithm == kind->algorithm && !found.is_private && found.bits == kind->bits);
        if (kind->algorithm == THEMIS_KEY_EC || kind->bits <= SLOW_BITS) {
            use(key, (struct soter_slice){public_key, size}, kind->algorithm == THEMIS_KEY_EC);
        }
    } else {
        MUST(status == THEMIS_DATA_CORRUPT);
    }
    free(public_key);
}

static void read_key(struct soter_slice bytes, int uncompressed)
{
    uint8_t *copy = fuzz_copy(bytes);
    const struct soter_slice key = {copy, bytes.len};
    struct kind kind = {-1, -1, -1};
    const int status =
        themis_key_inspect(copy, bytes.len, &kind.algorithm, &kind.is_private, &kind.bits);
    if (status == THEMIS_SUCCESS) {
        check_kind(&kind, bytes.len);
        derive_public(&kind, key, uncompressed);
        round_trip(&kind, key);
    } else {
        themis_blob *blob = NULL;
        MUST(status == THEMIS_INVALID_PARAMETER || status == THEMIS_DATA_CORRUPT);
        MUST(kind.algorithm == -1 && kind.is_private == -1 && kind.bits == -1);
        MUST(themis_key_export(copy, bytes.len, 1, NULL, 0, &blob) == status && blob == NULL);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int bits[KINDS] = {256, 384, 521, 1024, 2048};
    static struct fuzz_message key;
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    const bool is_private = (flags & FLAG_PRIVATE) != 0;
    const int kind = flags % 8 % KINDS;
    if ((flags & FLAG_RAW) != 0) {
        /* any numbers name a kind, or none */
        (void)themis_key_size((int)(int8_t)fuzz_byte(&input), 1, (int)fuzz_number(&input), 0);
        fuzz_set(&key, fuzz_field(&input));
    } else if (kind < 3) {
        fuzz_set(&key,
                 is_private ? fuzz_ec_private(bits[kind], false)
                            : fuzz_ec_public(bits[kind], false));
    } else {
        fuzz_set(&key, is_private ? fuzz_rsa_private(bits[kind]) : fuzz_rsa_public(bits[kind]));
    }
    if ((flags & FLAG_RAW) == 0) {
        fuzz_edit(&input, &key);
    }
    if ((flags & FLAG_MEND) != 0) {
        (void)fuzz_mend(&key, 0);
    }
    read_key(fuzz_slice(&key), flags >> 7);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of soter_key, for the files that work with keys. */
#ifndef SOTER_EVP_KEY_H
#define SOTER_EVP_KEY_H

#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/key.h"

/* A private EC key that came from a container has no public half until somebody asks for it: to
 * compute it costs as much as a signature. */
struct soter_key {
    const struct soter_key_kind *kind;
    EVP_PKEY *pkey;
};

/* Wraps an OpenSSL key, which the result owns; frees it on failure. NULL means no memory. */
SOTER_MUST_USE soter_status soter_key_adopt(const struct soter_key_kind *kind,
                                            EVP_PKEY *pkey,
                                            soter_key **out);

/* Makes an OpenSSL key ("EC", "RSA") out of its numbers. */
SOTER_MUST_USE soter_status soter_evp_key_make(const char *type,
                                               int selection,
                                               OSSL_PARAM *params,
                                               EVP_PKEY **out);

/* A number as OSSL_PARAM wants it, in the byte order of the machine, from big-endian bytes. */
void soter_native_number(const uint8_t *number, size_t len, uint8_t *out);

/* A number of an OpenSSL key as `len` big-endian bytes. */
SOTER_MUST_USE soter_status soter_evp_key_number(const EVP_PKEY *pkey,
                                                 const char *name,
                                                 uint8_t *out,
                                                 size_t len);

/* Whether a < b, both big-endian with `len` bytes, in time that depends on `len` alone. */
SOTER_MUST_USE bool soter_number_less(const uint8_t *a, const uint8_t *b, size_t len);

/* The payloads of containers. What these read they judge: DATA_CORRUPT for nonsense. The length
 * of a payload is known to fit its kind. */
SOTER_MUST_USE bool soter_ec_payload_fits(const struct soter_key_kind *kind, size_t payload_len);
SOTER_MUST_USE bool soter_rsa_payload_fits(const struct soter_key_kind *kind, size_t payload_len);

SOTER_MUST_USE soter_status soter_ec_import(const struct soter_key_kind *kind,
                                            struct soter_slice payload,
                                            EVP_PKEY **out);
SOTER_MUST_USE soter_status soter_rsa_import(const struct soter_key_kind *kind,
                                             struct soter_slice payload,
                                             EVP_PKEY **out);

size_t soter_ec_public_payload_size(const struct soter_key_kind *kind, enum soter_point_form form);
size_t soter_ec_private_payload_size(const struct soter_key_kind *kind);
size_t soter_rsa_public_payload_size(const struct soter_key_kind *kind);
size_t soter_rsa_private_payload_size(const struct soter_key_kind *kind);

SOTER_MUST_USE soter_status soter_ec_export_public(const soter_key *key,
                                                   enum soter_point_form form,
                                                   uint8_t *payload);
SOTER_MUST_USE soter_status soter_ec_export_private(const soter_key *key, uint8_t *payload);
SOTER_MUST_USE soter_status soter_rsa_export_public(const soter_key *key, uint8_t *payload);
SOTER_MUST_USE soter_status soter_rsa_export_private(const soter_key *key, uint8_t *payload);

#endif

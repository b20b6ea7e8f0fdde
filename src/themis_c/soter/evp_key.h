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
#include "soter/ec_point.h"
#include "soter/key.h"

/* EC keys stay numbers: what is done with them takes less time than to make a key of EVP, which
 * only PKCS#8 needs. A private one that came from a container has no public half until somebody
 * asks for it: to compute it costs as much as a signature. */
struct soter_key {
    const struct soter_key_kind *kind;
    EVP_PKEY *pkey; /* of RSA */
    /* Of EC: */
    bool has_point;
    uint8_t point[SOTER_EC_POINT_MAX_SIZE]; /* uncompressed */
    uint8_t d[SOTER_EC_NUMBER_MAX_SIZE];
};

/* A key of this kind, still without numbers. */
SOTER_MUST_USE soter_status soter_key_new(const struct soter_key_kind *kind, soter_key **out);

/* Gives the key as EVP has it, with its public half, for the caller to free. */
SOTER_MUST_USE soter_status soter_key_to_evp(const soter_key *key, EVP_PKEY **out);

/* A parameter that is a string constant, in a static list of them. */
#define SOTER_TEXT_PARAM(name, text) OSSL_PARAM_utf8_string(name, (char *)(text), sizeof(text) - 1)

/* Sets up an operation with an RSA key, once: EVP_PKEY_sign_init_ex or another of its kind, with
 * these parameters. NOT_SUPPORTED: the FIPS provider refuses the key. Between ERR_set_mark and
 * ERR_pop_to_mark. OpenSSL's contexts belong to one thread at a time, so the result is only ever
 * copied: that is cheaper by far than to make one. */
SOTER_MUST_USE soter_status soter_rsa_prepare(EVP_PKEY *pkey,
                                              int (*init)(EVP_PKEY_CTX *ctx,
                                                          const OSSL_PARAM *params),
                                              const OSSL_PARAM *params,
                                              EVP_PKEY_CTX **out);

/* The same over a copy of that context's key, without the blinding that the original has; NULL if
 * it fails. */
SOTER_MUST_USE EVP_PKEY_CTX *soter_rsa_prepare_afresh(EVP_PKEY_CTX *prepared,
                                                      int (*init)(EVP_PKEY_CTX *ctx,
                                                                  const OSSL_PARAM *params),
                                                      const OSSL_PARAM *params);

/* Makes an OpenSSL key out of its numbers, in a context for keys of its type. */
SOTER_MUST_USE soter_status soter_evp_key_make(EVP_PKEY_CTX *ctx,
                                               int selection,
                                               OSSL_PARAM *params,
                                               EVP_PKEY **out);

/* Frees one while forks wait; not between soter_fork_hold_off and soter_fork_allow. */
void soter_evp_key_free(EVP_PKEY *pkey);

/* A number as OSSL_PARAM wants it, in the byte order of the machine, from big-endian bytes. */
void soter_native_number(const uint8_t *number, size_t len, uint8_t *out);

/* The way back, in its place. */
void soter_number_from_native(uint8_t *number, size_t len);

/* Whether a < b, both big-endian with `len` bytes, in time that depends on `len` alone. */
SOTER_MUST_USE bool soter_number_less(const uint8_t *a, const uint8_t *b, size_t len);

/* The payloads of containers. What these read they judge: DATA_CORRUPT for nonsense. The length
 * of a payload is known to fit its kind. */
SOTER_MUST_USE bool soter_ec_payload_fits(const struct soter_key_kind *kind, size_t payload_len);
SOTER_MUST_USE bool soter_rsa_payload_fits(const struct soter_key_kind *kind, size_t payload_len);

SOTER_MUST_USE soter_status soter_ec_import(soter_key *key, struct soter_slice payload);
SOTER_MUST_USE soter_status soter_rsa_import(soter_key *key, struct soter_slice payload);

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

/* Makes the OpenSSL key of an EC key, with its public half. */
SOTER_MUST_USE soter_status soter_ec_to_evp(const soter_key *key, EVP_PKEY **out);

#endif

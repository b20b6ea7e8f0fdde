/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of OpenSSL: made out of numbers, prepared for an operation, freed. */
#ifndef SOTER_EVP_H
#define SOTER_EVP_H

#include <openssl/evp.h>
#include <openssl/params.h>

#include "soter/status.h"

/* A parameter that is a string constant, in a static list of them. */
#define SOTER_TEXT_PARAM(name, text) OSSL_PARAM_utf8_string(name, (char *)(text), sizeof(text) - 1)

/* Sets up an operation with an RSA key, once: EVP_PKEY_sign_init_ex or another of its kind, with
 * these parameters. NOT_SUPPORTED: the FIPS provider refuses the key. Between ERR_set_mark and
 * ERR_pop_to_mark. OpenSSL's contexts belong to one thread at a time, so the result is only ever
 * copied: that is cheaper by far than to make one. */
SOTER_MUST_USE soter_status soter_evp_prepare(EVP_PKEY *pkey,
                                              int (*init)(EVP_PKEY_CTX *ctx,
                                                          const OSSL_PARAM *params),
                                              const OSSL_PARAM *params,
                                              EVP_PKEY_CTX **out);

/* The same over a copy of that context's key, without the blinding that the original has; NULL if
 * it fails. */
SOTER_MUST_USE EVP_PKEY_CTX *soter_evp_prepare_afresh(EVP_PKEY_CTX *prepared,
                                                      int (*init)(EVP_PKEY_CTX *ctx,
                                                                  const OSSL_PARAM *params),
                                                      const OSSL_PARAM *params);

/* Makes an OpenSSL key out of its numbers, in a context for keys of its type. */
SOTER_MUST_USE soter_status soter_evp_make(EVP_PKEY_CTX *ctx,
                                           int selection,
                                           OSSL_PARAM *params,
                                           EVP_PKEY **out);

/* Frees one while forks wait; not between soter_fork_hold_off and soter_fork_allow. */
void soter_evp_free(EVP_PKEY *pkey);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The Soter KDF (specification, section 1). */
#ifndef SOTER_KDF_H
#define SOTER_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/hmac.h"
#include "soter/status.h"

#define SOTER_KDF_MAX_SIZE 32
#define SOTER_KDF_MAX_CONTEXTS 8

/* What a key is derived for: a label, and up to SOTER_KDF_MAX_CONTEXTS contexts. */
struct soter_kdf_purpose {
    struct soter_slice label;
    const struct soter_slice *contexts;
    size_t contexts_count;
};

/* The first out_len (at most 32) bytes of HMAC(key, 00000001 || label || 00 || contexts). */
SOTER_MUST_USE soter_status soter_kdf(soter_hmac_key *key,
                                      const struct soter_kdf_purpose *purpose,
                                      uint8_t *out,
                                      size_t out_len);

/* The same where there is no key: label and contexts make one. */
SOTER_MUST_USE soter_status soter_kdf_keyless(const struct soter_kdf_purpose *purpose,
                                              uint8_t *out,
                                              size_t out_len);

/* A label as a purpose has it, from a string literal: without the terminator. */
#define SOTER_LABEL(text) {(const uint8_t *)(text), sizeof(text) - 1}

#endif

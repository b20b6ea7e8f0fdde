/* SPDX-License-Identifier: Apache-2.0 */
/* What AES-GCM and AES-CTR share: OpenSSL counts bytes in an int, we in a size_t. */
#ifndef SOTER_CIPHER_H
#define SOTER_CIPHER_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"

/* Feeds `data` to a stream cipher in pieces; `out` NULL means associated data. */
SOTER_MUST_USE soter_status soter_cipher_feed(EVP_CIPHER_CTX *ctx,
                                              const uint8_t *data,
                                              size_t data_len,
                                              uint8_t *out);

#endif

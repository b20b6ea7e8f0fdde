/* SPDX-License-Identifier: Apache-2.0 */
/* Keys out to PKCS#8 and SubjectPublicKeyInfo. */
#ifndef SOTER_PKCS8_WRITE_H
#define SOTER_PKCS8_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/key.h"
#include "soter/pkcs8.h"
#include "soter/status.h"

#define SOTER_PKCS8_ITERATIONS 600000 /* of PBKDF2-HMAC-SHA256, when writing */

/* Writes a key; a private one encrypted with AES-256 if there is a passphrase. */
SOTER_MUST_USE soter_status soter_pkcs8_write(const soter_key *key,
                                              enum soter_key_text text,
                                              struct soter_slice passphrase,
                                              struct soter_owned *out);

#endif

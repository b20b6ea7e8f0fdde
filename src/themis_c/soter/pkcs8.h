/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in the forms that the rest of the world uses: PKCS#8, also encrypted, and
 * SubjectPublicKeyInfo, in DER or PEM. */
#ifndef SOTER_PKCS8_H
#define SOTER_PKCS8_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/key.h"
#include "soter/status.h"

#define SOTER_PKCS8_ITERATIONS 600000      /* of PBKDF2-HMAC-SHA256, when writing */
#define SOTER_PKCS8_MAX_ITERATIONS 5000000 /* when reading; hostile files could ask for hours */
#define SOTER_PKCS8_MAX_SIZE (1024 * 1024) /* of what is read; an honest key has 13 KiB at most */

enum soter_key_text { SOTER_DER, SOTER_PEM };

/* Bytes that belong to who holds them; soter_wipe_free(data, len) ends them. */
struct soter_owned {
    uint8_t *data;
    size_t len;
};

/* Writes a key; a private one encrypted with AES-256 if there is a passphrase. */
SOTER_MUST_USE soter_status soter_pkcs8_write(const soter_key *key,
                                              enum soter_key_text text,
                                              struct soter_slice passphrase,
                                              struct soter_owned *out);

/* Reads a key, judges its numbers, and gives its container. Beside what soter_pkcs8_write writes
 * this reads PKCS#1 and SEC1, unencrypted. When it fails, *why is a sentence about what was wrong,
 * and the status is
 *   INVALID_PARAMETER  not a key, or a passphrase too many or too few,
 *   NOT_SUPPORTED      a key or an encryption that we do not use,
 *   FAIL               the wrong passphrase,
 *   DATA_CORRUPT       numbers that make no sense. */
SOTER_MUST_USE soter_status soter_pkcs8_read(struct soter_slice input,
                                             enum soter_key_text text,
                                             struct soter_slice passphrase,
                                             struct soter_owned *out,
                                             const char **why);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in from PKCS#8, SubjectPublicKeyInfo, PKCS#1 and SEC1. */
#ifndef SOTER_PKCS8_READ_H
#define SOTER_PKCS8_READ_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/pkcs8.h"
#include "soter/status.h"

/* A key that is being read. The work between passphrase and key is slow on purpose: it is done in
 * slices, and the caller can do other work between them. One thread at a time. */
typedef struct soter_pkcs8 soter_pkcs8;

/* Reads what soter_pkcs8_write writes, and unencrypted PKCS#1 and SEC1. Nothing is borrowed. When
 * it or soter_pkcs8_finish fails, *why is a sentence about what was wrong, or NULL where the status
 * says it all. INVALID_PARAMETER: not a key, or a passphrase missing or not needed. NOT_SUPPORTED:
 * a key or an encryption that is not accepted. FAIL: the wrong passphrase. DATA_CORRUPT: numbers
 * that make no sense. */
SOTER_MUST_USE soter_status soter_pkcs8_new(struct soter_slice input,
                                            enum soter_key_text text,
                                            struct soter_slice passphrase,
                                            soter_pkcs8 **out,
                                            const char **why);

/* Does this many iterations at most; *left is how many remain: none, if the key is
 * not encrypted. */
SOTER_MUST_USE soter_status soter_pkcs8_work(soter_pkcs8 *reading, uint32_t most, uint32_t *left);

/* When none remain, once: the container of the key. */
SOTER_MUST_USE soter_status soter_pkcs8_finish(soter_pkcs8 *reading,
                                               struct soter_owned *out,
                                               const char **why);

/* Wipes. NULL is fine. */
void soter_pkcs8_free(soter_pkcs8 *reading);

#endif

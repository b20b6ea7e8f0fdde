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
#define SOTER_PKCS8_MAX_SIZE (1024 * 1024) /* of what is read; an honest key has 13 KiB at most */

enum soter_key_text { SOTER_DER, SOTER_PEM };

/* Writes a key; a private one encrypted with AES-256 if there is a passphrase. */
SOTER_MUST_USE soter_status soter_pkcs8_write(const soter_key *key,
                                              enum soter_key_text text,
                                              struct soter_slice passphrase,
                                              struct soter_owned *out);

/* A key that is being read. To find the key of a passphrase takes long, on purpose: so it is done
 * in slices between which the caller can look at other things. One thread at a time. */
typedef struct soter_pkcs8 soter_pkcs8;

/* Beside what soter_pkcs8_write writes this reads PKCS#1 and SEC1, unencrypted. Nothing is
 * borrowed. When it or soter_pkcs8_finish fails, *why is a sentence about what was wrong, or NULL
 * where the status says it all, and the status is INVALID_PARAMETER  not a key, or a passphrase too
 * many or too few, NOT_SUPPORTED      a key or an encryption that we do not use, FAIL the wrong
 * passphrase, DATA_CORRUPT       numbers that make no sense. */
SOTER_MUST_USE soter_status soter_pkcs8_new(struct soter_slice input,
                                            enum soter_key_text text,
                                            struct soter_slice passphrase,
                                            soter_pkcs8 **out,
                                            const char **why);

/* Does this many iterations at most; *left tells how many are to be done yet: none, if the key is
 * not encrypted. */
SOTER_MUST_USE soter_status soter_pkcs8_work(soter_pkcs8 *reading, uint32_t most, uint32_t *left);

/* When none are left, once: the container of the key. */
SOTER_MUST_USE soter_status soter_pkcs8_finish(soter_pkcs8 *reading,
                                               struct soter_owned *out,
                                               const char **why);

/* Wipes. NULL is fine. */
void soter_pkcs8_free(soter_pkcs8 *reading);

#endif

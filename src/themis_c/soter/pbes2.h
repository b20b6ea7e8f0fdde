/* SPDX-License-Identifier: Apache-2.0 */
/* PBES2 (RFC 8018), reading: what a passphrase encrypts in PKCS#8. */
#ifndef SOTER_PBES2_H
#define SOTER_PBES2_H

#include <stdint.h>

#include "soter/bytes.h"
#include "soter/status.h"

#define SOTER_PBES2_MAX_ITERATIONS 5000000 /* of PBKDF2; hostile files could ask for hours */
#define SOTER_PBES2_MAX_SIZE (1024 * 1024)

/* One decryption. It is slow on purpose: the work between passphrase and key is done in slices.
 * scrypt, which is limited to less than a second, is done at once. One thread at a time. */
typedef struct soter_pbes2 soter_pbes2;

/* Judges an EncryptedPrivateKeyInfo of SOTER_PBES2_MAX_SIZE at most, and begins. Nothing is
 * borrowed. INVALID_PARAMETER: it is none. NOT_SUPPORTED, with a sentence in *why: another
 * encryption, or more work than is sensible. */
SOTER_MUST_USE soter_status soter_pbes2_new(struct soter_slice der,
                                            struct soter_slice passphrase,
                                            soter_pbes2 **out,
                                            const char **why);

/* Does this many iterations at most; *left tells how many are to be done yet. */
SOTER_MUST_USE soter_status soter_pbes2_work(soter_pbes2 *work, uint32_t most, uint32_t *left);

/* When none are left. FAIL: the passphrase is wrong, or the data is damaged (which goes unnoticed
 * once in 256 times). */
SOTER_MUST_USE soter_status soter_pbes2_finish(const soter_pbes2 *work, struct soter_owned *out);

/* Wipes. NULL is fine. */
void soter_pbes2_free(soter_pbes2 *work);

#endif

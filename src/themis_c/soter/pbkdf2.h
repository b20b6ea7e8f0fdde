/* SPDX-License-Identifier: Apache-2.0 */
/* PBKDF2-HMAC (specification, section 1; RFC 8018). */
#ifndef SOTER_PBKDF2_H
#define SOTER_PBKDF2_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/status.h"

#define SOTER_PBKDF2_SIZE 32

/* An incremental PBKDF2-HMAC of up to 32 bytes. It is slow on purpose: it is done in slices, and
 * the caller can do other work between them. One thread at a time. */
typedef struct soter_pbkdf2 soter_pbkdf2;

/* With SHA-256, for 32 bytes. The passphrase has at least one byte, the salt any number; 1
 * iteration or more. Nothing is borrowed. */
SOTER_MUST_USE soter_status soter_pbkdf2_new(struct soter_slice passphrase,
                                             struct soter_slice salt,
                                             uint32_t iterations,
                                             soter_pbkdf2 **out);
/* The same with a hash that OpenSSL has by this name, of 20 bytes or more (SHA-1 is the shortest),
 * and for fewer bytes. NOT_SUPPORTED: there is no such hash. */
SOTER_MUST_USE soter_status soter_pbkdf2_new_with(const char *hash,
                                                  struct soter_slice passphrase,
                                                  struct soter_slice salt,
                                                  uint32_t iterations,
                                                  size_t size,
                                                  soter_pbkdf2 **out);
/* Does this many iterations at most; *left is how many remain. */
SOTER_MUST_USE soter_status soter_pbkdf2_work(soter_pbkdf2 *work, uint32_t most, uint32_t *left);
/* When none remain: as many bytes as it was made for, and zeros up to 32. */
SOTER_MUST_USE soter_status soter_pbkdf2_finish(const soter_pbkdf2 *work,
                                                uint8_t out[SOTER_PBKDF2_SIZE]);
/* Wipes. NULL is fine. */
void soter_pbkdf2_free(soter_pbkdf2 *work);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SHA256 under a prepared key (specification, section 1). */
#ifndef SOTER_HMAC_H
#define SOTER_HMAC_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/status.h"

#define SOTER_HMAC_SIZE 32

/* A key with its HMAC states prepared: hashed once, used for any number of messages.
 * Threads may share it, as long as none of them sets another key. */
typedef struct soter_hmac_key soter_hmac_key;

/* The key has at least one byte. */
SOTER_MUST_USE soter_status soter_hmac_key_new(const uint8_t *key,
                                               size_t key_len,
                                               soter_hmac_key **out);
void soter_hmac_key_free(soter_hmac_key *key);

/* Puts another key in the place of the one that it has. After a failure nothing but
 * soter_hmac_key_free may follow. */
SOTER_MUST_USE soter_status soter_hmac_key_set(soter_hmac_key *key,
                                               const uint8_t *bytes,
                                               size_t bytes_len);

/* Another one with the same key, for a thread that wants one to itself. */
SOTER_MUST_USE soter_status soter_hmac_key_copy(const soter_hmac_key *key, soter_hmac_key **out);

/* HMAC-SHA256 of the parts joined. */
SOTER_MUST_USE soter_status soter_hmac(soter_hmac_key *key,
                                       const struct soter_slice *parts,
                                       size_t count,
                                       uint8_t out[SOTER_HMAC_SIZE]);

#endif

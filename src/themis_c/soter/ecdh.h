/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_ECDH_H
#define SOTER_ECDH_H

#include <stddef.h>
#include <stdint.h>

#include "soter/key.h"
#include "soter/status.h"

#define SOTER_ECDH_MAX_SIZE 66
#define SOTER_ECDH_P256_SIZE 32

/* The bytes of a secret agreed with this EC key: 32, 48 or 66. */
size_t soter_ecdh_size(const soter_key *key);

/* The secret that two EC keys agree on: the x coordinate, soter_ecdh_size bytes.
 * INVALID_PARAMETER: keys of different curves, or not of their kind. */
SOTER_MUST_USE soter_status soter_ecdh(const soter_key *private_key,
                                       const soter_key *public_key,
                                       uint8_t *secret,
                                       size_t secret_len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_HASH_H
#define SOTER_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/status.h"

#define SOTER_SHA256_SIZE 32

/* SHA-256 of the parts joined. */
SOTER_MUST_USE soter_status soter_sha256(const struct soter_slice *parts,
                                         size_t count,
                                         uint8_t out[SOTER_SHA256_SIZE]);

#endif

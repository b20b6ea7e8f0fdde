/* SPDX-License-Identifier: Apache-2.0 */
/* EC keys on P-256, P-384 and P-521 (specification, section 2). */
#ifndef SOTER_EC_KEY_H
#define SOTER_EC_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "soter/key.h"
#include "soter/status.h"

/* Containers of P-256, which ephemeral keys are on. */
#define SOTER_P256_PUBLIC_SIZE 45
#define SOTER_P256_PUBLIC_UNCOMPRESSED_SIZE 77
#define SOTER_P256_PRIVATE_SIZE 45

/* The longest public key as it is written: of P-521, compressed. */
#define SOTER_EC_PUBLIC_MAX_SIZE 79

extern const struct soter_key_functions soter_ec_key_functions;

/* A new private key; bits are 256, 384 or 521. */
SOTER_MUST_USE soter_status soter_ec_key_generate(unsigned bits, soter_key **out);

#endif

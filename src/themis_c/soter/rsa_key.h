/* SPDX-License-Identifier: Apache-2.0 */
/* RSA keys of 1024, 2048, 4096 and 8192 bits (specification, section 2). */
#ifndef SOTER_RSA_KEY_H
#define SOTER_RSA_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "soter/key.h"
#include "soter/status.h"

#define SOTER_RSA_NUMBER_MAX_SIZE 1024 /* of 8192 bits */
#define SOTER_RSA_EXPONENT_SIZE 4

extern const struct soter_key_functions soter_rsa_key_functions;

/* A new private key with exponent 65537; bits are 1024, 2048, 4096 or 8192. */
SOTER_MUST_USE soter_status soter_rsa_key_generate(unsigned bits, soter_key **out);

#endif

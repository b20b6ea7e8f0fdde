/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's FIPS provider in a library context, in place of the default one. */
#ifndef SOTER_FIPS_H
#define SOTER_FIPS_H

#include <openssl/types.h>
#include <stdbool.h>

#include "soter/compiler.h"

/* Configures the context from a file ("": from where this OpenSSL looks), loads the FIPS provider
 * and the base provider, and has everything fetched with fips=yes. On failure *why says what is
 * wrong, a static text. */
SOTER_MUST_USE bool soter_fips_load(OSSL_LIB_CTX *libctx, const char *config, const char **why);

/* What the provider calls itself, and its version; NULL where none was loaded. */
const char *soter_fips_name(void);
const char *soter_fips_version(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_INIT_H
#define SOTER_INIT_H

#include <stdbool.h>

#include "soter/status.h"

/* Once per process, from any thread, before anything else of soter; calling again is fine. */
SOTER_MUST_USE soter_status soter_init(void);

/* The same with OpenSSL's FIPS provider, from the configuration in a file ("": from where OpenSSL
 * looks); one thread at a time. FAIL: it cannot be had, or soter was started without; *why says in
 * words what is wrong, a static text. */
SOTER_MUST_USE soter_status soter_init_fips(const char *config, const char **why);

/* Which OpenSSL does the work: the one that is loaded, which may be newer than the headers. */
const char *soter_openssl_version(void);

/* Whether it is a copy of our own, linked statically. */
bool soter_crypto_is_private(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "soter/fips.h"
#include "soter/group.h"
#include "soter/init.h"
#include "soter/status.h"
#include "themis.h"

/* The public codes and soter's are the same numbers: the compiler holds them together. */
#define SAME_NUMBER(name, value, text)                                                             \
    static_assert((int)THEMIS_##name == (int)SOTER_##name, "status codes differ");
SOTER_STATUS_LIST(SAME_NUMBER)
#undef SAME_NUMBER

int themis_init(void)
{
    return soter_init();
}

int themis_init_fips(const char *config, const char **why)
{
    return soter_init_fips(config, why);
}

const char *themis_fips_name(void)
{
    return soter_fips_name();
}

const char *themis_fips_version(void)
{
    return soter_fips_version();
}

const char *themis_status_text(int status)
{
    return soter_status_text(status);
}

const char *themis_openssl_version(void)
{
    return soter_openssl_version();
}

const char *themis_sodium_version(void)
{
    return soter_sodium_version();
}

int themis_is_static(void)
{
    return soter_crypto_is_private();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The library as a whole: its start, its status codes and versions, and the memory of its callers.
 */
#include <assert.h>

#include "soter/fips.h"
#include "soter/group.h"
#include "soter/libcrypto.h"
#include "soter/rand.h"
#include "soter/status.h"
#include "soter/wipe.h"
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
    return soter_libcrypto_version();
}

const char *themis_sodium_version(void)
{
    return soter_sodium_version();
}

int themis_is_static(void)
{
    return soter_libcrypto_is_private();
}

int themis_random_ready(size_t size)
{
    return soter_rand_public_ready(size);
}

int themis_overlap(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    const uintptr_t a_start = (uintptr_t)a;
    const uintptr_t b_start = (uintptr_t)b;
    if (a_len == 0 || b_len == 0) {
        return 0;
    }
    return a_start <= b_start ? b_start - a_start < a_len : a_start - b_start < b_len;
}

void themis_wipe(uint8_t *data, size_t data_len)
{
    soter_wipe(data, data_len);
}

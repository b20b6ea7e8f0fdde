/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/fips.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stddef.h>

static const char *name;
static const char *version;

/* A libcrypto of our own is built without modules, and then all of this stays out. */
#ifndef SOTER_PRIVATE_LIBCRYPTO
static bool ask_who_it_is(const OSSL_PROVIDER *provider)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, &name, 0),
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, &version, 0),
        OSSL_PARAM_END,
    };
    return OSSL_PROVIDER_get_params(provider, params) == 1 && name != NULL && version != NULL;
}
#endif

bool soter_fips_load(OSSL_LIB_CTX *libctx, const char *config, const char **why)
{
#ifdef SOTER_PRIVATE_LIBCRYPTO
    (void)libctx;
    (void)config;
    *why = "OpenSSL is linked statically, and has no modules";
    return false;
#else
    OSSL_PROVIDER *fips;
    /* Where no file was named, none need be there: some providers do without. */
    if (OSSL_LIB_CTX_load_config(libctx, config[0] != '\0' ? config : NULL) != 1 &&
        config[0] != '\0') {
        *why = "its configuration file cannot be read, or names something that cannot be loaded";
        return false;
    }
    fips = OSSL_PROVIDER_load(libctx, "fips");
    if (fips == NULL) {
        *why = "the FIPS provider does not load: it is not installed, not configured, or fails its "
               "self-test";
        return false;
    }
    if (OSSL_PROVIDER_load(libctx, "base") == NULL) {
        *why = "the base provider does not load";
        return false;
    }
    if (EVP_set_default_properties(libctx, "fips=yes") != 1 || !ask_who_it_is(fips)) {
        *why = "the FIPS provider does not answer";
        return false;
    }
    return true;
#endif
}

const char *soter_fips_name(void)
{
    return name;
}

const char *soter_fips_version(void)
{
    return version;
}

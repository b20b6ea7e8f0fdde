/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/libcrypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <stddef.h>
#include <string.h>

#include "soter/compiler.h"
#include "soter/ec_curve.h"
#include "soter/entropy.h"
#include "soter/fips.h"
#include "soter/fork.h"
#include "soter/locked.h"
#include "soter/threads.h"

struct soter_libcrypto soter_libcrypto;

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static bool ready;
static const char *config; /* for the FIPS provider; NULL without */
static const char *refusal;

/* By default libcrypto frees its state in exit(), where other threads (daemons, in Python) may
 * still be inside of it and use a lock that is gone. The first caller to start it decides: in a
 * shared libcrypto that may be other code. */
#ifdef SOTER_PRIVATE_LIBCRYPTO
/* EVP's search for engines would load the configuration into the default context. A shared
 * libcrypto keeps that: Python's ssl takes its policy from there. */
#define START_OPTIONS (OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CONFIG)
#else
#define START_OPTIONS OPENSSL_INIT_NO_ATEXIT
#endif

/* OpenSSL makes them of algorithms that it fetches by itself, of which one may be missing for good
 * because memory ran out. */
static bool has_generators(OSSL_LIB_CTX *libctx)
{
    return RAND_get0_public(libctx) != NULL && RAND_get0_private(libctx) != NULL;
}

static bool is_of_fips(const EVP_MD *algorithm)
{
    return soter_fips_name() != NULL &&
           OSSL_PROVIDER_get0_name(EVP_MD_get0_provider(algorithm)) != NULL &&
           strcmp(OSSL_PROVIDER_get0_name(EVP_MD_get0_provider(algorithm)), "fips") == 0;
}

/* What is fetched stays until the process ends: handles may be in use until the last moment. */
static void fetch_all(void)
{
    struct soter_libcrypto *c = &soter_libcrypto;
    /* The default context is not ours to use, but OpenSSL starts it at the first fetch from any
     * other; if that fails, then only what comes later does, and for good. */
    if (OSSL_LIB_CTX_get0_global_default() == NULL) {
        return;
    }
    soter_fork_init();
    soter_entropy_init();
    c->libctx = OSSL_LIB_CTX_new();
    if (c->libctx == NULL || (config != NULL && !soter_fips_load(c->libctx, config, &refusal))) {
        return;
    }
    c->is_fips = config != NULL;
    c->sha256 = EVP_MD_fetch(c->libctx, "SHA2-256", NULL);
    c->sha512 = EVP_MD_fetch(c->libctx, "SHA2-512", NULL);
    c->sha1 = EVP_MD_fetch(c->libctx, "SHA1", NULL);
    c->aes128_gcm = EVP_CIPHER_fetch(c->libctx, "AES-128-GCM", NULL);
    c->aes192_gcm = EVP_CIPHER_fetch(c->libctx, "AES-192-GCM", NULL);
    c->aes256_gcm = EVP_CIPHER_fetch(c->libctx, "AES-256-GCM", NULL);
    c->aes256_cbc = EVP_CIPHER_fetch(c->libctx, "AES-256-CBC", NULL);
    c->aes256_ctr = EVP_CIPHER_fetch(c->libctx, "AES-256-CTR", NULL);
    soter_locked_begin(); /* the generators have seeds */
    ready = c->sha256 != NULL && c->sha512 != NULL && c->sha1 != NULL && c->aes128_gcm != NULL &&
            c->aes192_gcm != NULL && c->aes256_gcm != NULL && c->aes256_cbc != NULL &&
            c->aes256_ctr != NULL && soter_curves_init(c->libctx) && has_generators(c->libctx) &&
            c->is_fips == is_of_fips(c->sha256);
}

/* Errors that OpenSSL leaves meanwhile, also those it recovered from, are removed. (The mark comes
 * after the start: it would start OpenSSL as well, without START_OPTIONS.) */
static void start(void)
{
    soter_locked_init();
    soter_threads_init();
    if (OPENSSL_init_crypto(START_OPTIONS, NULL) == 1) {
        ERR_set_mark();
        fetch_all();
        ERR_pop_to_mark();
    }
}

soter_status soter_init(void)
{
    if (CRYPTO_THREAD_run_once(&once, start) != 1) {
        return SOTER_ENGINE_FAIL;
    }
    return ready ? SOTER_SUCCESS : SOTER_ENGINE_FAIL;
}

soter_status soter_init_fips(const char *file, const char **why)
{
    soter_status status;
    config = file;
    status = soter_init();
    config = NULL;
    if (status == SOTER_SUCCESS && soter_libcrypto.is_fips) {
        return SOTER_SUCCESS;
    }
    *why = refusal != NULL           ? refusal
           : status == SOTER_SUCCESS ? "this process has started it without"
                                     : "the FIPS provider lacks something that Themis needs";
    return SOTER_FAIL;
}

const char *soter_libcrypto_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

bool soter_libcrypto_is_private(void)
{
#ifdef SOTER_PRIVATE_LIBCRYPTO
    return true;
#else
    return false;
#endif
}

void soter_libcrypto_mark(void)
{
    static SOTER_THREAD_LOCAL bool is_listed;
    if (is_listed) {
        ERR_set_mark();
        return;
    }
    soter_fork_hold_off();
    soter_threads_watch();
    ERR_set_mark();
    soter_fork_allow();
    is_listed = true;
}

soter_status soter_libcrypto_refused(soter_status otherwise)
{
    const unsigned long last = ERR_peek_last_error();
    bool is_ours;
    ERR_pop_to_mark();
    is_ours = last != ERR_peek_last_error(); /* or else it was there before the mark */
    ERR_set_mark();
    return is_ours && ERR_GET_REASON(last) == ERR_R_MALLOC_FAILURE ? SOTER_NO_MEMORY : otherwise;
}

soter_status soter_libcrypto_failed(soter_status status)
{
    ERR_clear_error();
    return status;
}

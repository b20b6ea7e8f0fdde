/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL as soter uses it: a library context of our own, every algorithm fetched once.
 * The context is our own so that nothing reaches us that a configuration file or the rest of the
 * process does to the default one (providers, properties, FIPS switches). The FIPS provider works
 * in it when soter_init_fips is asked to. */
#ifndef SOTER_LIBCRYPTO_H
#define SOTER_LIBCRYPTO_H

#include <openssl/types.h>
#include <stdbool.h>

#include "soter/status.h"

/* Once per process, from any thread, before anything else of soter; calling again is fine. */
SOTER_MUST_USE soter_status soter_init(void);

/* The same with OpenSSL's FIPS provider, from the configuration in a file ("": OpenSSL's default
 * file); one thread at a time. FAIL: the provider is not available, or soter was started without
 * it; *why is a static text about the cause. */
SOTER_MUST_USE soter_status soter_init_fips(const char *config, const char **why);

/* Which OpenSSL does the work: the one that is loaded, which may be newer than the headers. */
const char *soter_libcrypto_version(void);

/* Whether it is a copy of our own, linked statically. */
bool soter_libcrypto_is_private(void);

struct soter_libcrypto {
    OSSL_LIB_CTX *libctx;
    bool is_fips; /* only the FIPS provider's algorithms are fetched */
    EVP_MD *sha256;
    EVP_MD *sha512;
    EVP_MD *sha1; /* in OAEP alone */
    EVP_CIPHER *aes128_gcm;
    EVP_CIPHER *aes192_gcm;
    EVP_CIPHER *aes256_gcm;
    EVP_CIPHER *aes256_cbc; /* in encrypted PKCS#8 alone */
    EVP_CIPHER *aes256_ctr;
};

/* Valid and constant after soter_init answered SUCCESS. */
extern struct soter_libcrypto soter_libcrypto;

/* ERR_set_mark. The first of a thread has OpenSSL list the thread, under a lock: forks wait for
 * that, so this thread must not hold them off. */
void soter_libcrypto_mark(void);

/* The status for data that OpenSSL refuses: NO_MEMORY if that is its last error, otherwise
 * `otherwise`. (Where OpenSSL reports no error, lack of memory looks like bad data.) Between
 * soter_libcrypto_mark and ERR_pop_to_mark. */
SOTER_MUST_USE soter_status soter_libcrypto_refused(soter_status otherwise);

/* Returns the status of a failure, and clears OpenSSL's error queue: another user of the same
 * libcrypto in this thread (Python's ssl) would take our errors for its own. For failures without
 * a mark, which would slow down what succeeds. */
soter_status soter_libcrypto_failed(soter_status status);

#endif

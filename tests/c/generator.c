/* SPDX-License-Identifier: Apache-2.0 */
/* The core asks a generator, libcrypto the others: it calls its own functions by name, so that
 * these take their place there too. */
#include "generator.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "soter/libcrypto.h"

bool __wrap_soter_entropy(uint8_t *out, size_t out_len);
bool __wrap_soter_entropy(uint8_t *out, size_t out_len)
{
    const bool given = generator_give(out, out_len, false, true) == 1;
    memset(out, 0, out_len);
    return given;
}

int EVP_RAND_generate(EVP_RAND_CTX *drbg,
                      unsigned char *out,
                      size_t len,
                      unsigned int strength,
                      int prediction_resistance,
                      const unsigned char *more,
                      size_t more_len)
{
    (void)strength;
    (void)prediction_resistance;
    (void)more;
    /* What comes beside additional input is thrown away. */
    return generator_give(out,
                          len,
                          more_len == 0 && drbg == RAND_get0_private(soter_libcrypto.libctx),
                          true);
}

int RAND_bytes_ex(OSSL_LIB_CTX *ctx, unsigned char *out, size_t len, unsigned int strength)
{
    (void)ctx;
    (void)strength;
    return generator_give(out, len, false, false);
}

int RAND_priv_bytes_ex(OSSL_LIB_CTX *ctx, unsigned char *out, size_t len, unsigned int strength)
{
    (void)ctx;
    (void)strength;
    return generator_give(out, len, true, false);
}

int RAND_bytes(unsigned char *out, int len)
{
    return generator_give(out, (size_t)len, false, false);
}

int RAND_priv_bytes(unsigned char *out, int len)
{
    return generator_give(out, (size_t)len, true, false);
}

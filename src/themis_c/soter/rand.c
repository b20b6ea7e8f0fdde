/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/rand.h"

#include <openssl/rand.h>

#include "soter/crypto.h"

soter_status soter_rand_public(uint8_t *out, size_t out_len)
{
    return RAND_bytes_ex(soter_crypto.libctx, out, out_len, 0) == 1 ? SOTER_SUCCESS
                                                                    : SOTER_ENGINE_FAIL;
}

soter_status soter_rand_secret(uint8_t *out, size_t out_len)
{
    return RAND_priv_bytes_ex(soter_crypto.libctx, out, out_len, 0) == 1 ? SOTER_SUCCESS
                                                                         : SOTER_ENGINE_FAIL;
}

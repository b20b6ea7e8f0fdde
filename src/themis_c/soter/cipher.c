/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/cipher.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>

#include "soter/libcrypto.h"

/* A multiple of every block size, so that no piece but the last leaves the cipher mid-block. */
#define PIECE_SIZE ((size_t)1 << 30)
static_assert(PIECE_SIZE <= INT_MAX, "a piece must fit OpenSSL's int");

soter_status
soter_cipher_feed(EVP_CIPHER_CTX *ctx, const uint8_t *data, size_t data_len, uint8_t *out)
{
    while (data_len != 0) {
        size_t piece = data_len < PIECE_SIZE ? data_len : PIECE_SIZE;
        int done = 0;
        if (EVP_CipherUpdate(ctx, out, &done, data, (int)piece) != 1 || done != (int)piece) {
            return soter_libcrypto_failed(SOTER_ENGINE_FAIL);
        }
        data += piece;
        data_len -= piece;
        if (out != NULL) {
            out += piece;
        }
    }
    return SOTER_SUCCESS;
}

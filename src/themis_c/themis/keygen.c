/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/container.h"
#include "soter/ec_key.h"
#include "soter/key.h"
#include "soter/rand.h"
#include "soter/rsa_key.h"
#include "soter/wipe.h"
#include "themis.h"

int themis_symmetric_key(uint8_t key[THEMIS_SYMMETRIC_KEY_SIZE])
{
    return soter_rand_secret(key, THEMIS_SYMMETRIC_KEY_SIZE);
}

static enum soter_point_form form_for(int uncompressed)
{
    return uncompressed != 0 ? SOTER_UNCOMPRESSED : SOTER_COMPRESSED;
}

int themis_key_inspect(const uint8_t *key,
                       size_t key_len,
                       int *algorithm,
                       int *is_private,
                       int *bits)
{
    const struct soter_key_kind *kind = NULL;
    const soter_status status = soter_key_inspect(key, key_len, &kind);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    *algorithm = kind->algorithm == SOTER_KEY_EC ? THEMIS_KEY_EC : THEMIS_KEY_RSA;
    *is_private = kind->is_private;
    *bits = kind->bits;
    return SOTER_SUCCESS;
}

size_t themis_key_size(int algorithm, int is_private, int bits, int uncompressed)
{
    const struct soter_key_kind *kind;
    if (bits < 0 || (algorithm != THEMIS_KEY_EC && algorithm != THEMIS_KEY_RSA)) {
        return 0;
    }
    kind = soter_key_find_kind(algorithm == THEMIS_KEY_EC ? SOTER_KEY_EC : SOTER_KEY_RSA,
                               is_private != 0,
                               (unsigned)bits);
    return kind != NULL ? soter_key_size(kind, form_for(uncompressed)) : 0;
}

int themis_key_pair(int algorithm,
                    int bits,
                    int uncompressed,
                    uint8_t *private_key,
                    size_t private_key_len,
                    uint8_t *public_key,
                    size_t public_key_len)
{
    const size_t private_len = themis_key_size(algorithm, 1, bits, uncompressed);
    const size_t public_len = themis_key_size(algorithm, 0, bits, uncompressed);
    soter_key *pair = NULL;
    soter_status status = SOTER_INVALID_PARAMETER;
    if (private_len == 0 || public_len == 0) {
        return status;
    }
    if (private_key_len < private_len || public_key_len < public_len) {
        return SOTER_BUFFER_TOO_SMALL;
    }
    status = algorithm == THEMIS_KEY_EC ? soter_ec_key_generate((unsigned)bits, &pair)
                                        : soter_rsa_key_generate((unsigned)bits, &pair);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_key_write_public(pair, form_for(uncompressed), public_key, public_len);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_key_write_private(pair, private_key, private_len);
out:
    soter_key_free(pair);
    return status;
}

int themis_key_public(const uint8_t *private_key,
                      size_t private_key_len,
                      int uncompressed,
                      uint8_t *public_key,
                      size_t public_key_len)
{
    soter_key *key = NULL;
    soter_status status = soter_key_read(private_key, private_key_len, &key);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = soter_key_kind(key)->is_private
                 ? soter_key_write_public(key, form_for(uncompressed), public_key, public_key_len)
                 : SOTER_INVALID_PARAMETER;
    soter_key_free(key);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/sign.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "soter/ec_evp.h"
#include "soter/ecdsa.h"
#include "soter/evp.h"
#include "soter/fork.h"
#include "soter/hash.h"
#include "soter/key_internal.h"
#include "soter/libcrypto.h"
#include "soter/pss.h"
#include "soter/rand.h"

struct soter_sign_key {
    const struct soter_key_kind *kind;
    soter_ecdsa_key *ecdsa; /* one of the three */
    EVP_PKEY *ec;           /* with the FIPS provider */
    soter_pss_key *pss;
};

soter_status soter_sign_key_new(const soter_key *key, soter_sign_key **out)
{
    soter_status status;
    soter_sign_key *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return SOTER_NO_MEMORY;
    }
    made->kind = soter_key_kind(key);
    soter_libcrypto_mark();
    if (made->kind->algorithm == SOTER_KEY_EC && soter_libcrypto.is_fips) {
        status = soter_key_to_evp(key, &made->ec);
    } else {
        soter_fork_hold_off();
        status = made->kind->algorithm == SOTER_KEY_EC ? soter_ecdsa_key_new(key, &made->ecdsa)
                                                       : soter_pss_key_new(key, &made->pss);
        soter_fork_allow();
    }
    ERR_pop_to_mark();
    if (status == SOTER_SUCCESS) {
        *out = made;
        made = NULL;
    }
    soter_sign_key_free(made);
    return status;
}

void soter_sign_key_free(soter_sign_key *key)
{
    if (key != NULL) {
        soter_evp_free(key->ec);
        soter_fork_hold_off();
        soter_ecdsa_key_free(key->ecdsa);
        soter_pss_key_free(key->pss);
        soter_fork_allow();
        free(key);
    }
}

size_t soter_signature_max_size(const soter_sign_key *key)
{
    return key->kind->algorithm == SOTER_KEY_EC ? soter_ecdsa_max_size(key->kind)
                                                : key->kind->number_size;
}

soter_status soter_sign(const soter_sign_key *key,
                        const struct soter_slice *parts,
                        size_t count,
                        uint8_t *signature,
                        size_t *signature_len)
{
    uint8_t digest[SOTER_SHA256_SIZE]; /* public: of a message that travels in the clear */
    size_t made_len = soter_signature_max_size(key); /* the room there is */
    bool made;
    soter_status status;
    if (!key->kind->is_private) {
        return SOTER_INVALID_PARAMETER;
    }
    status = key->pss == NULL ? soter_rand_renew_secret()  /* the signature's nonce */
                              : soter_rand_renew_public(); /* its salt */
    if (status == SOTER_SUCCESS) {
        status = soter_sha256(parts, count, digest);
    }
    if (status != SOTER_SUCCESS) {
        return status;
    }
    soter_libcrypto_mark();
    made = key->ecdsa != NULL ? soter_ecdsa_sign(key->ecdsa, digest, signature, &made_len)
           : key->ec != NULL  ? soter_ec_evp_sign(key->ec, digest, signature, &made_len)
                              : soter_pss_sign(key->pss, digest, signature, &made_len);
    ERR_pop_to_mark();
    if (!made || made_len > soter_signature_max_size(key)) {
        return SOTER_ENGINE_FAIL;
    }
    *signature_len = made_len;
    return SOTER_SUCCESS;
}

soter_status soter_verify(const soter_sign_key *key,
                          const struct soter_slice *parts,
                          size_t count,
                          const uint8_t *signature,
                          size_t signature_len)
{
    uint8_t digest[SOTER_SHA256_SIZE]; /* public */
    soter_status status;
    if (key->kind->is_private) {
        return SOTER_INVALID_PARAMETER;
    }
    if (signature_len > SOTER_SIGNATURE_MAX_SIZE) { /* OpenSSL would take it as an int */
        return SOTER_INVALID_SIGNATURE;
    }
    status = soter_sha256(parts, count, digest);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    soter_libcrypto_mark();
    status = key->ecdsa != NULL ? soter_ecdsa_verify(key->ecdsa, digest, signature, signature_len)
             : key->ec != NULL  ? soter_ec_evp_verify(key->ec, digest, signature, signature_len)
                                : soter_pss_verify(key->pss, digest, signature, signature_len);
    ERR_pop_to_mark();
    return status;
}

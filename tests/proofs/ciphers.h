/* SPDX-License-Identifier: Apache-2.0 */
/* What cells and sessions are made of: ciphers, the KDF, and places for working objects. */
#ifndef CIPHERS_H
#define CIPHERS_H

#include "proof.h"
#include "soter/aead.h"
#include "soter/ctr.h"
#include "soter/kdf.h"
#include "soter/reuse.h"

static soter_status any_object(void **out)
{
    *out = any_bytes(1);
    return any_status();
}

soter_status soter_aead_new(soter_aead **out) { return any_object((void **)out); }
soter_status soter_ctr_new(soter_ctr **out) { return any_object((void **)out); }

soter_status soter_hmac_key_new(const uint8_t *key, size_t key_len, soter_hmac_key **out)
{
    touch(key, key_len);
    return any_object((void **)out);
}

soter_status soter_hmac_key_set(soter_hmac_key *key, const uint8_t *bytes, size_t bytes_len)
{
    touch(bytes, bytes_len);
    return any_status();
}

soter_status soter_kdf(soter_hmac_key *key, const struct soter_kdf_purpose *purpose, uint8_t *out,
                       size_t out_len)
{
    CLAIM(out_len <= 32);
    touch(purpose->label.data, purpose->label.len);
    for (size_t i = 0; i < purpose->contexts_count; i++) {
        touch(purpose->contexts[i].data, purpose->contexts[i].len);
    }
    fill(out, out_len);
    return any_status();
}

soter_status soter_aead_start(soter_aead *aead, const struct soter_aead_key *key,
                              const uint8_t *nonce, const uint8_t *associated,
                              size_t associated_len)
{
    CLAIM(key->len == 16 || key->len == 24 || key->len == 32);
    touch(key->bytes, key->bytes != NULL ? key->len : 0);
    touch(nonce, 12);
    touch(associated, associated_len);
    return any_status();
}

static soter_status crypt(const uint8_t *data, size_t data_len, uint8_t *out)
{
    touch(data, data_len);
    fill(out, data_len);
    return any_status();
}

soter_status soter_aead_part(soter_aead *aead, const uint8_t *data, size_t data_len, uint8_t *out)
{
    CLAIM(data_len % 16 == 0);
    for (size_t i = 0; i < 16 && i < data_len; i++) { /* all of it, if it is a header */
        out[i] = nondet_byte();
    }
    return crypt(data, data_len, out);
}

soter_status soter_aead_encrypt(soter_aead *aead, const uint8_t *data, size_t data_len,
                                uint8_t *out, uint8_t *tag)
{
    fill(tag, 16);
    return crypt(data, data_len, out);
}

soter_status soter_aead_decrypt(soter_aead *aead, const uint8_t *data, size_t data_len,
                                const uint8_t *tag, uint8_t *out)
{
    touch(tag, 16);
    return crypt(data, data_len, out);
}

soter_status soter_ctr_crypt(soter_ctr *ctr, const uint8_t *key, const uint8_t *counter,
                             size_t skip, const uint8_t *data, size_t data_len, uint8_t *out)
{
    CLAIM(skip < 16);
    touch(key, key != NULL ? 32 : 0);
    touch(counter, 16);
    return crypt(data, data_len, out);
}

void *soter_reuse_take(soter_reuse *place)
{
    void *taken = place->kept;
    place->kept = NULL;
    return taken;
}

void *soter_reuse_leave(soter_reuse *place, void *object)
{
    void *other = place->kept;
    place->kept = object;
    return other;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Stand-ins for what cells and sessions are made of: what each reads, writes, makes and returns. */
#ifndef CIPHERS_H
#define CIPHERS_H

#include "proof.h"
#include "soter/aead.h"
#include "soter/ctr.h"
#include "soter/kdf.h"
#include "soter/reuse.h"

#define IS_KEY_LEN(size) ((size) == 16 || (size) == 24 || (size) == 32)

#define soter_aead_new(out) (*(out) = any_bytes(1), any_status())
#define soter_ctr_new(out) (*(out) = any_bytes(1), any_status())
#define soter_hmac_key_new(key, size, out) (reads(key, size), *(out) = any_bytes(1), any_status())
#define soter_hmac_key_set(hmac, key, size) (reads(key, size), any_status())
#define soter_aead_set_key(aead, key) (reads((key)->bytes, (key)->len), any_status())
#define soter_aead_start(aead, key, nonce, associated, size)                                       \
    (CLAIM(IS_KEY_LEN((key)->len)), reads((key)->bytes, (key)->bytes != NULL ? (key)->len : 0),    \
     reads(nonce, 12), reads(associated, size), any_status())
#define soter_aead_encrypt(aead, from, size, out, tag) (writes(tag, 16), turns(from, out, size))
#define soter_aead_decrypt(aead, from, size, tag, out) (reads(tag, 16), turns(from, out, size))
#define soter_ctr_crypt(ctr, key, counter, skip, from, size, out)                                  \
    (CLAIM((skip) < 16), reads(key, (key) != NULL ? 32 : 0), reads(counter, 16),                   \
     turns(from, out, size))
#define soter_reuse_take(place) exchange(place, NULL)
#define soter_reuse_leave(place, object) exchange(place, object)

static void *exchange(soter_reuse *place, void *object)
{
    void *kept = place->kept;
    place->kept = object;
    return kept;
}

soter_status soter_kdf(soter_hmac_key *key, const struct soter_kdf_purpose *purpose, uint8_t *out,
                       size_t size)
{
    CLAIM(size <= 32);
    reads(purpose->label.data, purpose->label.len);
    for (size_t i = 0; i < purpose->contexts_count; i++) {
        reads(purpose->contexts[i].data, purpose->contexts[i].len);
    }
    writes(out, size);
    return any_status();
}

soter_status soter_aead_part(soter_aead *aead, const uint8_t *from, size_t size, uint8_t *out)
{
    CLAIM(size % 16 == 0);
    for (size_t i = 0; i < 16 && i < size; i++) { /* all of it, if it is a header */
        out[i] = nondet_uchar();
    }
    return turns(from, out, size);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The cipher of the authenticated modes: AES-GCM under a key derived for one message. */
#ifndef THEMIS_CELL_GCM_H
#define THEMIS_CELL_GCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/aead.h"
#include "soter/bytes.h"
#include "soter/hmac.h"
#include "soter/reuse.h"
#include "soter/status.h"

/* Algorithm descriptors. The low 12 bits are the key length in bits; the padding bit is set
 * although GCM pads nothing, because the first version wrote it and it is part of the number. */
#define THEMIS_CELL_ALGORITHM UINT32_C(0x40010000)            /* AES-GCM, Soter KDF */
#define THEMIS_CELL_ALGORITHM_PASSPHRASE UINT32_C(0x41010000) /* AES-GCM, PBKDF2 */
#define THEMIS_CELL_KEY_BITS UINT32_C(256)                    /* what we write */

/* A message or its ciphertext, and the context it is bound to. */
struct themis_cell_text {
    const uint8_t *data;
    size_t len;
    const uint8_t *context;
    size_t context_len;
};

/* What a token says about its ciphertext. */
struct themis_cell_token {
    size_t key_len;      /* 16, 24 or 32 */
    size_t length_width; /* bytes that the message length takes in the key derivation: 4, or 8 */
    uint32_t message_len;
    const uint8_t *nonce; /* SOTER_AEAD_NONCE_SIZE bytes */
    const uint8_t *tag;   /* SOTER_AEAD_TAG_SIZE bytes */
};

#define THEMIS_CELL_LENGTH_WIDTH 4

/* How a token begins that we write, before its nonce and tag; strict cells (formats, section 6a)
 * have no other. */
#define THEMIS_CELL_START_SIZE 16
void themis_cell_put_start(uint8_t start[THEMIS_CELL_START_SIZE], uint32_t message_len);

/* Whether a message of this length can be in a cell: 1 to 2^32-1 bytes. */
SOTER_MUST_USE bool themis_cell_fits(size_t message_len);

/* The key length in bytes that a descriptor names; 0 if it is not of this algorithm. */
SOTER_MUST_USE size_t themis_cell_key_len(uint32_t descriptor, uint32_t algorithm);

/* What a key was derived for. Messages of one length and one context share a key by design, so
 * a caller that still has it need not derive it again. */
struct themis_cell_subject {
    size_t key_len; /* 0: of nothing */
    size_t length_width;
    size_t message_len;
    size_t context_len;
    uint8_t context[64];
};

SOTER_MUST_USE bool themis_cell_subject_is(const struct themis_cell_subject *subject,
                                           const struct themis_cell_text *text,
                                           size_t length_width,
                                           size_t key_len);

/* Records what a key is about to be derived for, or nothing if the context is too long. Returns the
 * context to derive it from: the recorded copy, which no other thread can change. */
SOTER_MUST_USE struct soter_slice themis_cell_subject_set(struct themis_cell_subject *subject,
                                                          const struct themis_cell_text *text,
                                                          size_t length_width,
                                                          size_t key_len);

/* A master key, and the cipher that the last operation under it left. */
struct themis_cell_key {
    soter_hmac_key *master;
    soter_reuse cipher;
};

SOTER_MUST_USE soter_status themis_cell_key_init(struct themis_cell_key *key,
                                                 const uint8_t *bytes,
                                                 size_t bytes_len);
void themis_cell_key_clear(struct themis_cell_key *key); /* fine after init failed */

/* The same key for a thread that does many operations one after another, with the cipher of the
 * shared one, and back: so that threads do not take it from each other between two operations. */
void themis_cell_key_borrow(struct themis_cell_key *shared, struct themis_cell_key *own);
void themis_cell_key_return(struct themis_cell_key *shared, struct themis_cell_key *own);

/* The key of a message of text->len bytes in text->context, for work on it in parts. */
SOTER_MUST_USE soter_status themis_cell_key_derive(const struct themis_cell_key *key,
                                                   const struct themis_cell_text *text,
                                                   uint8_t *out,
                                                   size_t out_len);

/* Encrypts under a key derived for this text and a fresh nonce. `out` takes text->len bytes. */
SOTER_MUST_USE soter_status themis_cell_encrypt(struct themis_cell_key *key,
                                                const struct themis_cell_text *text,
                                                uint8_t *out,
                                                uint8_t nonce[SOTER_AEAD_NONCE_SIZE],
                                                uint8_t tag[SOTER_AEAD_TAG_SIZE]);

/* Decrypts what themis_cell_encrypt made; FAIL, and an `out` wiped, if it is not authentic. */
SOTER_MUST_USE soter_status themis_cell_decrypt(struct themis_cell_key *key,
                                                const struct themis_cell_token *token,
                                                const struct themis_cell_text *text,
                                                uint8_t *out);

#endif

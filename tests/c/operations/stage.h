/* SPDX-License-Identifier: Apache-2.0 */
/* What operations work on, what of it is secret, and what they share. */
#ifndef TESTS_OPERATIONS_STAGE_H
#define TESTS_OPERATIONS_STAGE_H

#include "operations.h"

#define TEXT_SIZE 100
extern const uint8_t text[TEXT_SIZE];
extern const uint8_t context[10];
extern const uint8_t short_key[30];
extern const uint8_t passphrase[29];

#define CONTEXT context, sizeof context - 1
#define SHORT_KEY short_key, sizeof short_key - 1
#define PASSPHRASE passphrase, sizeof passphrase - 1
#define ITERATIONS 3, 1, 1000 /* what is written, and the bounds */
#define LABEL (const uint8_t *)"Themis secure cell message key"
#define LABEL_SIZE 30

/* Pairs of keys; EC has two, for two parties, on each curve. */
enum { EC_256, EC_384, EC_521, RSA_1024, RSA_2048, EC_256_OTHER, KINDS };

struct pair {
    int algorithm;
    int bits;
    size_t number_size;
    uint8_t private_key[2048];
    size_t private_len;
    uint8_t public_key[1100];
    size_t public_len;
};

extern struct pair pairs[KINDS];
extern struct pair ephemeral[2]; /* of the planned client and server */

#define PRIVATE(kind) pairs[kind].private_key, pairs[kind].private_len
#define PUBLIC(kind) pairs[kind].public_key, pairs[kind].public_len

/* Stops with a message unless a call went well. */
void must(int status, const char *what);

/* Name secrets, with what is made of them, to be looked for. */
void add_aes(const uint8_t *key, int bits);
void add_hmac(const char *name, const uint8_t *key, size_t len);
void derive(const uint8_t *key,
            size_t len,
            const uint8_t *contexts,
            size_t contexts_len,
            uint8_t out[32]);
void add_cell(const char *name, const uint8_t *key, size_t len, size_t text_len, bool bound);
void add_passphrase(const uint8_t *salt, size_t salt_len, int iterations);
void add_private(const struct pair *pair);
void agree(const struct pair *ours, const struct pair *theirs, uint8_t *out, size_t out_len);

bool is_text(void);
bool is_opened(const struct operation *operation);
void set_up_private(const struct operation *operation);

/* Does the work for new passphrase cells, which is kept. */
void make_work_to_seal(void);

/* The operations of each system; a list ends with one without a name. */
extern const struct operation cell_operations[];
extern const struct operation piece_operations[];
extern const struct operation passphrase_operations[];
extern const struct operation key_operations[];
extern const struct operation message_operations[];
extern const struct operation session_operations[];
extern const struct operation comparator_operations[];
extern const struct operation ring_operations[];
extern const struct operation column_operations[];
extern const struct operation sealed_operations[];
extern const struct operation secret_operations[];

#endif

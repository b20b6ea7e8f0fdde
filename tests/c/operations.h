/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation of the C core, so that something can be done to each of them. */
#ifndef TESTS_OPERATIONS_H
#define TESTS_OPERATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "themis.h"

/* What an operation works on. Secrets that the caller would hold stand here, in static memory. */
struct stage {
    themis_cell *cell;
    themis_passphrase *passphrase;
    themis_stretch *stretch;
    themis_signer *signer;
    themis_verifier *verifier;
    themis_message *message;
    themis_session *client;
    themis_session *server;
    themis_comparator *alice;
    themis_comparator *bob;
    themis_blob *blob;
    themis_secret *secret;
    themis_ring *ring;
    themis_sealed *sealed;
    themis_sealed *writer; /* of a sealed file */
    themis_ring *other_ring;
    themis_column *column;
    themis_column *rows;
    const char *why;
    uint8_t in[8192];
    size_t in_len;
    uint8_t out[8192];
    size_t out_len;
    uint8_t out2[8192];
    size_t out2_len;
    bool success_is_partial; /* an answer of SUCCESS may be a NO_MATCH */
};

extern struct stage stage;

struct operation {
    const char *name;
    void (*set_up)(const struct operation *operation); /* NULL: nothing to prepare */
    int (*run)(const struct operation *operation);     /* what is tested; answers a status */
    /* Whether what run made is right, after it answered success; NULL: nothing to see. */
    bool (*is_right)(const struct operation *operation);
    /* What plainly ends an object that cannot go on after a failure; NULL: it must go on. */
    bool (*is_dead)(const struct operation *operation);
    int kind; /* of key, for those that need one */
    int flag;
    bool makes; /* run makes a handle: none after a failure */
    bool slow;  /* OpenSSL's PBKDF2 allocates in each of very many iterations */
};

/* Prepares keys, which takes a second, and gathers the operations. */
void operations_init(void);

/* All of them, once gathered; ends with one without a name. */
extern const struct operation *const operations;

/* Uses up the public random bytes that were drawn ahead: the next request reaches the generator,
 * where it can be made to fail, and bytes of an earlier run do not come again. */
void operations_drain(void);

/* Frees what is on the stage. */
void stage_clear(void);

#define STAGE_FILL 0xA5 /* what the output is before an operation */

/* Stops with a message. */
void stage_fail(const char *what);

#endif

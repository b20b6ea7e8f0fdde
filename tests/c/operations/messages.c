/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Message. */
#include "operations/stage.h"

#include <string.h>

#include "random.h"
#include "secrets.h"

/* ---- Signed messages ---- */

static int run_signer_new(const struct operation *operation)
{
    return themis_signer_new(PRIVATE(operation->kind), &stage.signer);
}

static bool has_signer(const struct operation *operation)
{
    (void)operation;
    return stage.signer != NULL;
}

static void set_up_signer(const struct operation *operation)
{
    add_private(&pairs[operation->kind]);
    must(run_signer_new(operation), "a signer");
    must(themis_verifier_new(PUBLIC(operation->kind), &stage.verifier), "a verifier");
}

static int run_sign(const struct operation *operation)
{
    int status;
    (void)operation;
    memcpy(stage.out + THEMIS_SIGNED_HEADER_SIZE, text, TEXT_SIZE);
    stage.out_len = themis_signer_signature_max(stage.signer);
    status = themis_signer_sign(stage.signer,
                                text,
                                TEXT_SIZE,
                                stage.out,
                                stage.out + THEMIS_SIGNED_HEADER_SIZE + TEXT_SIZE,
                                &stage.out_len);
    stage.out_len += THEMIS_SIGNED_HEADER_SIZE + TEXT_SIZE;
    return status;
}

/* OpenSSL draws new blinding for a private key of RSA when it is used for the 33rd time. */
#define BLINDING_LASTS 32

static void set_up_used_signer(const struct operation *operation)
{
    set_up_signer(operation);
    for (int i = 0; i < BLINDING_LASTS; i++) {
        must(run_sign(operation), "to sign");
    }
}

static bool is_signed(const struct operation *operation)
{
    size_t len = 0;
    (void)operation;
    return themis_verifier_verify(stage.verifier, stage.out, stage.out_len, &len) ==
               THEMIS_SUCCESS &&
           len == TEXT_SIZE;
}

static int run_verifier_new(const struct operation *operation)
{
    return themis_verifier_new(PUBLIC(operation->kind), &stage.verifier);
}

static bool has_verifier(const struct operation *operation)
{
    (void)operation;
    return stage.verifier != NULL;
}

/* A right signature, or a wrong one. */
static void set_up_signature(const struct operation *operation)
{
    set_up_signer(operation);
    must(run_sign(operation), "to sign");
    memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
    stage.in[THEMIS_SIGNED_HEADER_SIZE] ^= (uint8_t)operation->flag;
}

static int run_verify(const struct operation *operation)
{
    const int status =
        themis_verifier_verify(stage.verifier, stage.in, stage.in_len, &stage.out_len);
    if (operation->flag == 0) {
        return status;
    }
    if (status == THEMIS_SUCCESS) {
        stage_fail("to refuse a forged signature");
    }
    return status == THEMIS_INVALID_SIGNATURE ? THEMIS_SUCCESS : status;
}

/* ---- Encrypted messages ---- */

static int other(int kind)
{
    return kind == EC_256 ? EC_256_OTHER : kind;
}

/* The secret that the last message of RSA was sealed with. */
static void add_message_secrets(const struct operation *operation)
{
    const struct pair *pair = &pairs[operation->kind];
    uint8_t agreed[66];
    add_private(pair);
    add_private(&pairs[other(operation->kind)]);
    secrets_add("message", text, TEXT_SIZE);
    if (pair->algorithm == THEMIS_KEY_EC) {
        agree(pair, &pairs[other(operation->kind)], agreed, pair->number_size);
        add_cell("agreed secret", agreed, pair->number_size, TEXT_SIZE, false);
    }
    for (size_t i = 0; i < random_gifts(); i++) {
        const struct random_gift *gift = random_gift(i);
        if (gift->to_core) {
            add_cell("secret of a message", gift->bytes, gift->len, TEXT_SIZE, false);
        }
    }
}

static void set_up_pair(const struct operation *operation)
{
    add_message_secrets(operation);
}

static int run_message_new(const struct operation *operation)
{
    return themis_message_new(PRIVATE(operation->kind),
                              PUBLIC(other(operation->kind)),
                              &stage.message);
}

static bool has_message(const struct operation *operation)
{
    (void)operation;
    return stage.message != NULL;
}

static void set_up_message(const struct operation *operation)
{
    must(run_message_new(operation), "a message");
    add_message_secrets(operation);
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_wrap(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE + themis_message_wrap_growth(stage.message);
    return themis_message_wrap(stage.message,
                               stage.in,
                               stage.in_len,
                               stage.out,
                               stage.in_len + themis_message_wrap_growth(stage.message));
}

static bool is_wrapped(const struct operation *operation)
{
    themis_message *peer = NULL;
    uint8_t opened[TEXT_SIZE] = {0};
    must(themis_message_new(PRIVATE(other(operation->kind)), PUBLIC(operation->kind), &peer),
         "the peer");
    must(themis_message_unwrap(peer,
                               stage.out,
                               stage.out_len,
                               opened,
                               stage.out_len - themis_message_unwrap_growth(peer)),
         "what was wrapped");
    themis_message_free(peer);
    return memcmp(opened, text, TEXT_SIZE) == 0;
}

static void set_up_wrapped(const struct operation *operation)
{
    must(themis_message_new(PRIVATE(other(operation->kind)),
                            PUBLIC(operation->kind),
                            &stage.message),
         "the peer");
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
    must(run_wrap(operation), "to wrap");
    memcpy(stage.in, stage.out, stage.in_len = stage.out_len);
    themis_message_free(stage.message);
    stage.message = NULL;
    must(run_message_new(operation), "a message");
    add_message_secrets(operation);
}

static int run_unwrap(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_message_unwrap(stage.message,
                                 stage.in,
                                 stage.in_len,
                                 stage.out,
                                 stage.in_len - themis_message_unwrap_growth(stage.message));
}

static void set_up_used_message(const struct operation *operation)
{
    set_up_wrapped(operation);
    for (int i = 0; i < BLINDING_LASTS; i++) {
        must(run_unwrap(operation), "to unwrap");
    }
}

#define OF_MESSAGES(title, number)                                                                 \
    {.name = title " signer_new",                                                                  \
     .set_up = set_up_private,                                                                     \
     .run = run_signer_new,                                                                        \
     .is_right = has_signer,                                                                       \
     .kind = (number),                                                                             \
     .makes = true},                                                                               \
        {.name = title " sign",                                                                    \
         .set_up = set_up_signer,                                                                  \
         .run = run_sign,                                                                          \
         .is_right = is_signed,                                                                    \
         .kind = (number)},                                                                        \
        {.name = title " verifier_new",                                                            \
         .run = run_verifier_new,                                                                  \
         .is_right = has_verifier,                                                                 \
         .kind = (number),                                                                         \
         .makes = true},                                                                           \
        {.name = title " verify",                                                                  \
         .set_up = set_up_signature,                                                               \
         .run = run_verify,                                                                        \
         .kind = (number)},                                                                        \
        {.name = title " verify a forgery",                                                        \
         .set_up = set_up_signature,                                                               \
         .run = run_verify,                                                                        \
         .kind = (number),                                                                         \
         .flag = 1},                                                                               \
        {.name = title " message_new",                                                             \
         .set_up = set_up_pair,                                                                    \
         .run = run_message_new,                                                                   \
         .is_right = has_message,                                                                  \
         .kind = (number),                                                                         \
         .makes = true},                                                                           \
        {.name = title " wrap",                                                                    \
         .set_up = set_up_message,                                                                 \
         .run = run_wrap,                                                                          \
         .is_right = is_wrapped,                                                                   \
         .kind = (number)},                                                                        \
    {                                                                                              \
        .name = title " unwrap", .set_up = set_up_wrapped, .run = run_unwrap,                      \
        .is_right = is_opened, .kind = (number)                                                    \
    }

/* The private key of a signer or a message that has been used so often that it draws blinding. */
#define OF_RSA_AGAIN(title, number)                                                                \
    {.name = title " sign again",                                                                  \
     .set_up = set_up_used_signer,                                                                 \
     .run = run_sign,                                                                              \
     .is_right = is_signed,                                                                        \
     .kind = (number)},                                                                            \
    {                                                                                              \
        .name = title " unwrap again", .set_up = set_up_used_message, .run = run_unwrap,           \
        .is_right = is_opened, .kind = (number)                                                    \
    }

const struct operation message_operations[] = {
    OF_MESSAGES("EC-256", EC_256),
    OF_MESSAGES("EC-384", EC_384),
    OF_MESSAGES("EC-521", EC_521),
    OF_MESSAGES("RSA-1024", RSA_1024),
    OF_MESSAGES("RSA-2048", RSA_2048),
    OF_RSA_AGAIN("RSA-1024", RSA_1024),
    OF_RSA_AGAIN("RSA-2048", RSA_2048),
    {.name = NULL},
};

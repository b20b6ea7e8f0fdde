/* SPDX-License-Identifier: Apache-2.0 */
/* Derivation, and Secure Cell with a key. */
#include "operations/stage.h"

#include <string.h>

#include "secrets.h"
#include "soter/aead.h"

static const uint8_t long_key[] =
    "a master key of more than sixty-four bytes, which is hashed before "
    "it is used: 8f2c";
#define LONG_KEY long_key, sizeof long_key - 1

static void make_cell(void)
{
    must(themis_cell_new(SHORT_KEY, 0, &stage.cell), "a cell");
    add_cell("master key", SHORT_KEY, TEXT_SIZE, true);
    secrets_add("message", text, TEXT_SIZE);
}

/* ---- Derivation ---- */

static int run_kdf(const struct operation *operation)
{
    stage.out_len = 32;
    return operation->flag
               ? themis_testing_kdf(NULL, 0, LABEL, LABEL_SIZE, NULL, 0, stage.out, 32)
               : themis_testing_kdf(SHORT_KEY, LABEL, LABEL_SIZE, NULL, 0, stage.out, 32);
}

static bool is_derived(const struct operation *operation)
{
    uint8_t made[32];
    memcpy(made, stage.out, sizeof made);
    return run_kdf(operation) == THEMIS_SUCCESS && memcmp(made, stage.out, sizeof made) == 0;
}

/* ---- Cells ---- */

static void set_up_key(const struct operation *operation)
{
    if (operation->flag) {
        add_cell("master key", LONG_KEY, TEXT_SIZE, true);
    } else {
        add_cell("master key", SHORT_KEY, TEXT_SIZE, true);
    }
}

static int run_cell_new(const struct operation *operation)
{
    return operation->flag ? themis_cell_new(LONG_KEY, 0, &stage.cell)
                           : themis_cell_new(SHORT_KEY, 0, &stage.cell);
}

static bool has_cell(const struct operation *operation)
{
    (void)operation;
    return stage.cell != NULL;
}

static void set_up_text(const struct operation *operation)
{
    (void)operation;
    make_cell();
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_seal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE;
    return themis_cell_seal(stage.cell,
                            stage.in,
                            stage.in_len,
                            CONTEXT,
                            stage.out,
                            stage.in_len + THEMIS_CELL_TOKEN_SIZE);
}

static bool is_sealed(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return themis_cell_unseal(stage.cell,
                              stage.out,
                              TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE,
                              CONTEXT,
                              opened,
                              TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE - THEMIS_CELL_TOKEN_SIZE) ==
               THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

static void set_up_sealed(const struct operation *operation)
{
    (void)operation;
    make_cell();
    stage.in_len = TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE;
    must(themis_cell_seal(stage.cell,
                          text,
                          TEXT_SIZE,
                          CONTEXT,
                          stage.in,
                          TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE),
         "to seal");
}

static int run_unseal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_cell_unseal(stage.cell,
                              stage.in,
                              stage.in_len,
                              CONTEXT,
                              stage.out,
                              stage.in_len - THEMIS_CELL_TOKEN_SIZE);
}

static int run_protect(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    stage.out2_len = THEMIS_CELL_TOKEN_SIZE;
    return themis_cell_protect(stage.cell,
                               stage.in,
                               stage.in_len,
                               CONTEXT,
                               stage.out,
                               stage.in_len,
                               stage.out2);
}

static bool is_protected(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return themis_cell_unprotect(stage.cell,
                                 stage.out,
                                 TEXT_SIZE,
                                 stage.out2,
                                 CONTEXT,
                                 opened,
                                 TEXT_SIZE) == THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

static int run_unprotect(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_cell_unprotect(stage.cell,
                                 stage.in + THEMIS_CELL_TOKEN_SIZE,
                                 TEXT_SIZE,
                                 stage.in,
                                 CONTEXT,
                                 stage.out,
                                 TEXT_SIZE);
}

/* Another context; the reader also tries how Themis 0.9.6 wrote. */
static void set_up_forged(const struct operation *operation)
{
    (void)operation;
    must(themis_cell_new(SHORT_KEY, 1, &stage.cell), "a cell");
    add_cell("master key", SHORT_KEY, TEXT_SIZE, true);
    stage.in_len = TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE;
    must(themis_cell_seal(stage.cell,
                          text,
                          TEXT_SIZE,
                          CONTEXT,
                          stage.in,
                          TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE),
         "to seal");
    stage.in[stage.in_len - 1] ^= 1;
    secrets_add("message", text, TEXT_SIZE);
}

/* As Themis 0.9.6 wrote: the key is derived from a length of eight bytes. */
static void set_up_old_cell(const struct operation *operation)
{
    uint8_t contexts[4 + 8 + 4 + sizeof context - 1] = {8, 0, 0, 0, TEXT_SIZE};
    uint8_t derived[32];
    const struct soter_aead_key key = {derived, sizeof derived, true};
    soter_aead *aead = NULL;
    set_up_forged(operation);
    contexts[12] = sizeof context - 1;
    memcpy(contexts + 16, context, sizeof context - 1);
    derive(SHORT_KEY, contexts, sizeof contexts, derived);
    secrets_add("derived key", derived, sizeof derived);
    add_aes(derived, 256);
    must(soter_aead_new(&aead), "a cipher");
    must(soter_aead_start(aead, &key, stage.in + 16, CONTEXT), "to start");
    must(
        soter_aead_encrypt(aead, text, TEXT_SIZE, stage.in + THEMIS_CELL_TOKEN_SIZE, stage.in + 28),
        "to encrypt");
    soter_aead_free(aead);
}

/* SUCCESS is to be refused. */
static int run_forged(const struct operation *operation)
{
    const int status = run_unseal(operation);
    return status == THEMIS_FAIL ? THEMIS_SUCCESS : status;
}

static bool is_refused(const struct operation *operation)
{
    (void)operation;
    return memcmp(stage.out, text, 8) != 0 && stage.out[0] == 0 &&
           memcmp(stage.out, stage.out + 1, TEXT_SIZE - 1) == 0;
}

static void set_up_imprint(const struct operation *operation)
{
    make_cell();
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
    if (operation->flag) {
        must(themis_cell_imprint(stage.cell, text, TEXT_SIZE, CONTEXT, stage.in, TEXT_SIZE),
             "to imprint");
    }
}

static int run_imprint(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_cell_imprint(stage.cell,
                               stage.in,
                               stage.in_len,
                               CONTEXT,
                               stage.out,
                               stage.in_len);
}

static bool is_imprinted(const struct operation *operation)
{
    uint8_t other[TEXT_SIZE];
    if (operation->flag) {
        return is_text();
    }
    return themis_cell_imprint(stage.cell, stage.out, TEXT_SIZE, CONTEXT, other, TEXT_SIZE) ==
               THEMIS_SUCCESS &&
           memcmp(other, text, TEXT_SIZE) == 0;
}

/* ---- Lists of cells ---- */

enum { MANY = 3, SEALED_SIZE = THEMIS_CELL_TOKEN_SIZE + TEXT_SIZE };

static size_t growth_of_many(const struct operation *operation)
{
    return operation->kind == THEMIS_CELL_IMPRINT ? 0 : THEMIS_CELL_TOKEN_SIZE;
}

/* operation->kind: which of the operations. All items are alike. */
static void set_up_many(const struct operation *operation)
{
    const size_t growth = growth_of_many(operation);
    make_cell();
    stage.in_len = MANY * (growth + TEXT_SIZE);
    for (size_t i = 0; i < MANY; i++) {
        uint8_t *item = stage.in + i * (growth + TEXT_SIZE);
        if (operation->kind == THEMIS_CELL_UNSEAL) {
            must(themis_cell_seal(stage.cell,
                                  text,
                                  TEXT_SIZE,
                                  CONTEXT,
                                  item,
                                  TEXT_SIZE + THEMIS_CELL_TOKEN_SIZE),
                 "to seal");
        } else {
            memcpy(item + growth, text, TEXT_SIZE);
        }
    }
}

static int run_many(const struct operation *operation)
{
    uint8_t contexts[MANY * (sizeof context - 1)];
    size_t sizes[2 * MANY];
    size_t failed = 0;
    int status;
    for (size_t i = 0; i < MANY; i++) {
        memcpy(contexts + i * (sizeof context - 1), context, sizeof context - 1);
        sizes[i] = TEXT_SIZE;
        sizes[MANY + i] = sizeof context - 1;
    }
    memcpy(stage.out, stage.in, stage.out_len = stage.in_len);
    status = themis_cell_many(stage.cell,
                              operation->kind,
                              stage.out,
                              stage.out_len,
                              contexts,
                              sizeof contexts,
                              sizes,
                              MANY,
                              &failed);
    if (failed > MANY || (status == THEMIS_SUCCESS) != (failed == MANY)) {
        stage_fail("to tell which item failed");
    }
    return status;
}

static bool are_many_right(const struct operation *operation)
{
    const size_t growth = growth_of_many(operation);
    bool right = true;
    for (size_t i = 0; i < MANY; i++) {
        const uint8_t *item = stage.out + i * (growth + TEXT_SIZE);
        uint8_t opened[TEXT_SIZE] = {0};
        if (operation->kind == THEMIS_CELL_SEAL) {
            themis_cell_unseal(stage.cell,
                               item,
                               SEALED_SIZE,
                               CONTEXT,
                               opened,
                               SEALED_SIZE - THEMIS_CELL_TOKEN_SIZE);
        } else if (operation->kind == THEMIS_CELL_IMPRINT) {
            themis_cell_imprint(stage.cell, item, TEXT_SIZE, CONTEXT, opened, TEXT_SIZE);
        } else {
            memcpy(opened, item + growth, TEXT_SIZE);
        }
        right = right && memcmp(opened, text, TEXT_SIZE) == 0;
    }
    return right;
}

const struct operation cell_operations[] = {
    {.name = "kdf", .set_up = set_up_key, .run = run_kdf, .is_right = is_derived},
    {.name = "keyless kdf", .run = run_kdf, .is_right = is_derived, .flag = 1},
    {.name = "cell_new",
     .set_up = set_up_key,
     .run = run_cell_new,
     .is_right = has_cell,
     .makes = true},
    {.name = "cell_new long",
     .set_up = set_up_key,
     .run = run_cell_new,
     .is_right = has_cell,
     .flag = 1,
     .makes = true},
    {.name = "seal", .set_up = set_up_text, .run = run_seal, .is_right = is_sealed},
    {.name = "unseal", .set_up = set_up_sealed, .run = run_unseal, .is_right = is_opened},
    {.name = "unseal a forgery",
     .set_up = set_up_forged,
     .run = run_forged,
     .is_right = is_refused},
    {.name = "protect", .set_up = set_up_text, .run = run_protect, .is_right = is_protected},
    {.name = "unprotect", .set_up = set_up_sealed, .run = run_unprotect, .is_right = is_opened},
    {.name = "imprint", .set_up = set_up_imprint, .run = run_imprint, .is_right = is_imprinted},
    {.name = "imprint back",
     .set_up = set_up_imprint,
     .run = run_imprint,
     .is_right = is_imprinted,
     .flag = 1},
    {.name = "unseal a cell of 0.9.6",
     .set_up = set_up_old_cell,
     .run = run_unseal,
     .is_right = is_opened},
    {.name = "seal many",
     .set_up = set_up_many,
     .run = run_many,
     .is_right = are_many_right,
     .kind = THEMIS_CELL_SEAL},
    {.name = "unseal many",
     .set_up = set_up_many,
     .run = run_many,
     .is_right = are_many_right,
     .kind = THEMIS_CELL_UNSEAL},
    {.name = "imprint many",
     .set_up = set_up_many,
     .run = run_many,
     .is_right = are_many_right,
     .kind = THEMIS_CELL_IMPRINT},
    {.name = NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Cell with a passphrase. */
#include "operations/stage.h"

#include <openssl/evp.h>
#include <string.h>

#include "secrets.h"
#include "soter/bytes.h"

static const uint8_t kept_passphrase[] = "for work that is kept";

/* The work for new cells is done once and kept, with all that it knows. */
static themis_stretch *work_to_seal;

void make_work_to_seal(void)
{
    uint32_t left = 0;
    themis_passphrase *made = NULL;
    must(themis_passphrase_new(kept_passphrase, sizeof kept_passphrase - 1, ITERATIONS, &made),
         "to start");
    must(themis_stretch_to_seal(made, &work_to_seal), "to begin the work");
    must(themis_stretch_work(work_to_seal, UINT32_MAX, &left), "to work");
    themis_passphrase_free(made);
}

static void set_up_passphrase(const struct operation *operation)
{
    (void)operation;
    add_hmac("passphrase", PASSPHRASE);
}

static int run_passphrase_new(const struct operation *operation)
{
    (void)operation;
    return themis_passphrase_new(PASSPHRASE, ITERATIONS, &stage.passphrase);
}

static bool has_passphrase(const struct operation *operation)
{
    (void)operation;
    return stage.passphrase != NULL;
}

static void set_up_passphrase_text(const struct operation *operation)
{
    must(run_passphrase_new(operation), "a passphrase");
    add_hmac("passphrase", PASSPHRASE);
    secrets_add("message", text, TEXT_SIZE);
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_passphrase_seal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE + THEMIS_PASSPHRASE_TOKEN_SIZE;
    return themis_passphrase_seal(stage.passphrase,
                                  stage.in,
                                  stage.in_len,
                                  CONTEXT,
                                  stage.out,
                                  stage.in_len + THEMIS_PASSPHRASE_TOKEN_SIZE);
}

static bool is_passphrase_sealed(const struct operation *operation)
{
    uint8_t opened[TEXT_SIZE];
    (void)operation;
    return themis_passphrase_unseal(stage.passphrase,
                                    stage.out,
                                    TEXT_SIZE + THEMIS_PASSPHRASE_TOKEN_SIZE,
                                    CONTEXT,
                                    opened,
                                    TEXT_SIZE) == THEMIS_SUCCESS &&
           memcmp(opened, text, TEXT_SIZE) == 0;
}

/* A passphrase cell that few iterations open: Token Protect under the key that PBKDF2 makes has
 * the same cipher, so its parts are put where they belong. */
static void set_up_passphrase_sealed(const struct operation *operation)
{
    static const uint8_t salt[16] = "sixteen of salt";
    const int iterations = 3;
    uint8_t token[THEMIS_CELL_TOKEN_SIZE];
    uint8_t pre_key[32];
    uint8_t *at = stage.in;
    set_up_passphrase_text(operation);
    add_passphrase(salt, sizeof salt, iterations);
    if (PKCS5_PBKDF2_HMAC((const char *)passphrase,
                          sizeof passphrase - 1,
                          salt,
                          sizeof salt,
                          iterations,
                          EVP_sha256(),
                          sizeof pre_key,
                          pre_key) != 1) {
        stage_fail("PBKDF2");
    }
    must(themis_cell_new(pre_key, sizeof pre_key, 0, &stage.cell), "a cell");
    must(themis_cell_protect(stage.cell,
                             text,
                             TEXT_SIZE,
                             CONTEXT,
                             stage.in + THEMIS_PASSPHRASE_TOKEN_SIZE,
                             TEXT_SIZE,
                             token),
         "to protect");
    themis_cell_free(stage.cell);
    stage.cell = NULL;
    memcpy(at, token, 16);
    at[3] = 0x41; /* the kind of key: a passphrase */
    soter_put_u32le(at + 16, 22);
    memcpy(at + 20, token + 16, 28);
    soter_put_u32le(at + 48, (uint32_t)iterations);
    at[52] = sizeof salt;
    at[53] = 0;
    memcpy(at + 54, salt, sizeof salt);
    stage.in_len = THEMIS_PASSPHRASE_TOKEN_SIZE + TEXT_SIZE;
}

static int run_passphrase_unseal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_passphrase_unseal(stage.passphrase,
                                    stage.in,
                                    stage.in_len,
                                    CONTEXT,
                                    stage.out,
                                    TEXT_SIZE);
}

static int run_stretch_new(const struct operation *operation)
{
    (void)operation;
    return themis_stretch_to_unseal(stage.passphrase, stage.in, stage.in_len, &stage.stretch);
}

static void set_up_stretch(const struct operation *operation)
{
    set_up_passphrase_sealed(operation);
    must(run_stretch_new(operation), "to begin the work");
}

static int run_stretch_work(const struct operation *operation)
{
    uint32_t left = 1;
    (void)operation;
    while (left != 0) {
        const int status = themis_stretch_work(stage.stretch, 1, &left);
        if (status != THEMIS_SUCCESS) {
            return status;
        }
    }
    return THEMIS_SUCCESS;
}

static void set_up_stretched(const struct operation *operation)
{
    set_up_stretch(operation);
    must(run_stretch_work(operation), "to work");
}

static int run_stretched_unseal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE;
    return themis_stretched_unseal(stage.passphrase,
                                   stage.stretch,
                                   stage.in,
                                   stage.in_len,
                                   CONTEXT,
                                   stage.out,
                                   TEXT_SIZE);
}

static bool is_stretch_right(const struct operation *operation)
{
    return stage.stretch != NULL && run_stretch_work(operation) == THEMIS_SUCCESS &&
           run_stretched_unseal(operation) == THEMIS_SUCCESS && is_text();
}

static void set_up_to_seal(const struct operation *operation)
{
    (void)operation;
    secrets_add("message", text, TEXT_SIZE);
    memcpy(stage.in, text, stage.in_len = TEXT_SIZE);
}

static int run_stretched_seal(const struct operation *operation)
{
    (void)operation;
    stage.out_len = TEXT_SIZE + THEMIS_PASSPHRASE_TOKEN_SIZE;
    return themis_stretched_seal(work_to_seal,
                                 stage.in,
                                 stage.in_len,
                                 CONTEXT,
                                 stage.out,
                                 stage.in_len + THEMIS_PASSPHRASE_TOKEN_SIZE);
}

/* Token Protect under the same key has the same cipher. */
static bool is_stretched_sealed(const struct operation *operation)
{
    static uint8_t pre_key[32];
    static bool is_known;
    const uint8_t *salt = stage.out + 54;
    const int iterations = (int)soter_get_u32le(stage.out + 48);
    uint8_t token[THEMIS_CELL_TOKEN_SIZE];
    uint8_t opened[TEXT_SIZE] = {0};
    themis_cell *cell = NULL;
    (void)operation;
    if (!is_known && PKCS5_PBKDF2_HMAC((const char *)kept_passphrase,
                                       sizeof kept_passphrase - 1,
                                       salt,
                                       16,
                                       iterations,
                                       EVP_sha256(),
                                       sizeof pre_key,
                                       pre_key) != 1) {
        stage_fail("PBKDF2");
    }
    is_known = true;
    memcpy(token, stage.out, 16);
    token[3] = 0x40; /* the kind of key: not a passphrase */
    memcpy(token + 16, stage.out + 20, sizeof token - 16);
    must(themis_cell_new(pre_key, sizeof pre_key, 0, &cell), "a cell");
    themis_cell_unprotect(cell,
                          stage.out + THEMIS_PASSPHRASE_TOKEN_SIZE,
                          TEXT_SIZE,
                          token,
                          CONTEXT,
                          opened,
                          TEXT_SIZE);
    themis_cell_free(cell);
    return memcmp(opened, text, TEXT_SIZE) == 0;
}

const struct operation passphrase_operations[] = {
    {.name = "passphrase_new",
     .set_up = set_up_passphrase,
     .run = run_passphrase_new,
     .is_right = has_passphrase,
     .makes = true},
    {.name = "passphrase seal",
     .set_up = set_up_passphrase_text,
     .run = run_passphrase_seal,
     .is_right = is_passphrase_sealed},
    {.name = "passphrase unseal",
     .set_up = set_up_passphrase_sealed,
     .run = run_passphrase_unseal,
     .is_right = is_opened},
    {.name = "stretch_new",
     .set_up = set_up_passphrase_sealed,
     .run = run_stretch_new,
     .is_right = is_stretch_right,
     .makes = true},
    {.name = "stretch work",
     .set_up = set_up_stretch,
     .run = run_stretch_work,
     .is_right = is_stretch_right},
    {.name = "stretched unseal",
     .set_up = set_up_stretched,
     .run = run_stretched_unseal,
     .is_right = is_opened},
    {.name = "stretched seal",
     .set_up = set_up_to_seal,
     .run = run_stretched_seal,
     .is_right = is_stretched_sealed},
    {.name = NULL},
};

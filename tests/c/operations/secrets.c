/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets in guarded memory, made and read. */
#define _GNU_SOURCE
#include "operations/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "secrets.h"

static const char in_base64[] = "YSBtYXN0ZXIga2V5IG9mIDMwIGJ5dGVzLi45azMA";
static const char in_hex[] = "61206d6173746572206b6579206f66203330206279746573"
                             "2e2e396b3300";
static char variable[] = "SECRET_OF_OPERATIONS=YSBtYXN0ZXIga2V5IG9mIDMwIGJ5dGVzLi45azMA";
#define NAME "SECRET_OF_OPERATIONS"

static void add_secret(void)
{
    secrets_add("secret key", short_key, sizeof short_key);
    secrets_add("its text", (const uint8_t *)in_base64, sizeof in_base64 - 1);
    secrets_add("its text", (const uint8_t *)in_hex, sizeof in_hex - 1);
}

static bool is_short_key(const struct operation *operation)
{
    (void)operation;
    return themis_secret_size(stage.secret) == sizeof short_key &&
           memcmp(themis_secret_data(stage.secret), short_key, sizeof short_key) == 0;
}

/* ---- Made ---- */

static int run_random(const struct operation *operation)
{
    (void)operation;
    return themis_secret_random(32, &stage.secret);
}

static bool is_random(const struct operation *operation)
{
    themis_secret *other = NULL;
    bool differs;
    (void)operation;
    must(themis_secret_random(32, &other), "a secret");
    differs = themis_secret_size(stage.secret) == 32 && !themis_secret_equal(stage.secret, other);
    themis_secret_free(other);
    return differs;
}

static void set_up_new(const struct operation *operation)
{
    (void)operation;
    add_secret();
}

static int run_new(const struct operation *operation)
{
    (void)operation;
    return themis_secret_new(short_key, sizeof short_key, &stage.secret);
}

/* ---- Read ---- */

static int fd = -1; /* of memory that holds a text */

static void set_up_file(const struct operation *operation)
{
    const void *content = operation->kind == THEMIS_RAW   ? (const void *)short_key
                          : operation->kind == THEMIS_HEX ? in_hex
                                                          : in_base64;
    const size_t len = operation->kind == THEMIS_RAW   ? sizeof short_key
                       : operation->kind == THEMIS_HEX ? sizeof in_hex - 1
                                                       : sizeof in_base64 - 1;
    add_secret();
    if (fd < 0) {
        fd = memfd_create("text", MFD_CLOEXEC);
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, content, len, 0) != (ssize_t)len) {
        stage_fail("to write a text");
    }
}

static int run_read(const struct operation *operation)
{
    themis_secret_text *read = NULL;
    int ended = 0;
    int status = themis_secret_text_new(&read);
    lseek(fd, 0, SEEK_SET);
    while (status == THEMIS_SUCCESS && ended == 0) {
        status = themis_secret_text_read(read, fd, 0, &ended);
    }
    if (status == THEMIS_SUCCESS) {
        status = themis_secret_text_decode(read, operation->kind, &stage.secret, &stage.why);
    }
    themis_secret_text_free(read);
    return status;
}

static void set_up_variable(const struct operation *operation)
{
    (void)operation;
    add_secret();
    memcpy(variable + sizeof NAME, in_base64, sizeof in_base64);
    if (putenv(variable) != 0) {
        stage_fail("to set a variable");
    }
}

static int run_variable(const struct operation *operation)
{
    themis_secret_text *read = NULL;
    int status = themis_secret_text_new(&read);
    (void)operation;
    if (status == THEMIS_SUCCESS) {
        status = themis_secret_text_variable(read, NAME);
    }
    if (status == THEMIS_SUCCESS) {
        status = themis_secret_text_decode(read, THEMIS_BASE64, &stage.secret, &stage.why);
    }
    if (status == THEMIS_SUCCESS) {
        themis_variable_wipe(NAME);
    }
    themis_secret_text_free(read);
    return status;
}

static bool is_wiped(const struct operation *operation)
{
    static const uint8_t zeros[sizeof in_base64];
    return is_short_key(operation) && memcmp(variable + sizeof NAME, zeros, sizeof zeros) == 0;
}

/* ---- Used ---- */

static void set_up_lock(const struct operation *operation)
{
    set_up_new(operation);
    must(run_new(operation), "a secret");
}

/* A system that refuses is no failure, and then the secret is not locked. */
static int run_lock(const struct operation *operation)
{
    (void)operation;
    return themis_secret_lock(stage.secret) ? THEMIS_SUCCESS : THEMIS_FAIL;
}

#define READ(title, encoding)                                                                      \
    {.name = "secret read " title,                                                                 \
     .set_up = set_up_file,                                                                        \
     .run = run_read,                                                                              \
     .is_right = is_short_key,                                                                     \
     .kind = (encoding),                                                                           \
     .makes = true}

const struct operation secret_operations[] = {
    {.name = "secret random", .run = run_random, .is_right = is_random, .makes = true},
    {.name = "secret new",
     .set_up = set_up_new,
     .run = run_new,
     .is_right = is_short_key,
     .makes = true},
    READ("raw", THEMIS_RAW),
    READ("hex", THEMIS_HEX),
    READ("base64", THEMIS_BASE64),
    {.name = "secret variable",
     .set_up = set_up_variable,
     .run = run_variable,
     .is_right = is_wiped,
     .makes = true},
    {.name = "secret lock", .set_up = set_up_lock, .run = run_lock, .is_right = is_short_key},
    {.name = NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Not a target but a program of its own, for ThreadSanitizer: many threads start the library at
 * once, then share one handle of each kind that may be shared, and each have a session and a
 * comparison of their own. What comes out must be right; what the sanitizer says, its runner reads.
 * With the argument "planted" the threads also share a plain counter, which must be reported. */
#define _POSIX_C_SOURCE 200809L /* for barriers */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/parties.h"

enum { THREADS = 8, ROUNDS = 40, RSA_ROUNDS = 4, KINDS = 2, ROWS = 40000, ROW_SIZE = 7 };

static const uint8_t text[] = "a message that all threads know";

/* What is shared; immutable once the threads have it. */
static struct {
    themis_cell *cell;
    themis_passphrase *passphrase;
    themis_signer *signers[KINDS]; /* EC and RSA */
    themis_verifier *verifiers[KINDS];
    themis_message *messages[KINDS];
    uint8_t sealed[sizeof text + THEMIS_PASSPHRASE_TOKEN_SIZE];
    themis_ring *ring;
    themis_sealed *file;
    themis_cell_reader *reader;
    uint8_t cell_file[sizeof text + THEMIS_CELL_TOKEN_SIZE]; /* that it has verified */
    themis_column *column;
    themis_column_job *job; /* whose parts they share out */
    size_t parts;
    uint8_t values[ROWS * ROW_SIZE];
} shared;

static pthread_barrier_t barrier;
static volatile bool planted;
static int counter; /* plain on purpose */

static struct soter_slice key_of(int kind, bool is_private)
{
    if (kind == 0) {
        return is_private ? fuzz_ec_private(256, false) : fuzz_ec_public(256, false);
    }
    return is_private ? fuzz_rsa_private(2048) : fuzz_rsa_public(2048);
}

static void make_shared_files(void)
{
    themis_ring *empty = NULL;
    const char *why = NULL;
    MUST(themis_ring_new((const uint8_t *)"ring", 4, &empty) == THEMIS_SUCCESS);
    MUST(themis_ring_add(empty, 1, NULL, 0, &shared.ring, &why) == THEMIS_SUCCESS);
    themis_ring_free(empty);
    MUST(themis_sealed_new(12, text, sizeof text, &shared.file) == THEMIS_SUCCESS);
    MUST(themis_cell_seal(shared.cell,
                          text,
                          sizeof text,
                          NULL,
                          0,
                          shared.cell_file,
                          sizeof shared.cell_file) == THEMIS_SUCCESS);
    MUST(themis_cell_reader_new(shared.cell,
                                shared.cell_file,
                                sizeof shared.cell_file,
                                NULL,
                                0,
                                &shared.reader) == THEMIS_SUCCESS);
    MUST(themis_cell_reader_take(shared.reader,
                                 shared.cell_file + THEMIS_CELL_TOKEN_SIZE,
                                 sizeof text) == THEMIS_SUCCESS);
}

static themis_column_job *begin_job(themis_column *column, int operation, size_t *parts)
{
    themis_column_job *job = NULL;
    const char *why = NULL;
    uint64_t row = 0;
    MUST(themis_column_job_new(shared.ring, operation, column, &job) == THEMIS_SUCCESS);
    MUST(themis_column_job_context(job, text, 3, NULL) == THEMIS_SUCCESS);
    MUST(themis_column_job_begin(job, parts, &row, &why) == THEMIS_SUCCESS);
    return job;
}

static void do_parts(themis_column_job *job, size_t first, size_t step, size_t parts)
{
    const char *why = NULL;
    uint64_t row = 0;
    for (size_t part = first; part < parts; part += step) {
        MUST(themis_column_job_part(job, part, &row, &why) == THEMIS_SUCCESS);
    }
}

static themis_column *column_of(const uint8_t *values, size_t rows)
{
    themis_column *column = NULL;
    const char *why = NULL;
    size_t *sizes = calloc(rows, sizeof *sizes);
    MUST(sizes != NULL);
    for (size_t row = 0; row < rows; row++) {
        sizes[row] = ROW_SIZE;
    }
    MUST(themis_column_new(&column) == THEMIS_SUCCESS);
    MUST(themis_column_add_values(column, 0, values, rows * ROW_SIZE, sizes, rows, &why) ==
         THEMIS_SUCCESS);
    free(sizes);
    return column;
}

static void make_shared_column(void)
{
    for (size_t i = 0; i < sizeof shared.values; i++) {
        shared.values[i] = (uint8_t)(i % 251);
    }
    shared.column = column_of(shared.values, ROWS);
    shared.job = begin_job(shared.column, THEMIS_COLUMN_ENCRYPT, &shared.parts);
    MUST(shared.parts > THREADS);
}

/* What all of them have made of the shared job. */
static void end_shared_job(void)
{
    themis_column_result *result = NULL;
    uint8_t found[ROW_SIZE + 1];
    static size_t sizes[ROWS];
    const uint8_t *cell;
    MUST(themis_column_job_end(shared.job, &result) == THEMIS_SUCCESS);
    cell = themis_column_result_values(result, sizes);
    for (size_t row = 0; row < ROWS; cell += sizes[row++]) {
        MUST(themis_ring_decrypt(shared.ring, cell, sizes[row], text, 3, found, sizeof found) ==
             THEMIS_SUCCESS);
        MUST(memcmp(found + 1, shared.values + row * ROW_SIZE, ROW_SIZE) == 0);
    }
    themis_column_result_free(result);
    themis_column_job_free(shared.job);
}

static void make_shared(void)
{
    (void)fuzz_ec_public(256, true); /* the keys of common/fuzz.c are made at the first call */
    MUST(themis_cell_new(text, sizeof text, 1, &shared.cell) == THEMIS_SUCCESS);
    MUST(themis_passphrase_new(text, sizeof text, 1000, 1, 1000000, &shared.passphrase) ==
         THEMIS_SUCCESS);
    MUST(themis_passphrase_seal(shared.passphrase,
                                text,
                                sizeof text,
                                NULL,
                                0,
                                shared.sealed,
                                sizeof text + THEMIS_PASSPHRASE_TOKEN_SIZE) == THEMIS_SUCCESS);
    for (int kind = 0; kind < KINDS; kind++) {
        const struct soter_slice ours = key_of(kind, true);
        const struct soter_slice theirs = key_of(kind, false);
        MUST(themis_signer_new(ours.data, ours.len, &shared.signers[kind]) == THEMIS_SUCCESS);
        MUST(themis_verifier_new(theirs.data, theirs.len, &shared.verifiers[kind]) ==
             THEMIS_SUCCESS);
        MUST(themis_message_new(ours.data,
                                ours.len,
                                theirs.data,
                                theirs.len,
                                &shared.messages[kind]) == THEMIS_SUCCESS);
    }
    make_shared_files();
    make_shared_column();
}

static void free_shared(void)
{
    themis_cell_free(shared.cell);
    themis_passphrase_free(shared.passphrase);
    themis_ring_free(shared.ring);
    themis_sealed_free(shared.file);
    themis_cell_reader_free(shared.reader);
    themis_column_free(shared.column);
    for (int kind = 0; kind < KINDS; kind++) {
        themis_signer_free(shared.signers[kind]);
        themis_verifier_free(shared.verifiers[kind]);
        themis_message_free(shared.messages[kind]);
    }
}

static void use_cell(void)
{
    uint8_t sealed[sizeof text + THEMIS_CELL_TOKEN_SIZE];
    uint8_t found[sizeof text];
    uint8_t imprint[sizeof text];
    MUST(themis_cell_seal(shared.cell,
                          text,
                          sizeof text,
                          text,
                          3,
                          sealed,
                          sizeof text + THEMIS_CELL_TOKEN_SIZE) == THEMIS_SUCCESS);
    MUST(themis_cell_unseal(shared.cell,
                            sealed,
                            sizeof sealed,
                            text,
                            3,
                            found,
                            sizeof sealed - THEMIS_CELL_TOKEN_SIZE) == THEMIS_SUCCESS);
    MUST(memcmp(found, text, sizeof text) == 0);
    MUST(themis_cell_unseal(shared.cell,
                            sealed,
                            sizeof sealed,
                            text,
                            4,
                            found,
                            sizeof sealed - THEMIS_CELL_TOKEN_SIZE) == THEMIS_FAIL);
    MUST(themis_cell_imprint(shared.cell, text, sizeof text, text, 3, imprint, sizeof text) ==
         THEMIS_SUCCESS);
    MUST(themis_cell_imprint(shared.cell, imprint, sizeof text, text, 3, found, sizeof text) ==
         THEMIS_SUCCESS);
    MUST(memcmp(found, text, sizeof text) == 0);
}

static void use_passphrase(void)
{
    uint8_t found[sizeof text];
    MUST(themis_passphrase_unseal(shared.passphrase,
                                  shared.sealed,
                                  sizeof shared.sealed,
                                  NULL,
                                  0,
                                  found,
                                  sizeof found) == THEMIS_SUCCESS);
    MUST(memcmp(found, text, sizeof text) == 0);
}

static void use_signer(int kind)
{
    uint8_t whole[THEMIS_SIGNED_HEADER_SIZE + sizeof text + 1024];
    uint8_t *signature = whole + THEMIS_SIGNED_HEADER_SIZE + sizeof text;
    size_t signature_len = 1024;
    size_t text_len;
    memcpy(whole + THEMIS_SIGNED_HEADER_SIZE, text, sizeof text);
    MUST(themis_signer_sign(shared.signers[kind],
                            text,
                            sizeof text,
                            whole,
                            signature,
                            &signature_len) == THEMIS_SUCCESS);
    MUST(themis_verifier_verify(shared.verifiers[kind],
                                whole,
                                THEMIS_SIGNED_HEADER_SIZE + sizeof text + signature_len,
                                &text_len) == THEMIS_SUCCESS);
    MUST(text_len == sizeof text);
}

static void use_message(int kind)
{
    themis_message *message = shared.messages[kind];
    uint8_t wrapped[sizeof text + 1024];
    uint8_t found[sizeof text];
    const size_t len = sizeof text + themis_message_wrap_growth(message);
    MUST(len <= sizeof wrapped);
    MUST(themis_message_wrap(message,
                             text,
                             sizeof text,
                             wrapped,
                             sizeof text + themis_message_wrap_growth(message)) == THEMIS_SUCCESS);
    MUST(themis_message_unwrap(message,
                               wrapped,
                               len,
                               found,
                               len - themis_message_unwrap_growth(message)) == THEMIS_SUCCESS);
    MUST(memcmp(found, text, sizeof text) == 0);
}

static void use_ring(void)
{
    uint8_t stored[sizeof text + THEMIS_RING_OVERHEAD];
    uint8_t found[sizeof text];
    MUST(themis_ring_encrypt(shared.ring, text, sizeof text, text, 3, stored, sizeof stored) ==
         THEMIS_SUCCESS);
    MUST(themis_ring_decrypt(shared.ring, stored, sizeof stored, text, 3, found, sizeof found) ==
         THEMIS_SUCCESS);
    MUST(memcmp(found, text, sizeof text) == 0);
}

/* The last chunk of a sealed file, and a piece of an ordinary cell. */
static void use_files(void)
{
    uint8_t chunk[sizeof text + THEMIS_CELL_TOKEN_SIZE];
    uint8_t found[sizeof text];
    MUST(themis_sealed_encrypt(shared.file, 7, 1, text, sizeof text, chunk, sizeof chunk) ==
         THEMIS_SUCCESS);
    MUST(themis_sealed_decrypt(shared.file, 7, 1, chunk, sizeof chunk, found, sizeof found) ==
         THEMIS_SUCCESS);
    MUST(memcmp(found, text, sizeof text) == 0);
    MUST(themis_cell_reader_read(shared.reader,
                                 0,
                                 shared.cell_file + THEMIS_CELL_TOKEN_SIZE,
                                 sizeof text,
                                 0,
                                 found,
                                 sizeof found) == THEMIS_SUCCESS);
    MUST(memcmp(found, text, sizeof text) == 0);
}

/* A job of its own on the column that all read. */
static void use_column(void)
{
    size_t parts = 0;
    themis_column_job *job = begin_job(shared.column, THEMIS_COLUMN_ENCRYPT, &parts);
    do_parts(job, 0, 1, parts);
    themis_column_job_free(job);
}

static void use_session(void)
{
    struct parties *parties = calloc(1, sizeof *parties);
    MUST(parties != NULL);
    parties_init(parties, 256, true);
    parties_finish(parties, 256);
    parties_talk(parties);
    parties_free(parties);
    free(parties);
}

/* The first use of the group starts libsodium. */
static void use_comparator(void)
{
    static const size_t sizes[5] = {THEMIS_COMPARATOR_FIRST_SIZE, 352, 256, 96, 0};
    themis_comparator *sides[2] = {NULL, NULL};
    uint8_t message[352];
    uint8_t reply[352];
    for (int i = 0; i < 2; i++) {
        MUST(themis_comparator_new(&sides[i]) == THEMIS_SUCCESS);
        MUST(themis_comparator_append(sides[i], text, sizeof text) == THEMIS_SUCCESS);
    }
    MUST(themis_comparator_begin(sides[0], message) == THEMIS_SUCCESS);
    for (int i = 0; i < 4; i++) {
        themis_comparator *side = sides[(i + 1) % 2];
        MUST(themis_comparator_proceed(side,
                                       message,
                                       sizes[i],
                                       reply,
                                       themis_comparator_reply_size(side)) == THEMIS_SUCCESS);
        memcpy(message, reply, sizes[i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        MUST(themis_comparator_result(sides[i]) == THEMIS_COMPARATOR_MATCH);
        themis_comparator_free(sides[i]);
    }
}

static void wait_for_all(void)
{
    const int answer = pthread_barrier_wait(&barrier);
    MUST(answer == 0 || answer == PTHREAD_BARRIER_SERIAL_THREAD);
}

static void *thread(void *argument)
{
    const size_t number = *(const size_t *)argument;
    wait_for_all();
    MUST(themis_init() == THEMIS_SUCCESS);
    use_comparator();
    wait_for_all();
    if (number == 0) {
        make_shared();
    }
    wait_for_all();
    do_parts(shared.job, number, THREADS, shared.parts);
    use_column();
    for (int round = 0; round < ROUNDS; round++) {
        use_cell();
        use_signer(0);
        use_message(0);
        use_ring();
        use_files();
        use_session();
        if (round < RSA_ROUNDS) {
            use_signer(1);
            use_message(1);
            use_comparator();
        }
        if (planted) {
            counter++;
        }
    }
    use_passphrase();
    return NULL;
}

int main(int count, char **arguments)
{
    pthread_t threads[THREADS];
    size_t numbers[THREADS];
    planted = count > 1 && strcmp(arguments[1], "planted") == 0;
    MUST(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = (size_t)i;
        MUST(pthread_create(&threads[i], NULL, thread, &numbers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        MUST(pthread_join(threads[i], NULL) == 0);
    }
    end_shared_job();
    free_shared();
    MUST(pthread_barrier_destroy(&barrier) == 0);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions of the core refuse. Python never asks for it, because it checks sizes and
 * kinds before: wrong sizes, halves and kinds of keys, numbers that do not exist. Leaves with 1 if
 * one of them is not refused, or if a refusal leaves an output with something in it that was not
 * there.
 *
 *   refusals control
 *
 * expects what is not so, on purpose. Exits with 1 if the tests do not notice. */
#include <limits.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "soter/aead.h"
#include "soter/container.h"
#include "soter/ec_curve.h"
#include "soter/ec_key.h"
#include "soter/ecdh.h"
#include "soter/hmac.h"
#include "soter/kdf.h"
#include "soter/key_container.h"
#include "soter/oaep.h"
#include "soter/pbkdf2.h"
#include "soter/pkcs8_read.h"
#include "soter/pkcs8_write.h"
#include "soter/rand.h"
#include "soter/rsa_key.h"
#include "soter/sign.h"
#include "soter/wipe.h"
#include "themis.h"
#include "themis/ring_hand.h"
#include "themis/session_channel.h"
#include "themis/session_state.h"
#include "themis/session_wire.h"

enum { EC_256, EC_384, RSA_2048, KINDS };

/* A size that no format can say, of a buffer that is not looked at. Where 32 bits are all there is,
 * every size can be said; there nothing stands for it, which is refused as well. */
#define FAR (SIZE_MAX > UINT32_MAX ? (size_t)(UINT64_C(1) << 40) : 0)

static struct {
    uint8_t private_bytes[1200];
    size_t private_len;
    uint8_t public_bytes[300];
    size_t public_len;
    soter_key *private_key;
    soter_key *public_key;
} pairs[KINDS];

static uint8_t buffer[2048];
static const uint8_t text[] = "a text";
static int findings;

#define REFUSED(call) judge(#call, (call) == THEMIS_INVALID_PARAMETER)
#define TRUE(condition) judge(#condition, (condition))

static void judge(const char *what, bool is_right)
{
    if (ERR_peek_error() != 0) {
        printf("%s: OpenSSL's errors are left for others to find\n", what);
        ERR_clear_error();
        findings++;
    }
    if (!is_right) {
        printf("not so: %s\n", what);
        findings++;
    }
}

#define must(status) must_at(__LINE__, (status))

static void must_at(int line, int status)
{
    if (status != THEMIS_SUCCESS) {
        fprintf(stderr, "refusals.c:%d: status %d of what must not fail\n", line, status);
        exit(2);
    }
}

static void make_pair(int which, int algorithm, int bits)
{
    const size_t private_len = themis_key_size(algorithm, 1, bits, 0);
    const size_t public_len = themis_key_size(algorithm, 0, bits, 0);
    must(themis_key_pair(algorithm,
                         bits,
                         0,
                         pairs[which].private_bytes,
                         themis_key_size(algorithm, 1, bits, 0),
                         pairs[which].public_bytes,
                         themis_key_size(algorithm, 0, bits, 0)));
    must(soter_key_read(pairs[which].private_bytes, private_len, &pairs[which].private_key));
    must(soter_key_read(pairs[which].public_bytes, public_len, &pairs[which].public_key));
    pairs[which].private_len = private_len;
    pairs[which].public_len = public_len;
}

#define PRIVATE(kind) pairs[kind].private_bytes, pairs[kind].private_len
#define PUBLIC(kind) pairs[kind].public_bytes, pairs[kind].public_len

/* ---- soter ---- */

static void refuse_keys(void)
{
    soter_key *made = NULL;
    REFUSED(soter_ec_key_generate(255, &made));
    REFUSED(soter_rsa_key_generate(2047, &made));
    TRUE(made == NULL);
    REFUSED(soter_key_write_public(pairs[EC_256].public_key,
                                   SOTER_UNCOMPRESSED,
                                   buffer,
                                   pairs[EC_256].public_len));
    REFUSED(
        soter_key_write_private(pairs[EC_256].private_key, buffer, pairs[EC_256].private_len - 1));
    REFUSED(soter_key_write_private(pairs[EC_256].public_key, buffer, pairs[EC_256].private_len));
    TRUE(soter_curve_find(255) == NULL);
    TRUE(themis_key_size(THEMIS_KEY_EC, 1, 255, 0) == 0);
    TRUE(themis_key_size(THEMIS_KEY_RSA, 1, -1, 0) == 0);
    TRUE(themis_key_size(7, 1, 256, 0) == 0);
    REFUSED(themis_key_pair(THEMIS_KEY_RSA,
                            2047,
                            0,
                            buffer,
                            themis_key_size(THEMIS_KEY_RSA, 1, 2047, 0),
                            buffer,
                            themis_key_size(THEMIS_KEY_RSA, 0, 2047, 0)));
}

static void refuse_agreements(void)
{
    const soter_key *ours = pairs[EC_256].private_key;
    const soter_key *theirs = pairs[EC_256].public_key;
    REFUSED(soter_ecdh(theirs, theirs, buffer, 32));
    REFUSED(soter_ecdh(ours, ours, buffer, 32));
    REFUSED(soter_ecdh(pairs[RSA_2048].private_key, theirs, buffer, 32));
    REFUSED(soter_ecdh(ours, pairs[RSA_2048].public_key, buffer, 32));
    REFUSED(soter_ecdh(ours, pairs[EC_384].public_key, buffer, 32));
    REFUSED(soter_ecdh(ours, theirs, buffer, 31));
}

static void refuse_signatures(void)
{
    const struct soter_slice part = {text, sizeof text};
    soter_sign_key *signer = NULL;
    soter_sign_key *verifier = NULL;
    size_t len = 0;
    must(soter_sign_key_new(pairs[EC_256].private_key, &signer));
    must(soter_sign_key_new(pairs[EC_256].public_key, &verifier));
    REFUSED(soter_sign(verifier, &part, 1, buffer, &len));
    REFUSED(soter_verify(signer, &part, 1, buffer, 70));
    soter_sign_key_free(signer);
    soter_sign_key_free(verifier);
}

static void refuse_wrapping(void)
{
    const size_t too_long = SOTER_OAEP_SECRET_MAX_SIZE + 1;
    soter_oaep_key *none = NULL;
    soter_oaep_key *wrapper = NULL;
    soter_oaep_key *unwrapper = NULL;
    size_t size;
    REFUSED(soter_oaep_key_new(pairs[EC_256].public_key, &none));
    must(soter_oaep_key_new(pairs[RSA_2048].public_key, &wrapper));
    must(soter_oaep_key_new(pairs[RSA_2048].private_key, &unwrapper));
    size = soter_oaep_wrapped_size(wrapper);
    REFUSED(soter_oaep_wrap(unwrapper, text, sizeof text, buffer));
    REFUSED(soter_oaep_wrap(wrapper, buffer, too_long, buffer));
    for (int i = SOTER_OAEP_KEPT_BLINDING; i <= SOTER_OAEP_FRESH_BLINDING; i++) {
        const enum soter_oaep_blinding blinding = (enum soter_oaep_blinding)i;
        REFUSED(soter_oaep_unwrap(wrapper, blinding, buffer, size, buffer + size, 32));
        REFUSED(soter_oaep_unwrap(unwrapper, blinding, buffer, size - 1, buffer + size, 32));
        REFUSED(soter_oaep_unwrap(unwrapper, blinding, buffer, size, buffer + size, too_long));
    }
    soter_oaep_key_free(wrapper);
    soter_oaep_key_free(unwrapper);
}

static void refuse_ciphers(void)
{
    const struct soter_aead_key key = {buffer, 17, true};
    const struct soter_aead_key kept = {NULL, 32, true}; /* where there is none */
    const struct soter_aead_key short_key = {buffer, 16, true};
    const struct soter_slice contexts[SOTER_KDF_MAX_CONTEXTS + 1] = {{text, sizeof text}};
    const struct soter_kdf_purpose many = {{text, 6}, contexts, SOTER_KDF_MAX_CONTEXTS + 1};
    const struct soter_kdf_purpose one = {{text, 6}, contexts, 1};
    const struct soter_slice slice = {text, sizeof text};
    soter_pbkdf2 *work = NULL;
    soter_hmac_key *hmac = NULL;
    soter_aead *aead = NULL;
    must(soter_aead_new(&aead));
    REFUSED(soter_aead_set_key(aead, &key));
    REFUSED(soter_aead_start(aead, &key, buffer, NULL, 0));
    REFUSED(soter_aead_start(aead, &kept, buffer, NULL, 0));
    must(soter_aead_set_key(aead, &short_key));
    REFUSED(soter_aead_start(aead, &kept, buffer, NULL, 0));
    soter_aead_free(aead);
    must(soter_hmac_key_new(text, sizeof text, &hmac));
    REFUSED(soter_kdf(hmac, &many, buffer, 32));
    REFUSED(soter_kdf(hmac, &one, buffer, 33));
    soter_hmac_key_free(hmac);
    REFUSED(soter_pbkdf2_new(slice, slice, 0, &work));
    soter_wipe(NULL, 0);
}

/* What is drawn in one piece is not drawn ahead: two of them differ, to the last bytes. */
static void draw_much(void)
{
    must(soter_rand_public(buffer, 500));
    must(soter_rand_public(buffer + 500, 500));
    TRUE(memcmp(buffer, buffer + 500, 500) != 0);
    TRUE(memcmp(buffer + 484, buffer + 984, 16) != 0);
}

static void refuse_texts(void)
{
    const struct soter_slice none = {NULL, 0};
    const struct soter_slice key = {PRIVATE(EC_256)};
    const struct soter_slice far_away = {text, (size_t)INT_MAX + 1};
    const struct soter_slice some = {text, sizeof text};
    struct soter_owned out = {NULL, 0};
    soter_pkcs8 *reading = NULL;
    const char *why = NULL;
    REFUSED(soter_pkcs8_new(none, SOTER_DER, none, &reading, &why));
    REFUSED(soter_pkcs8_new(far_away, SOTER_DER, none, &reading, &why));
    REFUSED(soter_pkcs8_new(key, SOTER_DER, far_away, &reading, &why));
    REFUSED(soter_pkcs8_write(pairs[EC_256].private_key, SOTER_PEM, far_away, &out));
    REFUSED(soter_pkcs8_write(pairs[EC_256].public_key, SOTER_PEM, some, &out));
    TRUE(out.data == NULL && reading == NULL);
}

/* ---- themis ---- */

/* A list that overruns its buffer or its contexts: refused at that item, and nothing is left. */
static void refuse_list(themis_cell *cell, int operation, const size_t sizes[4], size_t room)
{
    static const uint8_t zeros[sizeof buffer];
    size_t failed = 9;
    memset(buffer, 1, sizeof buffer);
    REFUSED(themis_cell_many(cell, operation, buffer, room, text, 6, sizes, 2, &failed));
    TRUE(failed == 0 || failed == 1);
    TRUE(memcmp(buffer, zeros, room) == 0);
    TRUE(buffer[room] == 1);
}

static void refuse_cells(void)
{
    enum { TOKEN = THEMIS_CELL_TOKEN_SIZE };
    const size_t good[4] = {20, 20, 3, 3};
    const size_t long_message[4] = {20, 21, 3, 3};
    const size_t huge_message[4] = {20, SIZE_MAX, 3, 3};
    const size_t long_context[4] = {20, 20, 3, 4};
    const size_t huge_context[4] = {20, 20, SIZE_MAX, 3};
    themis_cell *cell = NULL;
    must(themis_cell_new(text, sizeof text, 0, &cell));
    refuse_list(cell, 99, good, 2 * (20 + TOKEN));
    refuse_list(cell, -1, good, 2 * (20 + TOKEN));
    for (int i = 0; i < 2; i++) {
        const int operation = i == 0 ? THEMIS_CELL_SEAL : THEMIS_CELL_IMPRINT;
        const size_t room = 2 * (20 + (i == 0 ? (size_t)TOKEN : 0));
        refuse_list(cell, operation, long_message, room);
        refuse_list(cell, operation, huge_message, room);
        refuse_list(cell, operation, good, room - 1);
        refuse_list(cell, operation, long_context, room);
        refuse_list(cell, operation, huge_context, room);
    }
    themis_cell_free(cell);
}

/* A cell in pieces: parts that are no blocks, too many or too few; ranges that it does not have. */
static void refuse_pieces(void)
{
    static uint8_t big[THEMIS_CELL_TOKEN_SIZE + 2 * THEMIS_CELL_PIECE_SIZE + 5];
    static uint8_t out[sizeof big];
    const size_t size = sizeof big - THEMIS_CELL_TOKEN_SIZE;
    const size_t piece = THEMIS_CELL_PIECE_SIZE;
    const uint8_t *data = big + THEMIS_CELL_TOKEN_SIZE;
    themis_cell *cell = NULL;
    themis_cell_writer *writer = NULL;
    themis_cell_reader *reader = NULL;
    must(themis_cell_new(text, sizeof text, 0, &cell));
    REFUSED(themis_cell_writer_new(cell, 0, NULL, 0, &writer));
    REFUSED(themis_cell_writer_new(cell, FAR, NULL, 0, &writer));
    must(themis_cell_writer_new(cell, size, NULL, 0, &writer));
    REFUSED(themis_cell_writer_finish(writer, big, sizeof big));
    REFUSED(themis_cell_writer_part(writer, out, 17, out, sizeof out));
    REFUSED(themis_cell_writer_part(writer, out, size + 1, out, sizeof out));
    must(themis_cell_writer_part(writer, out, size, big + THEMIS_CELL_TOKEN_SIZE, size));
    REFUSED(themis_cell_writer_part(writer, out, 16, out, sizeof out));
    must(themis_cell_writer_finish(writer, big, sizeof big));
    REFUSED(themis_cell_writer_finish(writer, big, sizeof big));
    REFUSED(themis_cell_reader_new(cell, big, sizeof big - 1, NULL, 0, &reader));
    REFUSED(themis_cell_reader_new(cell, big, THEMIS_CELL_TOKEN_SIZE, NULL, 0, &reader));
    REFUSED(themis_cell_reader_new(cell, big, UINT64_MAX, NULL, 0, &reader));
    TRUE(writer != NULL && reader == NULL);
    must(themis_cell_reader_new(cell, big, sizeof big, NULL, 0, &reader));
    REFUSED(themis_cell_reader_read(reader, 0, data, size, 0, out, size));
    REFUSED(themis_cell_reader_take(reader, data, 100));
    REFUSED(themis_cell_reader_take(reader, data, size + 1));
    must(themis_cell_reader_take(reader, data, piece));
    REFUSED(themis_cell_reader_read(reader, 0, data, piece, 0, out, piece));
    must(themis_cell_reader_take(reader, data + piece, size - piece));
    REFUSED(themis_cell_reader_take(reader, data, 0));
    REFUSED(themis_cell_reader_read(reader, 0, data, piece - 1, 0, out, 1));
    REFUSED(themis_cell_reader_read(reader, 0, data, size + 1, 0, out, 1));
    REFUSED(themis_cell_reader_read(reader, 3, data, 5, 0, out, 5));
    REFUSED(themis_cell_reader_read(reader, SIZE_MAX, data, 5, 0, out, 5));
    REFUSED(themis_cell_reader_read(reader, 0, data, piece, 1, out, piece));
    REFUSED(themis_cell_reader_read(reader, 0, data, piece, piece + 1, out, 0));
    REFUSED(themis_cell_reader_read(reader, 0, data, piece, 1, out, SIZE_MAX));
    TRUE(themis_cell_reader_read(reader, 1, data, piece, 0, out, piece) == THEMIS_FAIL);
    must(themis_cell_reader_read(reader, 2, data + 2 * piece, 5, 5, out, 0));
    themis_cell_reader_free(reader);
    themis_cell_writer_free(writer);
    themis_cell_free(cell);
}

/* A list of values: as refuse_list. */
static void refuse_values(themis_ring *ring, int operation, const size_t sizes[4], size_t room)
{
    static const uint8_t zeros[sizeof buffer];
    size_t failed = 9;
    memset(buffer, 1, sizeof buffer);
    REFUSED(themis_ring_many(ring, operation, buffer, room, text, 6, sizes, 2, &failed));
    TRUE(failed == 0 || failed == 1);
    TRUE(memcmp(buffer, zeros, room) == 0);
    TRUE(buffer[room] == 1);
}

/* A value that was measured as another form, as memory may be that others write to. */
static void refuse_changed(themis_ring *ring)
{
    enum { OVERHEAD = THEMIS_RING_OVERHEAD, TOKEN = THEMIS_CELL_TOKEN_SIZE };
    const struct themis_ring_hand hand = {ring, NULL};
    const struct soter_slice no_context = {NULL, 0};
    uint8_t *out = buffer + 1024;
    const size_t len = 20 + OVERHEAD;
    must(themis_ring_encrypt(ring, buffer + 512, 20, NULL, 0, buffer, len));
    memset(out, 1, len);
    REFUSED(themis_ring_open(&hand, buffer, len, TOKEN, no_context, out));
    REFUSED(themis_ring_open(&hand,
                             buffer + THEMIS_RING_PREFIX_SIZE,
                             20 + TOKEN,
                             OVERHEAD,
                             no_context,
                             out));
    TRUE(out[len - TOKEN] == 1);
    must(themis_ring_open(&hand, buffer, len, OVERHEAD, no_context, out));
    TRUE(memcmp(out, buffer + 512, 20) == 0 && out[20] == 1);
}

static void refuse_rings(void)
{
    enum { OVERHEAD = THEMIS_RING_OVERHEAD };
    const size_t good[4] = {20, 20, 3, 3};
    const size_t huge_message[4] = {20, SIZE_MAX, 3, 3};
    const size_t huge_context[4] = {20, 20, SIZE_MAX, 3};
    const uint8_t no_id[THEMIS_RING_ID_SIZE] = {0};
    uint8_t id[THEMIS_RING_ID_SIZE];
    uint64_t created;
    size_t len = 9;
    const char *why = NULL;
    themis_ring *blank = NULL;
    themis_ring *ring = NULL;
    themis_ring *none = NULL;
    must(themis_ring_new((const uint8_t *)"shop", 4, &blank));
    TRUE(themis_ring_payload(blank, &len) == NULL && len == 0);
    TRUE(themis_ring_key(blank, 0, id, &created) == 0);
    REFUSED(themis_ring_encrypt(blank, text, 6, NULL, 0, buffer, 6 + OVERHEAD));
    REFUSED(themis_ring_add(blank, UINT64_C(1) << 53, NULL, 0, &none, &why));
    REFUSED(themis_ring_read(NULL, 0, &none, &why));
    REFUSED(themis_ring_read(buffer, THEMIS_RING_PAYLOAD_MAX + 1, &none, &why));
    must(themis_ring_add(blank, 1, NULL, 0, &ring, &why));
    REFUSED(themis_ring_pin(ring, no_id, buffer));
    REFUSED(themis_ring_blind_index(ring, 1, text, 3, text, 3, buffer));
    for (int kind = 0; kind < 6; kind++) {
        REFUSED(themis_ring_change(ring, kind, no_id, &none, &why));
        TRUE(why != NULL);
    }
    REFUSED(themis_ring_encrypt(ring, text, 6, (const uint8_t *)"TSFILE1", 7, buffer, 100));
    REFUSED(themis_ring_decrypt(ring, buffer, 0, NULL, 0, NULL, 0));
    refuse_values(ring, 99, good, 2 * (20 + OVERHEAD));
    refuse_values(ring, THEMIS_RING_ENCRYPT, good, 2 * (20 + OVERHEAD) - 1);
    for (int operation = THEMIS_RING_ENCRYPT; operation <= THEMIS_RING_DECRYPT; operation++) {
        refuse_values(ring, operation, huge_message, 2 * (20 + OVERHEAD));
        refuse_values(ring, operation, huge_context, 2 * (20 + OVERHEAD));
    }
    refuse_changed(ring);
    TRUE(none == NULL);
    themis_ring_free(ring);
    themis_ring_free(blank);
}

/* Padding belongs to a frame, which bare values have not. */
static void refuse_padded_bare(themis_ring *ring, const themis_column *column)
{
    const char *why = NULL;
    size_t parts;
    uint64_t row;
    themis_column_job *job = NULL;
    must(themis_column_job_new(ring, THEMIS_COLUMN_ENCRYPT, column, &job));
    must(themis_column_job_option(job, THEMIS_COLUMN_BARE, 1));
    must(themis_column_job_option(job, THEMIS_COLUMN_PADDING, 16));
    REFUSED(themis_column_job_begin(job, &parts, &row, &why));
    TRUE(why != NULL);
    themis_column_job_free(job);
}

/* Jobs that are not begun, parts that they do not have, options that are none. */
static void refuse_columns(void)
{
    const size_t sizes[2] = {4, SIZE_MAX};
    const size_t more[2] = {4, 4};
    const char *why = NULL;
    size_t made[2];
    size_t parts = 9;
    size_t size;
    uint64_t row;
    themis_ring *blank = NULL;
    themis_ring *ring = NULL;
    themis_column *column = NULL;
    themis_column_job *job = NULL;
    themis_column_result *result = NULL;
    must(themis_ring_new((const uint8_t *)"shop", 4, &blank));
    must(themis_ring_add(blank, 1, NULL, 0, &ring, &why));
    must(themis_column_new(&column));
    REFUSED(themis_column_add_values(column, 0, text, 4, more, 2, &why));
    REFUSED(themis_column_add_values(column, 0, text, 5, sizes, 2, &why));
    REFUSED(themis_column_add(column, NULL, NULL, &why));
    REFUSED(themis_column_add_stream(column, NULL, &why));
    TRUE(themis_column_rows(column) == 0 && themis_column_peek(column, 0, &size) == NULL);
    must(themis_column_add_values(column, 0, text, 4, sizes, 2, &why));
    TRUE(themis_column_peek(column, 0, &size) == text && size == 4);
    TRUE(themis_column_peek(column, 1, &size) == NULL && themis_column_rows(column) == 2);
    refuse_padded_bare(ring, column);
    must(themis_column_job_new(ring, THEMIS_COLUMN_INDEX, column, &job));
    REFUSED(themis_column_job_option(job, THEMIS_COLUMN_BITS, 7));
    REFUSED(themis_column_job_option(job, THEMIS_COLUMN_BITS, 257));
    must(themis_column_job_option(job, THEMIS_COLUMN_BITS, 9));
    REFUSED(themis_column_job_option(job, THEMIS_COLUMN_KEY, 1));
    must(themis_column_job_option(job, THEMIS_COLUMN_KEY, 0));
    REFUSED(themis_column_job_option(job, THEMIS_COLUMN_NULLS, 1));
    REFUSED(themis_column_job_option(job, THEMIS_COLUMN_PADDING, THEMIS_COLUMN_PADDING_MAX + 1));
    REFUSED(themis_column_job_option(job, 99, 1));
    REFUSED(themis_column_job_part(job, 0, &row, &why));
    REFUSED(themis_column_job_end(job, &result));
    must(themis_column_job_begin(job, &parts, &row, &why));
    TRUE(parts == 1);
    REFUSED(themis_column_job_begin(job, &parts, &row, &why));
    REFUSED(themis_column_job_part(job, 1, &row, &why));
    REFUSED(themis_column_job_part(job, SIZE_MAX, &row, &why));
    must(themis_column_job_part(job, 0, &row, &why));
    must(themis_column_job_end(job, &result));
    REFUSED(themis_column_job_end(job, &result));
    REFUSED(themis_column_job_part(job, 0, &row, &why));
    REFUSED(themis_column_job_begin(job, &parts, &row, &why));
    TRUE(themis_column_result_values(result, made) != NULL && made[0] == 2 && made[1] == SIZE_MAX);
    themis_column_result_free(result);
    themis_column_job_free(job);
    themis_column_free(column);
    themis_ring_free(ring);
    themis_ring_free(blank);
}

static void refuse_passphrases(void)
{
    uint8_t *sealed = buffer;
    uint8_t *opened = buffer + 1024;
    uint32_t left = 0;
    themis_passphrase *passphrase = NULL;
    themis_stretch *to_seal = NULL;
    themis_stretch *to_unseal = NULL;
    const size_t len = sizeof text + THEMIS_PASSPHRASE_TOKEN_SIZE;
    must(themis_passphrase_new(text, sizeof text, 1000, 1, 1000, &passphrase));
    must(themis_passphrase_seal(passphrase,
                                text,
                                sizeof text,
                                NULL,
                                0,
                                sealed,
                                sizeof text + THEMIS_PASSPHRASE_TOKEN_SIZE));
    REFUSED(themis_passphrase_unseal(passphrase, sealed, len, NULL, 0, opened, sizeof text + 1));
    REFUSED(themis_passphrase_unseal(passphrase, sealed, len, NULL, 0, opened, 0));
    must(themis_stretch_to_seal(passphrase, &to_seal));
    must(themis_stretch_to_unseal(passphrase, sealed, len, &to_unseal));
    REFUSED(themis_stretched_seal(to_unseal,
                                  text,
                                  sizeof text,
                                  NULL,
                                  0,
                                  sealed,
                                  sizeof text + THEMIS_PASSPHRASE_TOKEN_SIZE));
    REFUSED(themis_stretched_unseal(passphrase, to_seal, sealed, len, NULL, 0, opened, 7));
    must(themis_stretch_work(to_seal, UINT32_MAX, &left));
    REFUSED(
        themis_stretched_seal(to_seal, text, 0, NULL, 0, sealed, 0 + THEMIS_PASSPHRASE_TOKEN_SIZE));
    REFUSED(themis_stretched_seal(to_seal,
                                  text,
                                  FAR,
                                  NULL,
                                  0,
                                  sealed,
                                  FAR + THEMIS_PASSPHRASE_TOKEN_SIZE));
    for (size_t cut = 1; cut <= len; cut++) { /* a header that ends early, at every byte */
        size_t size = 0;
        TRUE(themis_passphrase_message_size(passphrase, sealed, len - cut, &size) !=
             THEMIS_SUCCESS);
    }
    themis_stretch_free(to_seal);
    themis_stretch_free(to_unseal);
    themis_passphrase_free(passphrase);
}

static void refuse_messages(void)
{
    size_t len = sizeof buffer - 12;
    themis_signer *signer = NULL;
    themis_message *message = NULL;
    must(themis_signer_new(PRIVATE(EC_256), &signer));
    REFUSED(themis_signer_sign(signer, text, 0, buffer, buffer + 12, &len));
    REFUSED(themis_signer_sign(signer, text, FAR, buffer, buffer + 12, &len));
    themis_signer_free(signer);
    for (int kind = EC_256; kind < KINDS; kind++) {
        must(themis_message_new(PRIVATE(kind), PUBLIC(kind), &message));
        REFUSED(themis_message_wrap(message, text, 0, buffer, sizeof buffer));
        REFUSED(themis_message_wrap(message, text, FAR, buffer, sizeof buffer));
        themis_message_free(message);
    }
}

static void refuse_channels(void)
{
    struct themis_session_secrets secrets;
    themis_session_channel *channel = NULL;
    const char *why = NULL;
    const size_t longest = (size_t)THEMIS_SESSION_MESSAGE_MAX;
    memset(&secrets, 7, sizeof secrets);
    must(themis_session_channel_new(&secrets, true, true, &channel));
    REFUSED(themis_session_channel_wrap(channel, 0, text, 0, buffer, &why));
    REFUSED(themis_session_channel_wrap(channel, 0, text, longest + 1, buffer, &why));
    TRUE(themis_session_channel_unwrap(channel, 0, buffer, 0, buffer, &why) != THEMIS_SUCCESS);
    themis_session_channel_free(channel);
}

static void refuse_sessions(void)
{
    themis_session *session = NULL;
    size_t len = sizeof buffer;
    REFUSED(themis_session_new(text, 0, PRIVATE(EC_256), 0, &session));
    REFUSED(themis_session_new(text, FAR, PRIVATE(EC_256), 0, &session));
    REFUSED(themis_session_new(text, 6, PRIVATE(EC_256), -1, &session));
    REFUSED(themis_session_new(text, 6, PRIVATE(EC_256), THEMIS_SESSION_OPTIONS + 1, &session));
    TRUE(session == NULL);
    must(themis_session_new(text, 6, PRIVATE(EC_256), 0, &session));
    TRUE(strcmp(themis_session_refusal(), "nothing was refused") == 0);
    REFUSED(themis_testing_session_ephemeral(session, buffer, 44));
    REFUSED(themis_testing_session_numbers(session, 1, 1));
    REFUSED(themis_testing_session_counts(session, 1, 1));
    must(themis_session_connect_request(session, buffer, &len));
    REFUSED(themis_testing_session_ephemeral(session, PRIVATE(EC_256)));
    session->state = THEMIS_SESSION_ESTABLISHED; /* without a channel: it must not come to that */
    len = sizeof buffer;
    REFUSED(themis_session_negotiate(session, buffer, 50, PUBLIC(EC_256), buffer, &len));
    TRUE(len == 0);
    session->state = THEMIS_SESSION_FAILED;
    themis_session_free(session);
}

/* A negotiation message for which there is no room, at every size that is too small. */
static void refuse_small_rooms(void)
{
    const struct themis_session_hello hello = {{text, 6}, {PUBLIC(EC_256)}, {buffer, 70}};
    const struct themis_session_proof proof = {{buffer, 70}, buffer + 70};
    struct themis_session_out out = {buffer + 1024, 0, 0};
    const size_t whole = 2 * SOTER_CONTAINER_HEADER_SIZE + 6 + pairs[EC_256].public_len + 70;
    for (out.room = 0; out.room < whole; out.room++) {
        TRUE(themis_session_write_hello(&hello, &out) != THEMIS_SUCCESS);
    }
    TRUE(themis_session_write_hello(&hello, &out) == THEMIS_SUCCESS && out.len == whole);
    for (out.room = 0; out.room < SOTER_CONTAINER_HEADER_SIZE + 70 + 32; out.room++) {
        TRUE(themis_session_write_proof(&proof, &out) != THEMIS_SUCCESS);
    }
    for (out.room = 0; out.room < SOTER_CONTAINER_HEADER_SIZE + 32; out.room++) {
        TRUE(themis_session_write_finish(buffer, &out) != THEMIS_SUCCESS);
    }
}

/* Self-tests answer for keys that are none, and of another curve. */
static void refuse_secrets(void)
{
    const uint8_t *id = text;
    TRUE(themis_testing_session_secrets(id, 6, 1, PUBLIC(EC_256), id, 6, id, 6, buffer) != 0);
    TRUE(themis_testing_session_secrets(PRIVATE(EC_256), 1, id, 6, id, 6, id, 6, buffer) != 0);
    REFUSED(
        themis_testing_session_secrets(PRIVATE(EC_384), 1, PUBLIC(EC_256), id, 6, id, 6, buffer));
    REFUSED(
        themis_testing_session_secrets(PRIVATE(EC_256), 1, PUBLIC(EC_384), id, 6, id, 6, buffer));
}

static void refuse_guarded(void)
{
    themis_secret *secret = NULL;
    themis_secret_text *read = NULL;
    int ended = 0;
    REFUSED(themis_secret_random(0, &secret));
    REFUSED(themis_secret_random((size_t)THEMIS_SECRET_MAX + 1, &secret));
    REFUSED(themis_secret_new(text, 0, &secret));
    REFUSED(themis_secret_new(text, (size_t)THEMIS_SECRET_MAX + 1, &secret));
    must(themis_secret_text_new(&read));
    TRUE(themis_secret_text_read(read, -1, 0, &ended) != THEMIS_SUCCESS);
    TRUE(themis_secret_text_variable(read, "NO VARIABLE=") != THEMIS_SUCCESS);
    themis_secret_text_free(read);
    TRUE(secret == NULL);
}

static void refuse_the_rest(void)
{
    themis_comparator *comparator = NULL;
    must(themis_comparator_new(&comparator));
    REFUSED(themis_comparator_append(comparator, NULL, 5));
    REFUSED(themis_comparator_append(comparator, text, 0));
    themis_comparator_free(comparator);
    TRUE(themis_overlap(text, 0, text, 5) == 0);
    TRUE(themis_overlap(text, 5, text, 0) == 0);
    TRUE(themis_overlap(text, 2, text + 1, 1) == 1);
    TRUE(themis_overlap(text + 2, 1, text, 2) == 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "control") == 0) {
        REFUSED(themis_init());
        return findings == 0;
    }
    must(themis_init());
    make_pair(EC_256, THEMIS_KEY_EC, 256);
    make_pair(EC_384, THEMIS_KEY_EC, 384);
    make_pair(RSA_2048, THEMIS_KEY_RSA, 2048);
    refuse_keys();
    refuse_agreements();
    refuse_signatures();
    refuse_wrapping();
    refuse_ciphers();
    refuse_guarded();
    draw_much();
    refuse_texts();
    refuse_cells();
    refuse_pieces();
    refuse_rings();
    refuse_columns();
    refuse_passphrases();
    refuse_messages();
    refuse_channels();
    refuse_sessions();
    refuse_small_rooms();
    refuse_secrets();
    refuse_the_rest();
    for (int i = 0; i < KINDS; i++) {
        soter_key_free(pairs[i].private_key);
        soter_key_free(pairs[i].public_key);
    }
    printf("%d findings\n", findings);
    return findings != 0;
}

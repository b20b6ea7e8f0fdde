/* SPDX-License-Identifier: Apache-2.0 */
/* The C core as Python sees it. The text between two markers is also the cffi definition:
 * plain prototypes, opaque structs and integer constants, nothing else.
 *
 * Functions that return `int` return one of the THEMIS_ status codes, unless they say otherwise.
 * Lengths are in bytes. A pointer may be NULL where its length is 0. Handles made by *_new are
 * freed (and wiped) by *_free; freeing NULL is fine.
 *
 * An output has a size in its type, or a length after it: the room. If the result needs more, the
 * function returns BUFFER_TOO_SMALL, writes nothing and changes nothing.
 *
 * A function may read its input more than once and read its output again: no other thread may write
 * to either before it returns. Otherwise the result may differ from what was authenticated.
 */
#ifndef THEMIS_H
#define THEMIS_H

#include <stddef.h>
#include <stdint.h>

/* cffi: begin */

/* Status codes, the same in every Themis. */
enum {
    THEMIS_SUCCESS = 0,
    THEMIS_SEND_OUTPUT_TO_PEER = 1,
    THEMIS_FAIL = 11,
    THEMIS_INVALID_PARAMETER = 12,
    THEMIS_NO_MEMORY = 13,
    THEMIS_BUFFER_TOO_SMALL = 14,
    THEMIS_DATA_CORRUPT = 15,
    THEMIS_INVALID_SIGNATURE = 16,
    THEMIS_NOT_SUPPORTED = 17,
    THEMIS_ENGINE_FAIL = 18,
    THEMIS_SSESSION_KA_NOT_FINISHED = 19,
    THEMIS_SSESSION_TRANSPORT_ERROR = 20,
    THEMIS_SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR = 21
};

/* Once per process, before anything else; calling it again is fine. */
int themis_init(void);

/* The same with OpenSSL's FIPS provider in a library context of ours, from the configuration in a
 * file ("": OpenSSL's default file); one thread at a time. FAIL: the provider is not available, or
 * the library has started without it; *why is a static text about the cause. */
int themis_init_fips(const char *config, const char **why);

/* What that provider calls itself, and its version: static texts, NULL without it. */
const char *themis_fips_name(void);
const char *themis_fips_version(void);

/* A static text for a status code. */
const char *themis_status_text(int status);

/* The libraries that do the work, as they are loaded now; static texts. */
const char *themis_openssl_version(void);
const char *themis_sodium_version(void);

/* Whether both are linked statically: copies that only this module uses. */
int themis_is_static(void);

/* ---- Key generation ---- */

enum { THEMIS_SYMMETRIC_KEY_SIZE = 32 };

/* Fills `key` with random bytes. */
int themis_symmetric_key(uint8_t key[THEMIS_SYMMETRIC_KEY_SIZE]);

/* ---- Asymmetric keys (specification, section 2) ----
 *
 * Keys are containers, bytes in and bytes out. What is wrong with one: INVALID_PARAMETER, it is
 * not a key, or not the kind that belongs here; DATA_CORRUPT, it is damaged or its numbers make no
 * sense.
 */

enum { THEMIS_KEY_EC = 1, THEMIS_KEY_RSA = 2 };

/* What a key says it is, if its container is sound; its numbers are not judged. *algorithm is one
 * of the constants above, *bits are 256, 384, 521 or 1024, 2048, 4096, 8192. */
int themis_key_inspect(const uint8_t *key,
                       size_t key_len,
                       int *algorithm,
                       int *is_private,
                       int *bits);

/* The bytes of a key as we write it; 0 if there is no such kind. `uncompressed` matters only to
 * public EC keys. */
size_t themis_key_size(int algorithm, int is_private, int bits, int uncompressed);

/* A new pair; each half takes themis_key_size bytes. */
int themis_key_pair(int algorithm,
                    int bits,
                    int uncompressed,
                    uint8_t *private_key,
                    size_t private_key_len,
                    uint8_t *public_key,
                    size_t public_key_len);

/* The public half of a private key; takes themis_key_size bytes, INVALID_PARAMETER if it is told of
 * another number. */
int themis_key_public(const uint8_t *private_key,
                      size_t private_key_len,
                      int uncompressed,
                      uint8_t *public_key,
                      size_t public_key_len);

/* A public key in its uncompressed form. An EC key is read in a tenth of the time then. The room
 * is as above. */
int themis_key_uncompressed(const uint8_t *public_key,
                            size_t public_key_len,
                            uint8_t *uncompressed,
                            size_t uncompressed_len);

/* Where the length of a result cannot be known beforehand: made by C, copied by the caller. */
typedef struct themis_blob themis_blob;

const uint8_t *themis_blob_data(const themis_blob *blob);
size_t themis_blob_size(const themis_blob *blob);
void themis_blob_free(themis_blob *blob);

/* The forms of the rest of the world: PKCS#8 for private keys, encrypted if there is a passphrase,
 * SubjectPublicKeyInfo for public ones; in PEM or else DER. */
int themis_key_export(const uint8_t *key,
                      size_t key_len,
                      int pem,
                      const uint8_t *passphrase,
                      size_t passphrase_len,
                      themis_blob **out);

/* The same, reading, and SEC1 and PKCS#1 as well. On failure *why is a static text about what is
 * wrong, or NULL where the status says it all. FAIL: the wrong passphrase. NOT_SUPPORTED: another
 * kind of key, or of encryption. */
int themis_key_import(const uint8_t *text,
                      size_t text_len,
                      int pem,
                      const uint8_t *passphrase,
                      size_t passphrase_len,
                      themis_blob **out,
                      const char **why);

/* The same in steps, for callers that must not block for long: the work between a passphrase and
 * its key is done in slices, and a caller may stop between any two. One thread at a time. */

typedef struct themis_key_reading themis_key_reading;

/* Judges the text as themis_key_import does, except what is encrypted. */
int themis_key_reading_new(const uint8_t *text,
                           size_t text_len,
                           int pem,
                           const uint8_t *passphrase,
                           size_t passphrase_len,
                           themis_key_reading **out,
                           const char **why);
void themis_key_reading_free(themis_key_reading *reading);

/* Does this many iterations at most (THEMIS_STRETCH_SLICE); *left tells how many are to be done
 * yet: none, if the key is not encrypted. */
int themis_key_reading_work(themis_key_reading *reading, uint32_t most, uint32_t *left);

/* When none are left, once; INVALID_PARAMETER without a text if some are. */
int themis_key_reading_finish(themis_key_reading *reading, themis_blob **out, const char **why);

/* ---- Memory of the caller ---- */

/* Whether two pieces of memory have a byte in common. */
int themis_overlap(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* Fills memory that held a secret with zeros. */
void themis_wipe(uint8_t *data, size_t data_len);

/* ---- Secrets in guarded memory ----
 *
 * Guarded pages are read-only, locked into memory and left out of core dumps where the system does
 * that, and wiped when they are freed. Threads may share a secret. */

enum {
    THEMIS_SECRET_MAX = 16384,     /* bytes of a secret; a key has fewer */
    THEMIS_SECRET_TEXT_MAX = 4096, /* bytes of a file, a variable, a line that holds one */
    THEMIS_RAW = 0,
    THEMIS_HEX = 1,
    THEMIS_BASE64 = 2
};

typedef struct themis_secret themis_secret;

/* A secret of random bytes, or a copy of what the caller has: 1 to THEMIS_SECRET_MAX bytes. */
int themis_secret_random(size_t size, themis_secret **out);
int themis_secret_new(const uint8_t *data, size_t data_len, themis_secret **out);
void themis_secret_free(themis_secret *secret);

const uint8_t *themis_secret_data(const themis_secret *secret);
size_t themis_secret_size(const themis_secret *secret);

/* Whether the pages are locked. They are locked again: a child of a fork inherits no locks. */
int themis_secret_lock(themis_secret *secret);

/* Whether two secrets are the same, in time that depends on their sizes alone. */
int themis_secret_equal(const themis_secret *a, const themis_secret *b);

/* What a secret is decoded from, read into guarded memory. */
typedef struct themis_secret_text themis_secret_text;

int themis_secret_text_new(themis_secret_text **out);
void themis_secret_text_free(themis_secret_text *text);

/* Asks the system once for what a descriptor has; to be repeated until *ended. `line`: whether it
 * ends with a line, whose end is not kept. FAIL: errno says why. */
int themis_secret_text_read(themis_secret_text *text, int fd, int line, int *ended);

/* Copies a variable of the environment. FAIL: there is none. No other thread may change the
 * environment meanwhile, here and below. */
int themis_secret_text_variable(themis_secret_text *text, const char *name);

/* Wipes the value of a variable in the environment. */
void themis_variable_wipe(const char *name);

/* The secret in a text, of which one line end at its end is no part unless it is THEMIS_RAW.
 * INVALID_PARAMETER: *why is a static text of what is wrong with it, as in "the file ...". */
int themis_secret_text_decode(const themis_secret_text *text,
                              int encoding,
                              themis_secret **out,
                              const char **why);

/* ---- Secure Cell with a key (specification, section 3) ----
 *
 * Messages have 1 to 2^32-1 bytes; contexts any number. Threads may share a cell.
 *
 * A message may be exactly where its result is written (with Seal, after the token); no other input
 * may overlap an output. */

enum {
    THEMIS_CELL_TOKEN_SIZE = 44,               /* what Seal adds, and the token of Token Protect */
    THEMIS_PASSPHRASE_TOKEN_SIZE = 70,         /* what Seal with a passphrase adds when it writes */
    THEMIS_PASSPHRASE_ITERATIONS = 314110,     /* what it writes unless told otherwise */
    THEMIS_PASSPHRASE_MIN_ITERATIONS = 200000, /* what it reads unless told otherwise */
    THEMIS_PASSPHRASE_MAX_ITERATIONS = 5000000,
    THEMIS_PASSPHRASE_ITERATIONS_LIMIT = 0x7FFFFFFF /* what the format allows */
};

#define THEMIS_CELL_MESSAGE_MAX 0xFFFFFFFF

typedef struct themis_cell themis_cell;

/* compat_096: whether cells written by Themis 0.9.6 on 64-bit machines are read too. */
int themis_cell_new(const uint8_t *key, size_t key_len, int compat_096, themis_cell **out);
void themis_cell_free(themis_cell *cell);

/* Seal: `sealed` takes message_len + THEMIS_CELL_TOKEN_SIZE bytes. */
int themis_cell_seal(themis_cell *cell,
                     const uint8_t *message,
                     size_t message_len,
                     const uint8_t *context,
                     size_t context_len,
                     uint8_t *sealed,
                     size_t sealed_len);

/* Seal, reading: `message` takes sealed_len - THEMIS_CELL_TOKEN_SIZE bytes.
 * INVALID_PARAMETER: not a cell of this kind. FAIL: wrong key or context, or damaged data. */
int themis_cell_unseal(themis_cell *cell,
                       const uint8_t *sealed,
                       size_t sealed_len,
                       const uint8_t *context,
                       size_t context_len,
                       uint8_t *message,
                       size_t message_len);

/* Token Protect: `encrypted` takes message_len bytes. */
int themis_cell_protect(themis_cell *cell,
                        const uint8_t *message,
                        size_t message_len,
                        const uint8_t *context,
                        size_t context_len,
                        uint8_t *encrypted,
                        size_t encrypted_len,
                        uint8_t token[THEMIS_CELL_TOKEN_SIZE]);

/* Token Protect, reading: `token` has at least THEMIS_CELL_TOKEN_SIZE bytes, `message` takes
 * encrypted_len. Answers as themis_cell_unseal does. */
int themis_cell_unprotect(themis_cell *cell,
                          const uint8_t *encrypted,
                          size_t encrypted_len,
                          const uint8_t *token,
                          const uint8_t *context,
                          size_t context_len,
                          uint8_t *message,
                          size_t message_len);

/* Context Imprint, both directions: `out` takes data_len bytes. The context is not empty. */
int themis_cell_imprint(themis_cell *cell,
                        const uint8_t *data,
                        size_t data_len,
                        const uint8_t *context,
                        size_t context_len,
                        uint8_t *out,
                        size_t out_len);

enum { THEMIS_CELL_SEAL = 1, THEMIS_CELL_UNSEAL = 2, THEMIS_CELL_IMPRINT = 3 };

/* One of these operations on `count` items, each in its place in the buffer. The items follow
 * one another: a message, and with Seal a token (or room for it) before it. Their contexts follow
 * one another as well; NULL means none. sizes: of the `count` messages, then of as many contexts
 * unless there are none. On failure *failed is the index of the first item that was refused, and
 * the buffer is wiped. */
int themis_cell_many(themis_cell *cell,
                     int operation,
                     uint8_t *buffer,
                     size_t buffer_len,
                     const uint8_t *contexts,
                     size_t contexts_len,
                     const size_t *sizes,
                     size_t count,
                     size_t *failed);

/* ---- Keyrings and stored values (formats, section 9) ----
 *
 * A ring never changes: each change makes another one, of the next version. Threads may share it.
 * Where a ring or a change is refused with INVALID_PARAMETER, *why is a static text about it; NULL
 * after any other answer. */

enum {
    THEMIS_RING_ID_SIZE = 5,
    THEMIS_RING_PREFIX_SIZE = 8,        /* what a stored value begins with: "TK1" and a key's id */
    THEMIS_RING_OVERHEAD = 52,          /* what a stored value adds to its message */
    THEMIS_RING_KEY_SIZE = 32,          /* of a key */
    THEMIS_RING_LEGACY_MAX_SIZE = 1024, /* of a legacy key; at least 1 */
    THEMIS_RING_KEYS_MAX = 256,
    THEMIS_RING_LEGACY_MAX = 64,
    THEMIS_RING_NAME_MAX = 64,
    THEMIS_RING_PAYLOAD_MAX = 262144,
    THEMIS_RING_PIN_SIZE = 16,
    THEMIS_RING_INDEX_SIZE = 32 /* of a blind index of 256 bits */
};

typedef struct themis_ring themis_ring;

/* A ring of version 0 that has no keys yet. INVALID_PARAMETER: this is not a ring's name. */
int themis_ring_new(const uint8_t *name, size_t name_len, themis_ring **out);

/* A ring from its payload. */
int themis_ring_read(const uint8_t *payload,
                     size_t payload_len,
                     themis_ring **out,
                     const char **why);
void themis_ring_free(themis_ring *ring);

/* Its payload, which holds all keys and lives as long as the ring; NULL if it has no keys. */
const uint8_t *themis_ring_payload(const themis_ring *ring, size_t *payload_len);

/* Its name, which lives as long as the ring. */
const uint8_t *themis_ring_name(const themis_ring *ring, size_t *name_len);
uint64_t themis_ring_version(const themis_ring *ring);
size_t themis_ring_legacy_count(const themis_ring *ring);

enum { THEMIS_RING_RETIRED = 1, THEMIS_RING_ACTIVE = 2, THEMIS_RING_PRIMARY = 3 };

/* The key with this index, the newest last; one of these constants, or 0 if there is no such key.
 * created: in unix seconds. */
int themis_ring_key(const themis_ring *ring,
                    size_t index,
                    uint8_t id[THEMIS_RING_ID_SIZE],
                    uint64_t *created);

/* The key with this index, for files; legacy keys follow the others. INVALID_PARAMETER: there is no
 * such key. */
int themis_ring_secret(const themis_ring *ring, size_t index, themis_secret **out);

/* Whether the pages of its keys are locked, as in themis_secret_lock. */
int themis_ring_lock(themis_ring *ring);

/* What tells that a ring has a certain key, without telling the key. INVALID_PARAMETER: it has no
 * key with this id. */
int themis_ring_pin(const themis_ring *ring,
                    const uint8_t id[THEMIS_RING_ID_SIZE],
                    uint8_t pin[THEMIS_RING_PIN_SIZE]);

/* The blind index of a value under the key with this index (formats, section 10.4), of which
 * shorter ones are the beginning. names: the place of the column. INVALID_PARAMETER: no such key.
 */
int themis_ring_blind_index(const themis_ring *ring,
                            size_t index,
                            const uint8_t *names,
                            size_t names_len,
                            const uint8_t *data,
                            size_t data_len,
                            uint8_t out[THEMIS_RING_INDEX_SIZE]);

/* Adds a key under a new id; NULL: a new key. The first one is primary, the others are active. */
int themis_ring_add(const themis_ring *ring,
                    uint64_t created,
                    const uint8_t *key,
                    size_t key_len,
                    themis_ring **out,
                    const char **why);

/* Adds a key that reads bare cells. */
int themis_ring_add_legacy(const themis_ring *ring,
                           const uint8_t *key,
                           size_t key_len,
                           themis_ring **out,
                           const char **why);

enum {
    THEMIS_RING_PROMOTE = 1,    /* an active key: it becomes primary */
    THEMIS_RING_RETIRE = 2,     /* an active key that is not primary: it only reads */
    THEMIS_RING_REMOVE = 3,     /* a retired key */
    THEMIS_RING_DROP_LEGACY = 4 /* all legacy keys; the id is not looked at */
};

int themis_ring_change(const themis_ring *ring,
                       int change,
                       const uint8_t id[THEMIS_RING_ID_SIZE],
                       themis_ring **out,
                       const char **why);

/* Whether a program that uses one ring may go on with the other. FAIL: it may not; *why is a
 * static text about it. */
int themis_ring_follows(const themis_ring *before, const themis_ring *after, const char **why);

/* Stored values, under the primary key. Messages, contexts and places as for cells with a key, but
 * no context begins with "TSFILE1". `stored` takes message_len + THEMIS_RING_OVERHEAD bytes.
 * INVALID_PARAMETER: such a context, a message of an impossible length, or a ring without keys. */
int themis_ring_encrypt(themis_ring *ring,
                        const uint8_t *message,
                        size_t message_len,
                        const uint8_t *context,
                        size_t context_len,
                        uint8_t *stored,
                        size_t stored_len);

/* Reading: by the key that the prefix names, or, without a prefix, by the legacy keys. `message`
 * takes stored_len - THEMIS_RING_OVERHEAD bytes, without a prefix stored_len -
 * THEMIS_CELL_TOKEN_SIZE. INVALID_PARAMETER: not a stored value, or a context as above.
 * NOT_SUPPORTED: of a newer version. FAIL: no such key, wrong context, or damaged data. */
int themis_ring_decrypt(themis_ring *ring,
                        const uint8_t *stored,
                        size_t stored_len,
                        const uint8_t *context,
                        size_t context_len,
                        uint8_t *message,
                        size_t message_len);

/* Decrypts a value, and encrypts what was in it under the primary key; `rotated` takes as many
 * bytes as the value has, without a prefix THEMIS_RING_PREFIX_SIZE more, and overlaps no input. */
int themis_ring_rotate(themis_ring *ring,
                       const uint8_t *stored,
                       size_t stored_len,
                       const uint8_t *context,
                       size_t context_len,
                       uint8_t *rotated,
                       size_t rotated_len);

enum { THEMIS_RING_ENCRYPT = 1, THEMIS_RING_DECRYPT = 2 };

/* One of these operations on `count` items, each in its place in the buffer, as themis_cell_many
 * does it. sizes: of messages, before each of which is room of THEMIS_RING_OVERHEAD bytes; or of
 * stored values, whose messages are written at their end. Then those of the contexts. */
int themis_ring_many(themis_ring *ring,
                     int operation,
                     uint8_t *buffer,
                     size_t buffer_len,
                     const uint8_t *contexts,
                     size_t contexts_len,
                     const size_t *sizes,
                     size_t count,
                     size_t *failed);

/* ---- Columns (formats, sections 9 and 10) ----
 *
 * A column is what Arrow calls an array, or several one after another. It is read where it lies:
 * what a column was made of must stay as long as the column. Nothing in it is believed. Text and
 * bytes of all forms (offsets of 32 and 64 bits, views, fixed sizes), integers, UUIDs, dictionaries
 * of these. Integers and UUIDs count as the text of formats, section 10.1.
 *
 * Where something is refused, *why is a static text about it; NULL if the status says it all. */

typedef struct themis_column themis_column;

int themis_column_new(themis_column **out);
void themis_column_free(themis_column *column);

/* Adds an array: `schema` and `array` are a struct ArrowSchema and a struct ArrowArray of the Arrow
 * C data interface. They are not taken. */
int themis_column_add(themis_column *column,
                      const void *schema,
                      const void *array,
                      const char **why);

/* Adds all arrays of a struct ArrowArrayStream, which is taken and released. FAIL: the library that
 * it is of failed. */
int themis_column_add_stream(themis_column *column, void *stream, const char **why);

/* Adds values that lie one after another: `sizes` of them, where SIZE_MAX is no value.
 * INVALID_PARAMETER: there is less data, or more. */
int themis_column_add_values(themis_column *column,
                             int is_text,
                             const uint8_t *data,
                             size_t data_len,
                             const size_t *sizes,
                             size_t count,
                             const char **why);

#define THEMIS_COLUMN_ROWS_MAX 0xFFFFFFFF
#define THEMIS_COLUMN_PADDING_MAX 1048576
#define THEMIS_COLUMN_ID_PARTS_MAX 32

uint64_t themis_column_rows(const themis_column *column);

/* A value of text or bytes where it lies; NULL if it is null or damaged. */
const uint8_t *themis_column_peek(const themis_column *column, uint64_t row, size_t *size);

enum {
    THEMIS_COLUMN_ENCRYPT = 1, /* values become stored values, under the ring's primary key */
    THEMIS_COLUMN_DECRYPT = 2, /* stored values and bare cells become values */
    THEMIS_COLUMN_ROTATE = 3, /* stored values under other keys, and bare cells, are written anew */
    THEMIS_COLUMN_INDEX = 4   /* values become blind indexes, under a key of the ring */
};

typedef struct themis_column_job themis_column_job;
typedef struct themis_column_result themis_column_result;

/* One of these operations. The ring and the columns must stay as long as the job. */
int themis_column_job_new(themis_ring *ring,
                          int operation,
                          const themis_column *values,
                          themis_column_job **out);
void themis_column_job_free(themis_column_job *job);

/* One context for all rows; with `rows` it is the beginning of a place, to which each row adds its
 * id as the last part. That id may have more parts, each a column. */
int themis_column_job_context(themis_column_job *job,
                              const uint8_t *context,
                              size_t context_len,
                              const themis_column *rows);
/* The next part of the row ids. INVALID_PARAMETER: there is no first, or they have
 * THEMIS_COLUMN_ID_PARTS_MAX. */
int themis_column_job_id_part(themis_column_job *job, const themis_column *rows);
/* A context for each row. */
void themis_column_job_contexts(themis_column_job *job, const themis_column *contexts);

enum {
    THEMIS_COLUMN_BARE = 1,    /* 1: values have no frame */
    THEMIS_COLUMN_PADDING = 2, /* framed values are padded to a multiple of this; 0: they are not */
    THEMIS_COLUMN_TEXT = 3,    /* 1: what is decrypted must be UTF-8 */
    THEMIS_COLUMN_NULLS = 4,   /* 1: cells that are refused become null */
    THEMIS_COLUMN_KEY = 5,     /* of an index: the index of a key of the ring */
    THEMIS_COLUMN_BITS = 6     /* of an index: 8 to 256 */
};

int themis_column_job_option(themis_column_job *job, int option, uint64_t value);

/* Measures all values, makes room, and cuts the rows into parts. *failed: the row that is refused.
 */
int themis_column_job_begin(themis_column_job *job,
                            size_t *parts,
                            uint64_t *failed,
                            const char **why);

/* Works on one part, each once; several threads may work on different parts. */
int themis_column_job_part(themis_column_job *job, size_t part, uint64_t *failed, const char **why);

/* Gives the result after all parts succeeded; nothing but themis_column_job_free may follow. */
int themis_column_job_end(themis_column_job *job, themis_column_result **out);

/* Plaintexts are wiped once the result and all arrays that were made of it are freed. */
void themis_column_result_free(themis_column_result *result);
uint64_t themis_column_result_rows(const themis_column_result *result);
uint64_t themis_column_result_nulls(const themis_column_result *result);
/* Cells that became null because they were refused. */
uint64_t themis_column_result_refused(const themis_column_result *result);
/* All values one after another, as themis_column_add_values takes them; they live as long as the
 * result. `sizes` takes a size for each row: SIZE_MAX is no value. */
const uint8_t *themis_column_result_values(const themis_column_result *result, size_t *sizes);

/* The result as a struct ArrowSchema and a struct ArrowArray, which live by themselves; NULL: there
 * is no memory. Who takes their content sets their `release` to NULL. */
void *themis_column_result_schema(const themis_column_result *result);
void *themis_column_result_array(themis_column_result *result);
void themis_arrow_schema_free(void *schema);
void themis_arrow_array_free(void *array);

/* For capsules of Python that hold one of these: their names, their destructors, and
 * PyCapsule_GetPointer, which these call. */
const char *themis_arrow_schema_name(void);
const char *themis_arrow_array_name(void);
void themis_arrow_capsules(void *(*get_pointer)(void *capsule, const char *name));
void themis_arrow_schema_capsule_end(void *capsule);
void themis_arrow_array_capsule_end(void *capsule);

/* ---- Secure Cell with a passphrase (specification, section 3) ---- */

typedef struct themis_passphrase themis_passphrase;

/* iterations of PBKDF2: what is written, and the bounds on what is read.
 * 1 <= min_iterations <= iterations <= max_iterations <= THEMIS_PASSPHRASE_ITERATIONS_LIMIT. */
int themis_passphrase_new(const uint8_t *passphrase,
                          size_t passphrase_len,
                          uint32_t iterations,
                          uint32_t min_iterations,
                          uint32_t max_iterations,
                          themis_passphrase **out);
void themis_passphrase_free(themis_passphrase *passphrase);

/* Seal: `sealed` takes message_len + THEMIS_PASSPHRASE_TOKEN_SIZE bytes. */
int themis_passphrase_seal(const themis_passphrase *passphrase,
                           const uint8_t *message,
                           size_t message_len,
                           const uint8_t *context,
                           size_t context_len,
                           uint8_t *sealed,
                           size_t sealed_len);

/* The length of the message inside, as far as the header tells: INVALID_PARAMETER if this is not
 * such a cell, NOT_SUPPORTED if its iterations are outside the bounds. */
int themis_passphrase_message_size(const themis_passphrase *passphrase,
                                   const uint8_t *sealed,
                                   size_t sealed_len,
                                   size_t *message_len);

/* Why a cell is NOT_SUPPORTED: its iterations (0 if this is not such a cell), then min_iterations
 * and max_iterations of this object. */
void themis_passphrase_bounds(const themis_passphrase *passphrase,
                              const uint8_t *sealed,
                              size_t sealed_len,
                              uint32_t bounds[3]);

/* Seal, reading: `message` takes the message_len bytes that themis_passphrase_message_size said.
 * INVALID_PARAMETER if the header says otherwise by now: memory can be shared. */
int themis_passphrase_unseal(const themis_passphrase *passphrase,
                             const uint8_t *sealed,
                             size_t sealed_len,
                             const uint8_t *context,
                             size_t context_len,
                             uint8_t *message,
                             size_t message_len);

/* The same in steps, for callers that must not block for long: the work between a passphrase and
 * its key is done in slices, and a caller may stop between any two. One thread at a time. */

enum { THEMIS_STRETCH_SLICE = 32768 }; /* iterations; some milliseconds */

typedef struct themis_stretch themis_stretch;

/* For one new cell, or for reading this one, whose header is judged: answers as
 * themis_passphrase_message_size does. */
int themis_stretch_to_seal(const themis_passphrase *passphrase, themis_stretch **out);
int themis_stretch_to_unseal(const themis_passphrase *passphrase,
                             const uint8_t *sealed,
                             size_t sealed_len,
                             themis_stretch **out);
void themis_stretch_free(themis_stretch *stretch);

/* Does this many iterations at most; *left tells how many are to be done yet. */
int themis_stretch_work(themis_stretch *stretch, uint32_t most, uint32_t *left);

/* When none are left: as the functions above without `stretched`. INVALID_PARAMETER if some are,
 * or if the work was for the other direction. */
int themis_stretched_seal(const themis_stretch *stretch,
                          const uint8_t *message,
                          size_t message_len,
                          const uint8_t *context,
                          size_t context_len,
                          uint8_t *sealed,
                          size_t sealed_len);
int themis_stretched_unseal(const themis_passphrase *passphrase,
                            const themis_stretch *stretch,
                            const uint8_t *sealed,
                            size_t sealed_len,
                            const uint8_t *context,
                            size_t context_len,
                            uint8_t *message,
                            size_t message_len);

/* ---- One Seal cell in pieces (specification, section 3) ----
 *
 * For messages that need not fit into memory: a cell as above. In a file the token, whose tag is
 * known last, comes first. */

typedef struct themis_cell_writer themis_cell_writer;

/* Starts a cell for a message of exactly this length. */
int themis_cell_writer_new(themis_cell *cell,
                           size_t message_len,
                           const uint8_t *context,
                           size_t context_len,
                           themis_cell_writer **out);
int themis_stretched_writer(const themis_stretch *stretch,
                            size_t message_len,
                            const uint8_t *context,
                            size_t context_len,
                            themis_cell_writer **out);
void themis_cell_writer_free(themis_cell_writer *writer);

/* The next data_len bytes of the message, a multiple of 16 unless they are the last; `encrypted`
 * takes as many. INVALID_PARAMETER: more than the message has. One thread at a time. */
int themis_cell_writer_part(themis_cell_writer *writer,
                            const uint8_t *data,
                            size_t data_len,
                            uint8_t *encrypted,
                            size_t encrypted_len);

/* Once after the last part: what precedes the ciphertext, THEMIS_CELL_TOKEN_SIZE bytes, or
 * THEMIS_PASSPHRASE_TOKEN_SIZE where there is a passphrase. INVALID_PARAMETER: the message is not
 * complete. */
int themis_cell_writer_finish(themis_cell_writer *writer, uint8_t *token, size_t token_len);

/* Reading: the ciphertext is first taken as a whole, which verifies it. Each piece of
 * THEMIS_CELL_PIECE_SIZE bytes is remembered by a tag under a random key of this reader, so a piece
 * that is read later, from a file that may have changed, is decrypted only if it is the same. */

enum {
    THEMIS_CELL_PIECE_SIZE = 16384,
    THEMIS_PASSPHRASE_TOKEN_MAX = 65589 /* of a cell with the longest salt */
};

typedef struct themis_cell_reader themis_cell_reader;

/* `token` is the start of a cell of sealed_len bytes. INVALID_PARAMETER: not a cell of this kind,
 * or of another length. NOT_SUPPORTED: it has a shorter key than 256 bits. */
int themis_cell_reader_new(const themis_cell *cell,
                           const uint8_t token[THEMIS_CELL_TOKEN_SIZE],
                           uint64_t sealed_len,
                           const uint8_t *context,
                           size_t context_len,
                           themis_cell_reader **out);

/* The same with a passphrase: `start` has THEMIS_PASSPHRASE_TOKEN_MAX bytes of the cell, or all of
 * a shorter one. Answers otherwise as themis_stretch_to_unseal does. */
int themis_stretch_to_read(const themis_passphrase *passphrase,
                           const uint8_t *start,
                           size_t start_len,
                           uint64_t sealed_len,
                           themis_stretch **out);
int themis_stretched_reader(const themis_stretch *stretch,
                            const uint8_t *start,
                            size_t start_len,
                            uint64_t sealed_len,
                            const uint8_t *context,
                            size_t context_len,
                            themis_cell_reader **out);
void themis_cell_reader_free(themis_cell_reader *reader);

/* The bytes of the message, which are the last ones of the cell. */
size_t themis_cell_reader_size(const themis_cell_reader *reader);

/* Takes the next bytes of the ciphertext: whole pieces, unless they are the last bytes. One thread
 * at a time. FAIL, at the last one: wrong key or context, or damaged data; the reader is of no use
 * then. */
int themis_cell_reader_take(themis_cell_reader *reader, const uint8_t *data, size_t data_len);

/* After all was taken, from any thread: bytes `skip` to skip + out_len of the ciphertext in `data`,
 * which are the pieces from number `piece` on, whole but for the last of all. None may be written
 * to `out` where the data is. FAIL: it is not what was verified. */
int themis_cell_reader_read(themis_cell_reader *reader,
                            size_t piece,
                            const uint8_t *data,
                            size_t data_len,
                            size_t skip,
                            uint8_t *out,
                            size_t out_len);

/* ---- Secure Message (specification, section 4) ----
 *
 * Messages have 1 to 2^32-1 bytes. Threads may share what is made here from keys.
 * Wrong keys are refused as above.
 */

/* What a message says it is. */
enum {
    THEMIS_MESSAGE_UNKNOWN = 0,
    THEMIS_MESSAGE_EC_SIGNED = 0x26042620,
    THEMIS_MESSAGE_RSA_SIGNED = 0x26042610,
    THEMIS_MESSAGE_EC_ENCRYPTED = 0x26042720,
    THEMIS_MESSAGE_RSA_ENCRYPTED = 0x26042710
};

/* One of the constants above. */
int themis_message_type(const uint8_t *message, size_t message_len);

/* A signed message is a header, the message, and a signature after it. */
enum { THEMIS_SIGNED_HEADER_SIZE = 12 };

typedef struct themis_signer themis_signer;

int themis_signer_new(const uint8_t *private_key, size_t private_key_len, themis_signer **out);
void themis_signer_free(themis_signer *signer);

/* The most bytes that a signature can have; those of EC keys vary in length. */
size_t themis_signer_signature_max(const themis_signer *signer);

/* Makes what precedes and follows a message. `signature` takes themis_signer_signature_max
 * bytes: *signature_len is the room, and then how many were written. */
int themis_signer_sign(const themis_signer *signer,
                       const uint8_t *message,
                       size_t message_len,
                       uint8_t header[THEMIS_SIGNED_HEADER_SIZE],
                       uint8_t *signature,
                       size_t *signature_len);

typedef struct themis_verifier themis_verifier;

int themis_verifier_new(const uint8_t *public_key, size_t public_key_len, themis_verifier **out);
void themis_verifier_free(themis_verifier *verifier);

/* The type of the messages that it reads. */
int themis_verifier_type(const themis_verifier *verifier);

/* Checks a signed message: the *message_len bytes after the header are what was signed.
 * INVALID_PARAMETER: not a signed message for this kind of key. INVALID_SIGNATURE:
 * another key signed it, or it is corrupted. */
int themis_verifier_verify(const themis_verifier *verifier,
                           const uint8_t *signed_message,
                           size_t signed_message_len,
                           size_t *message_len);

typedef struct themis_message themis_message;

/* Our private and the peer's public key, of one kind and (EC) on one curve. */
int themis_message_new(const uint8_t *private_key,
                       size_t private_key_len,
                       const uint8_t *public_key,
                       size_t public_key_len,
                       themis_message **out);
void themis_message_free(themis_message *message);

/* The type of the messages that it reads and writes. */
int themis_message_own_type(const themis_message *message);

/* How much longer than the message its encrypted form is: the one that we write, and the one that
 * we can read. (With RSA keys of different sizes they differ.) */
size_t themis_message_wrap_growth(const themis_message *message);
size_t themis_message_unwrap_growth(const themis_message *message);

/* `wrapped` takes data_len + themis_message_wrap_growth bytes. */
int themis_message_wrap(themis_message *message,
                        const uint8_t *data,
                        size_t data_len,
                        uint8_t *wrapped,
                        size_t wrapped_len);

/* `data` takes wrapped_len - themis_message_unwrap_growth bytes. INVALID_PARAMETER: not an
 * encrypted message for this kind of key. FAIL: other keys, or damaged data. */
int themis_message_unwrap(themis_message *message,
                          const uint8_t *wrapped,
                          size_t wrapped_len,
                          uint8_t *data,
                          size_t data_len);

/* ---- Sealed files (FORMATS, section 8) ----
 *
 * The header's slots give the file key to their holders; chunks follow it, each a piece of the
 * content. A handle holds the file key, which never leaves it but for services. Once it has one it
 * does not change, and threads may share it.
 */

enum {
    THEMIS_SEALED_START_SIZE = 14, /* of the header, which tell how long it is */
    THEMIS_SEALED_MAC_SIZE = 32,   /* after the header */
    THEMIS_SEALED_SLOTS_MAX = 255,
    THEMIS_SEALED_SLOTS_MAX_SIZE = 262144,
    THEMIS_SEALED_SLOT_START_SIZE = 4, /* kind, and the lengths of id and body */
    THEMIS_SEALED_LOG2_MIN = 12,       /* a piece has 2^12 to 2^24 bytes */
    THEMIS_SEALED_LOG2_MAX = 24,
    THEMIS_SEALED_LAST_MIN = 8,      /* bytes that the last piece has at least */
    THEMIS_SEALED_KEY_MIN_SIZE = 16, /* of a key that a slot is made for */
    THEMIS_SEALED_KEY_ID_SIZE = 5,
    THEMIS_SEALED_NAME_SIZE = 8, /* of a public key */
    THEMIS_SEALED_PUBLIC_SIZE = 45,
    THEMIS_SEALED_DIGEST_SIZE = 32,
    THEMIS_SEALED_PLAIN_SIZE = 64 /* what services encrypt: digest of the context, file key */
};

/* Kinds of slots; those above are of later versions. */
enum {
    THEMIS_SEALED_KEY = 1,
    THEMIS_SEALED_PASSPHRASE = 2,
    THEMIS_SEALED_RECIPIENT = 3,
    THEMIS_SEALED_SENDER = 4,
    THEMIS_SEALED_SERVICE = 5
};

/* The bytes of slots, with their start and an id. */
enum {
    THEMIS_SEALED_KEY_SLOT_SIZE = 85, /* 80 without an id */
    THEMIS_SEALED_PASSPHRASE_SLOT_SIZE = 106,
    THEMIS_SEALED_RECIPIENT_SLOT_SIZE = 141, /* 133 if hidden */
    THEMIS_SEALED_SENDER_SLOT_SIZE = 166
};

typedef struct themis_sealed themis_sealed;

/* How many bytes header and mac have, from the first bytes of a file. INVALID_PARAMETER: no sealed
 * file. DATA_CORRUPT: it breaks a rule of the format. NOT_SUPPORTED: of a later version. *why is a
 * static text, NULL where the status says it all. */
int themis_sealed_size(const uint8_t *start, size_t start_len, size_t *size, const char **why);

/* For reading: takes a copy of header and mac, and checks all that needs no key; answers as the
 * function above. *slot is the number of the slot that breaks a rule, counted from 1, or 0. */
int themis_sealed_read(const uint8_t *head,
                       size_t head_len,
                       const uint8_t *context,
                       size_t context_len,
                       themis_sealed **out,
                       const char **why,
                       size_t *slot);

/* For writing: draws the key of a new file with pieces of 2^log2 bytes. */
int themis_sealed_new(int log2, const uint8_t *context, size_t context_len, themis_sealed **out);

/* For another header of the file that was opened: the same key, maybe another context. */
int themis_sealed_again(const themis_sealed *sealed,
                        const uint8_t *context,
                        size_t context_len,
                        themis_sealed **out);
void themis_sealed_free(themis_sealed *sealed);

int themis_sealed_log2(const themis_sealed *sealed);

/* How many slots the header has that was read, and what one of them is, from index 0 on: its kind,
 * where its id begins in the header, the length of the id and of the body that follows it, and the
 * iterations of a passphrase slot. */
size_t themis_sealed_count(const themis_sealed *sealed);
int themis_sealed_describe(const themis_sealed *sealed, size_t index, uint32_t fields[5]);

/* The digest of the context that the file is bound to. */
void themis_sealed_digest(const themis_sealed *sealed, uint8_t digest[THEMIS_SEALED_DIGEST_SIZE]);

/* The name and the compressed form of a key on P-256, or of its public half. INVALID_PARAMETER or
 * DATA_CORRUPT: no such key. */
int themis_sealed_name(const uint8_t *key,
                       size_t key_len,
                       uint8_t name[THEMIS_SEALED_NAME_SIZE],
                       uint8_t public_key[THEMIS_SEALED_PUBLIC_SIZE]);

/* These try to open the slot at an index, one thread at a time. SUCCESS: the handle has the file
 * key now. FAIL: wrong key or context, or damaged; the next may be tried. INVALID_PARAMETER: not a
 * slot of this kind, or the handle has a key already. */
int themis_sealed_open_key(themis_sealed *sealed, size_t index, const uint8_t *key, size_t key_len);
int themis_sealed_open_recipient(themis_sealed *sealed,
                                 size_t index,
                                 const uint8_t *private_key,
                                 size_t private_key_len);
int themis_sealed_open_sender(themis_sealed *sealed,
                              size_t index,
                              const uint8_t *private_key,
                              size_t private_key_len,
                              const uint8_t *sender,
                              size_t sender_len);
/* `plain` is what the service decrypted. */
int themis_sealed_open_service(themis_sealed *sealed,
                               size_t index,
                               const uint8_t *plain,
                               size_t plain_len);

/* A passphrase for slots of this file. iterations: of what is written, 314110 at least; 0: it is
 * for reading. A slot is made after themis_stretch_to_seal and the work, and tried after
 * themis_sealed_stretch and the work. */
int themis_sealed_passphrase(const themis_sealed *sealed,
                             const uint8_t *passphrase,
                             size_t passphrase_len,
                             uint32_t iterations,
                             themis_passphrase **out);
int themis_sealed_stretch(const themis_sealed *sealed,
                          size_t index,
                          const themis_passphrase *passphrase,
                          themis_stretch **out);
int themis_sealed_open_passphrase(themis_sealed *sealed,
                                  size_t index,
                                  const themis_passphrase *passphrase,
                                  const themis_stretch *stretch);

/* These make slots. An id of a key has no or 5 bytes; a key has 16 or more. */
int themis_sealed_key_slot(const themis_sealed *sealed,
                           const uint8_t *key,
                           size_t key_len,
                           const uint8_t *id,
                           size_t id_len,
                           uint8_t *slot,
                           size_t slot_len);
int themis_sealed_passphrase_slot(const themis_sealed *sealed,
                                  const themis_stretch *stretch,
                                  uint8_t *slot,
                                  size_t slot_len);
/* hidden: the slot does not name its recipient. */
int themis_sealed_recipient_slot(const themis_sealed *sealed,
                                 const uint8_t *public_key,
                                 size_t public_key_len,
                                 int hidden,
                                 uint8_t *slot,
                                 size_t slot_len);
/* INVALID_PARAMETER, too, if the key of the file was not drawn for this handle. */
int themis_sealed_sender_slot(const themis_sealed *sealed,
                              const uint8_t *private_key,
                              size_t private_key_len,
                              const uint8_t *recipient,
                              size_t recipient_len,
                              uint8_t *slot,
                              size_t slot_len);
/* What a service is to encrypt: a secret, which the caller wipes. */
int themis_sealed_plain(const themis_sealed *sealed, uint8_t plain[THEMIS_SEALED_PLAIN_SIZE]);

/* Checks a header that was put together, as a reader would, and makes its mac; answers as
 * themis_sealed_read does. */
int themis_sealed_mac(const themis_sealed *sealed,
                      const uint8_t *head,
                      size_t head_len,
                      uint8_t mac[THEMIS_SEALED_MAC_SIZE],
                      const char **why,
                      size_t *slot);

/* Encrypts pieces that follow one another, from this number on; is_last: the last of them is the
 * last of the file, and may be shorter, THEMIS_SEALED_LAST_MIN bytes at least. `chunks` takes
 * THEMIS_CELL_TOKEN_SIZE bytes more for each. */
int themis_sealed_encrypt(themis_sealed *sealed,
                          uint64_t number,
                          int is_last,
                          const uint8_t *pieces,
                          size_t pieces_len,
                          uint8_t *chunks,
                          size_t chunks_len);

/* The reverse. FAIL: damaged, not of this file or not at this place; `pieces` is wiped then.
 * INVALID_PARAMETER: not whole chunks. */
int themis_sealed_decrypt(themis_sealed *sealed,
                          uint64_t number,
                          int is_last,
                          const uint8_t *chunks,
                          size_t chunks_len,
                          uint8_t *pieces,
                          size_t pieces_len);

/* With how many zeros these bytes end. */
size_t themis_sealed_zeros(const uint8_t *data, size_t data_len);

/* ---- Secure Session (specification, section 5) ----
 *
 * A session changes with every call: one thread at a time. A refused message leaves it as it was.
 * In wrapping and unwrapping, the message may lie exactly where its encrypted bytes are.
 */

enum {
    THEMIS_SESSION_OVERHEAD = 52,       /* what wrapping adds to a message */
    THEMIS_SESSION_PAYLOAD_OFFSET = 36, /* where in what was wrapped the message's bytes are */
    THEMIS_SESSION_WINDOW = 8, /* how far before the newest number messages are still accepted */
    THEMIS_SESSION_WINDOW_ONCE = 1024, /* the same where every number is read once */
    THEMIS_SESSION_MAX_AGE = 86400     /* seconds between the writer's clock and the reader's */
};

#define THEMIS_SESSION_MESSAGE_MAX 0xFFFFFFF3 /* 2^32-13: the length field counts 12 bytes more */

/* The state machine. A client goes idle, 2, 4, established; a server idle, 3, established. */
enum {
    THEMIS_SESSION_IDLE = 0,
    THEMIS_SESSION_WAITING_FOR_2 = 1,
    THEMIS_SESSION_WAITING_FOR_3 = 2,
    THEMIS_SESSION_WAITING_FOR_4 = 3,
    THEMIS_SESSION_ESTABLISHED = 4,
    THEMIS_SESSION_FAILED = 5 /* the cryptographic library failed over a message; keys are wiped */
};

typedef struct themis_session themis_session;

/* Options of a session, added up. */
enum {
    THEMIS_SESSION_REJECT_DUPLICATES = 1,  /* each message is read once only */
    THEMIS_SESSION_ALLOW_OWN_IDENTITY = 2, /* a peer with our id and our key is no reflection */
    THEMIS_SESSION_OPTIONS = 3             /* all of them */
};

/* id: 1 byte or more, ours. private_key: EC, ours; NOT_SUPPORTED if it is RSA. */
int themis_session_new(const uint8_t *id,
                       size_t id_len,
                       const uint8_t *private_key,
                       size_t private_key_len,
                       int options,
                       themis_session **out);
void themis_session_free(themis_session *session);

/* One of THEMIS_SESSION_IDLE to THEMIS_SESSION_FAILED. */
int themis_session_state(const themis_session *session);

/* The peer's id, *id_len bytes that live as long as the session; NULL before it is established. */
const uint8_t *themis_session_remote_id(const themis_session *session, size_t *id_len);

/* Why the last call on a session that was refused in this thread was, in words; a static text. */
const char *themis_session_refusal(void);

/* Where a first or second negotiation message claims its writer's id, before anything proves it.
 * INVALID_PARAMETER: this is no such message. DATA_CORRUPT: its checksum is wrong. */
int themis_session_claimed_peer(const uint8_t *message,
                                size_t message_len,
                                size_t *id_offset,
                                size_t *id_len);

/* The most bytes that a negotiation message of this session takes. The two functions below are
 * told how many there are, and tell how many they wrote, in the same place; where there are too
 * few they answer BUFFER_TOO_SMALL. */
size_t themis_session_negotiation_size(const themis_session *session);

/* The client's first message, into the *out_len bytes at `out`. */
int themis_session_connect_request(themis_session *session, uint8_t *out, size_t *out_len);

/* Takes the negotiation message that the session waits for. peer_key: the public key of the id
 * that the message claims; where themis_session_claimed_peer finds none, it is not looked at.
 * SEND_OUTPUT_TO_PEER: `reply` has *reply_len bytes to send. SUCCESS: negotiation is over and
 * nothing is to be sent. */
int themis_session_negotiate(themis_session *session,
                             const uint8_t *message,
                             size_t message_len,
                             const uint8_t *peer_key,
                             size_t peer_key_len,
                             uint8_t *reply,
                             size_t *reply_len);

/* Messages of 1 to THEMIS_SESSION_MESSAGE_MAX bytes; `now` is the time in unix seconds.
 * SSESSION_KA_NOT_FINISHED: the session is not established. NOT_SUPPORTED: it is used up in this
 * direction, after 2^32 messages written or (with REJECT_DUPLICATES) 2^31 read.
 * `wrapped` takes message_len + THEMIS_SESSION_OVERHEAD bytes. */
int themis_session_wrap(themis_session *session,
                        uint64_t now,
                        const uint8_t *message,
                        size_t message_len,
                        uint8_t *wrapped,
                        size_t wrapped_len);

/* `message` takes wrapped_len - THEMIS_SESSION_OVERHEAD bytes. */
int themis_session_unwrap(themis_session *session,
                          uint64_t now,
                          const uint8_t *wrapped,
                          size_t wrapped_len,
                          uint8_t *message,
                          size_t message_len);

/* ---- Secure Comparator (specification, section 6) ----
 *
 * One object is one side of one comparison. Alice begins; both then hand every message that
 * arrives to themis_comparator_proceed and send its reply, until nothing is expected any more.
 * What fails inside ends the comparison with NO_MATCH; what is called at the wrong time is
 * INVALID_PARAMETER and changes nothing. One thread at a time. */

enum {
    THEMIS_COMPARATOR_NOT_READY = 0,
    THEMIS_COMPARATOR_MATCH = 21,
    THEMIS_COMPARATOR_NO_MATCH = 22
};

enum { THEMIS_COMPARATOR_FIRST_SIZE = 192 }; /* the message that begins a comparison */

typedef struct themis_comparator themis_comparator;

int themis_comparator_new(themis_comparator **out);
void themis_comparator_free(themis_comparator *comparator);

/* Adds a piece of at least one byte to the secret, of which only a digest is kept. Before the
 * comparison starts. */
int themis_comparator_append(themis_comparator *comparator,
                             const uint8_t *secret,
                             size_t secret_len);

/* Starts as Alice, with the message to send. */
int themis_comparator_begin(themis_comparator *comparator,
                            uint8_t message[THEMIS_COMPARATOR_FIRST_SIZE]);

/* The size of the message that is expected now, and of the reply to it; both are 0 when the
 * comparison is over, the reply's also for the last message. */
size_t themis_comparator_expected_size(const themis_comparator *comparator);
size_t themis_comparator_reply_size(const themis_comparator *comparator);

/* Takes the peer's message; `reply` takes themis_comparator_reply_size bytes.
 * INVALID_PARAMETER: not a message of the expected size, or with something else for points. */
int themis_comparator_proceed(themis_comparator *comparator,
                              const uint8_t *message,
                              size_t message_len,
                              uint8_t *reply,
                              size_t reply_len);

/* One of the THEMIS_COMPARATOR_ results; it never changes once it is not NOT_READY. NO_MATCH may
 * come before the exchange is over, which nevertheless continues to its end. */
int themis_comparator_result(const themis_comparator *comparator);

/* cffi: end */

/* ---- For callers that hold a lock, such as Python's GIL: neither of these waits for another ----
 *
 * Where they say that they would, the caller gives its lock back, and calls what may wait. */

/* Draws ahead for this thread, so that its next function that draws `size` bytes for others to see
 * (12 in a cell, 16 in a message of a session) takes no lock; whether that is so. */
int themis_random_ready(size_t size);

/* themis_symmetric_key; if it would wait, it sets *would_wait and does nothing. */
int themis_symmetric_key_at_once(uint8_t key[THEMIS_SYMMETRIC_KEY_SIZE], int *would_wait);

/* ---- Hooks for tests: known answers of what lies beneath, and sessions without chance ----
 *
 * Builds for development have them (PYTHEMIS_TESTING=1), and no release has. */
#ifdef THEMIS_TESTING

/* cffi testing: begin */

/* The Soter KDF with out_len <= 32. key_len 0 means the implicit key. The contexts come as one
 * run of bytes, each as u32le length || bytes. */
int themis_testing_kdf(const uint8_t *key,
                       size_t key_len,
                       const uint8_t *label,
                       size_t label_len,
                       const uint8_t *contexts,
                       size_t contexts_len,
                       uint8_t *out,
                       size_t out_len);

/* Turns 12 free bytes and a payload after them into a Soter container. */
int themis_testing_container_write(uint8_t *container, size_t container_len, const char *tag);

/* Whether these bytes begin with a sound container of this tag; *payload_len is its payload's. */
int themis_testing_container_read(const uint8_t *container,
                                  size_t container_len,
                                  const char *tag,
                                  size_t *payload_len);

enum { THEMIS_TESTING_SESSION_SECRETS_SIZE = 108 };

/* What a session derives: sid (4) || master key (32) || client key (32) || server key (32) ||
 * client's first number u32be || server's first number u32be. The ephemeral keys are containers of
 * P-256; ids as themis_session_new takes them. */
int themis_testing_session_secrets(const uint8_t *private_ephemeral,
                                   size_t private_ephemeral_len,
                                   int is_client,
                                   const uint8_t *peer_ephemeral,
                                   size_t peer_ephemeral_len,
                                   const uint8_t *client_id,
                                   size_t client_id_len,
                                   const uint8_t *server_id,
                                   size_t server_id_len,
                                   uint8_t out[THEMIS_TESTING_SESSION_SECRETS_SIZE]);

/* Gives an idle session the ephemeral private key that it would generate, as a container. */
int themis_testing_session_ephemeral(themis_session *session,
                                     const uint8_t *private_key,
                                     size_t private_key_len);

/* Sets the next number that an established session writes, and the first that it reads. */
int themis_testing_session_numbers(themis_session *session,
                                   uint32_t next_written,
                                   uint32_t next_read);

/* Sets how many messages an established session has written, and how far the newest number that
 * it has read is from the first. */
int themis_testing_session_counts(themis_session *session, uint64_t written, uint64_t moved);

/* cffi testing: end */

#endif

#endif

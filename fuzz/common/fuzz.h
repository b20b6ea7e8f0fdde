/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share. A target takes its input apart as a little program: flags, fields,
 * edits of a message that honest code made just before. Then a checksum or a tag stops nothing:
 * what is behind it was honest, and the checksum is mended after the edit. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "themis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run, and says what did not hold. */
#define MUST(holds) ((holds) ? (void)0 : fuzz_broken(#holds, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *promise, const char *file, int line);

/* What is left of an input. Behind its end everything is zero or empty. */
typedef struct soter_reader fuzz_input;

/* Starts a run: the library is ready, and so is the input. */
fuzz_input fuzz_start(const uint8_t *data, size_t size);
uint8_t fuzz_byte(fuzz_input *input);
uint32_t fuzz_number(fuzz_input *input);
/* A u16le length, cut to what is left and to FUZZ_FIELD_MAX, and that many bytes. */
#define FUZZ_FIELD_MAX 8192
struct soter_slice fuzz_field(fuzz_input *input);
struct soter_slice fuzz_rest(fuzz_input *input);

/* A block of this very size, so that the sanitizer sees one byte too many. `free` ends it. */
uint8_t *fuzz_copy(struct soter_slice bytes);
/* The same for an output; fuzz_nothing_in tells that nothing came out: it is as it was, or wiped.
 */
uint8_t *fuzz_room(size_t size);
bool fuzz_nothing_in(const uint8_t *room, size_t size);

bool fuzz_equal(struct soter_slice a, struct soter_slice b);
bool fuzz_begins(struct soter_slice whole, struct soter_slice beginning);

/* A message that may change; there is room for FUZZ_MESSAGE_ROOM bytes. */
#define FUZZ_MESSAGE_ROOM (2 * FUZZ_FIELD_MAX)
struct fuzz_message {
    uint8_t bytes[FUZZ_MESSAGE_ROOM];
    size_t len;
};

void fuzz_set(struct fuzz_message *message, struct soter_slice bytes);
struct soter_slice fuzz_slice(const struct fuzz_message *message);

/* Edits a message up to three times as the input says: bits, bytes, numbers, cuts, insertions,
 * parts of itself, values that matter to arithmetic. */
void fuzz_edit(fuzz_input *input, struct fuzz_message *message);

/* Mends the checksum of the container at this place, if its size allows for one; gives its size,
 * or 0. */
size_t fuzz_mend(struct fuzz_message *message, size_t at);

/* The same private key for every run, as a container; and its public half. bits: 256, 384, 521. */
struct soter_slice fuzz_ec_private(int bits, bool other);
struct soter_slice fuzz_ec_public(int bits, bool other);
/* Made at the first call. bits: 1024, 2048. */
struct soter_slice fuzz_rsa_private(int bits);
struct soter_slice fuzz_rsa_public(int bits);

#endif

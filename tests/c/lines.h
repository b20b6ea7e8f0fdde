/* SPDX-License-Identifier: Apache-2.0 */
/* Known answers as tools/evidence/answer_lines.py writes them: one case a line,
 *
 *   kind name field field ...
 *
 * with fields in hex, an empty one as `-`. */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { MAX_FIELDS = 32 };

/* A field is a block of its own, which ends where it ends, and begins at an odd address: machines
 * that care about alignment shall find us out. */
struct field {
    const uint8_t *data;
    size_t len;
};

struct line {
    const char *kind;
    const char *name;
    size_t count;
    struct field fields[MAX_FIELDS];
};

/* The next line; what the last one held is freed. False at the end. */
bool line_next(FILE *from, struct line *line);

/* A field of a few bytes as a big-endian number. */
uint64_t field_number(struct field field);

/* Whether bytes are those of a field. */
bool field_is(struct field field, const uint8_t *data, size_t len);

/* A block at an odd address, and its end; never NULL. */
uint8_t *odd_block(size_t len);
void odd_free(const uint8_t *block);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 1 << 18 };

static char buffer[MAX_LINE];

static void give_up(const char *why)
{
    fprintf(stderr, "known_answers: %s\n", why);
    exit(2);
}

uint8_t *odd_block(size_t len)
{
    uint8_t *block = malloc(len + 1);
    if (block == NULL) {
        give_up("out of memory");
        abort();
    }
    return block + 1;
}

void odd_free(const uint8_t *block)
{
    if (block != NULL) {
        free((void *)(uintptr_t)(block - 1));
    }
}

static uint8_t digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    if (at == NULL) {
        give_up("a field is not hex");
        return 0;
    }
    return (uint8_t)(at - digits);
}

static struct field read_field(const char *text)
{
    const size_t len = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;
    uint8_t *data = odd_block(len);
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    }
    return (struct field){data, len};
}

bool line_next(FILE *from, struct line *line)
{
    char *token;
    for (size_t i = 0; i < line->count; i++) {
        odd_free(line->fields[i].data);
    }
    line->count = 0;
    if (fgets(buffer, sizeof buffer, from) == NULL) {
        return false;
    }
    if (strchr(buffer, '\n') == NULL) {
        give_up("a line is too long");
    }
    line->kind = strtok(buffer, " \n");
    line->name = strtok(NULL, " \n");
    if (line->kind == NULL || line->name == NULL) {
        give_up("a line without kind and name");
    }
    while ((token = strtok(NULL, " \n")) != NULL) {
        if (line->count == MAX_FIELDS) {
            give_up("a line with too many fields");
        }
        line->fields[line->count++] = read_field(token);
    }
    return true;
}

uint64_t field_number(struct field field)
{
    uint64_t value = 0;
    for (size_t i = 0; i < field.len; i++) {
        value = value << 8 | field.data[i];
    }
    return value;
}

bool field_is(struct field field, const uint8_t *data, size_t len)
{
    return field.len == len && memcmp(field.data, data, len) == 0;
}

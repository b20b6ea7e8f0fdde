/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS (1U << 18)
#define LONGEST 4096

static struct {
    uint64_t piece;
    const char *name; /* NULL: free */
} slots[SLOTS];
static unsigned used;
static uint8_t seen[1U << 16]; /* a bit for every 16 bits that a piece can begin with */

static unsigned slot_of(uint64_t piece)
{
    return (unsigned)((piece * UINT64_C(0x9E3779B97F4A7C15)) >> 46);
}

static uint64_t piece_at(const uint8_t *bytes)
{
    uint64_t piece;
    memcpy(&piece, bytes, sizeof piece);
    return piece;
}

/* Pieces with few different bytes are found everywhere. */
static bool is_telling(const uint8_t *bytes)
{
    unsigned different = 0;
    for (unsigned i = 0; i < SECRETS_PIECE_SIZE; i++) {
        bool fresh = true;
        for (unsigned j = 0; j < i; j++) {
            fresh = fresh && bytes[i] != bytes[j];
        }
        different += fresh;
    }
    return different >= 5;
}

static void add_form(const char *name, const uint8_t *form, size_t len)
{
    for (size_t i = 0; i + SECRETS_PIECE_SIZE <= len; i++) {
        const uint64_t piece = piece_at(form + i);
        unsigned slot = slot_of(piece);
        if (!is_telling(form + i)) {
            continue;
        }
        while (slots[slot].name != NULL && slots[slot].piece != piece) {
            slot = (slot + 1) % SLOTS;
        }
        if (slots[slot].name == NULL) {
            if (++used > SLOTS / 2) {
                fputs("too many secrets\n", stderr);
                exit(2);
            }
            slots[slot].piece = piece;
            slots[slot].name = name;
            seen[piece & 0xFFFF] = 1;
        }
    }
}

static void reverse(const uint8_t *secret, size_t len, size_t word, uint8_t *out)
{
    for (size_t i = 0; i < len; i++) {
        const size_t start = i / word * word;
        out[i] = secret[start + word - 1 - (i - start)];
    }
}

static void check_length(size_t len, size_t room)
{
    if (len > room) {
        fputs("too long a secret\n", stderr);
        exit(2);
    }
}

void secrets_add(const char *name, const uint8_t *secret, size_t len)
{
    uint8_t form[LONGEST] = {0};
    check_length(len, sizeof form);
    add_form(name, secret, len);
    reverse(secret, len, len, form);
    add_form(name, form, len);
    reverse(secret, len / 4 * 4, 4, form);
    add_form(name, form, len / 4 * 4);
    reverse(secret, len / 8 * 8, 8, form);
    add_form(name, form, len / 8 * 8);
}

void secrets_add_base64(const char *name, const uint8_t *secret, size_t len)
{
    uint8_t form[LONGEST / 3 * 4 + 1];
    check_length(len, LONGEST);
    for (size_t skipped = 0; skipped < 3 && skipped + 3 <= len; skipped++) {
        const int whole = (int)((len - skipped) / 3 * 3);
        add_form(name, form, (size_t)EVP_EncodeBlock(form, secret + skipped, whole));
    }
}

void secrets_clear(void)
{
    if (used != 0) {
        memset(slots, 0, sizeof slots);
        memset(seen, 0, sizeof seen);
        used = 0;
    }
}

const char *secrets_find(const void *bytes, size_t len, size_t *offset)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; used != 0 && i + SECRETS_PIECE_SIZE <= len; i++) {
        const uint64_t piece = piece_at(at + i);
        if (seen[piece & 0xFFFF] == 0) {
            continue;
        }
        for (unsigned slot = slot_of(piece); slots[slot].name != NULL; slot = (slot + 1) % SLOTS) {
            if (slots[slot].piece == piece) {
                *offset = i;
                return slots[slot].name;
            }
        }
    }
    return NULL;
}

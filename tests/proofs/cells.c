/* SPDX-License-Identifier: Apache-2.0 */
#include "ciphers.h"
#include "themis/cell_gcm.c"
#include "themis/cell_imprint.c"
#include "themis/cell_reader.c"

/* True of what an operation leaves, if it was true of what the operation before it left. */
static bool holds(const struct themis_cell_subject *subject)
{
    return subject->context_len <= sizeof subject->context;
}

/* fault: themis/cell_gcm.c: context.len > sizeof subject->context => context.len > 65
 * with EXACT=1 */
bool cell_cipher(void)
{
    const size_t context_len = any_len();
    const uint32_t bits = nondet_uint(), algorithm = nondet_uint();
    uint8_t *nonce = any_bytes(12), *tag = any_bytes(16);
    uint8_t *out = nondet_bool() ? in : any_bytes(in_len);
    const struct themis_cell_text text = {in, in_len, any_bytes(context_len), context_len};
    const struct themis_cell_token token = {themis_cell_key_len(algorithm ^ bits, algorithm),
                                            nondet_bool() ? 4 : 8, (uint32_t)in_len, nonce, tag};
    struct cipher *left = malloc(sizeof *left);
    struct themis_cell_key key = {NULL, {left}};
    bool done;
    CLAIM(token.key_len == (bits == 128 || bits == 192 || bits == 256 ? bits / 8 : 0));
    CLAIM(themis_cell_fits(in_len) == (in_len != 0));
    __ESBMC_assume(token.key_len != 0 && (left == NULL || holds(&left->subject)));
    done = themis_cell_decrypt(&key, &token, &text, out) == SOTER_SUCCESS &&
           themis_cell_encrypt(&key, &text, out, nonce, tag) == SOTER_SUCCESS;
    left = key.cipher.kept;
    CLAIM(left == NULL || holds(&left->subject));
    return done;
}

/* fault: themis/cell_imprint.c: context_len == 0 => context_len == 1 */
bool cell_imprint(void)
{
    const size_t context_len = any_len(), room = any_len();
    struct imprint *left = malloc(sizeof *left);
    themis_cell cell = {.imprint = {left}};
    uint8_t *out = nondet_bool() && room <= in_len ? in : any_bytes(room);
    int status;
    __ESBMC_assume(left == NULL || holds(&left->subject));
    status = themis_cell_imprint(&cell, in, in_len, any_bytes(context_len), context_len, out, room);
    left = cell.imprint.kept;
    CLAIM(left == NULL || holds(&left->subject));
    CLAIM((status == SOTER_INVALID_PARAMETER) == (in_len == 0 || context_len == 0));
    CLAIM((status == SOTER_BUFFER_TOO_SMALL) == (in_len != 0 && context_len != 0 && room < in_len));
    return status == SOTER_SUCCESS;
}

/* fault: themis/cell_reader.c: out_len <= data_len - skip => out_len <= data_len
 * with MOST=32768 EXACT=0 LOOPS=4 */
bool cell_pieces(void)
{
    const size_t size = any_len(), room = any_len(), piece = nondet_ulong(), skip = nondet_ulong();
    const size_t at = piece < 2 ? piece * 16384 : size; /* there are two pieces */
    themis_cell_reader reader = {.state = VERIFIED, .size = size};
    int status;
    reader.tags = any_bytes(16 * ((size + 16383) / 16384));
    status = themis_cell_reader_read(&reader, piece, in, in_len, skip, any_bytes(room), room);
    CLAIM((status != SOTER_INVALID_PARAMETER) ==
          (at < size && (in_len == size - at || (in_len < size - at && in_len % 16384 == 0)) &&
           skip <= in_len && room <= in_len - skip));
    return status == SOTER_SUCCESS;
}

/* From here on, a cell is ciphered as cell_cipher has proved it. */
static soter_status cipher(const struct themis_cell_text *text, uint8_t *out)
{
    reads(text->context, text->context_len);
    return turns(text->data, out, text->len);
}

#define themis_cell_encrypt(key, text, out, nonce, tag)                                            \
    (writes(nonce, 12), writes(tag, 16), cipher(text, out))
#define themis_cell_decrypt(key, token, text, out)                                                 \
    (CLAIM(IS_KEY_LEN((token)->key_len)), reads((token)->nonce, 12), reads((token)->tag, 16),      \
     cipher(text, out))

#include "themis/cell.c"

/* fault: themis/cell.c: tag_len != SOTER_AEAD_TAG_SIZE || => tag_len == 0 || */
bool cell(void)
{
    const size_t context_len = any_len(), room = any_len();
    const uint8_t *context = any_bytes(context_len);
    themis_cell cell = {.compat_096 = nondet_bool()};
    uint8_t *token = any_bytes(44), *out = nondet_bool() && room <= in_len ? in : any_bytes(room);
    const bool fits = in_len != 0 && in_len <= room;
    const bool is_token = themis_cell_key_len(soter_get_u32le(token), 0x40010000) != 0 &&
                          soter_get_u32le(token + 4) == 12 && soter_get_u32le(token + 8) == 16 &&
                          soter_get_u32le(token + 12) == in_len;
    struct themis_cell_token fields;
    soter_status status =
        themis_cell_unprotect(&cell, in, in_len, token, context, context_len, out, room);
    CLAIM((asked != 0 || status == SOTER_NO_MEMORY) == (is_token && fits));
    asked = 0;
    status = themis_cell_protect(&cell, in, in_len, context, context_len, out, room, token);
    CLAIM((asked != 0) == fits);
    CLAIM(!fits || (read_token(token, in_len, &fields) == SOTER_SUCCESS && fields.key_len == 32));
    return status == SOTER_SUCCESS;
}

#define while(condition) for (bool first = true; first && (condition); first = false)
#include "themis/sealed_chunks.c"
#undef while

/* fault: themis/sealed_chunks.c: full + rest - THEMIS_CELL_TOKEN_SIZE : 0 => full + rest : 0
 * with EXACT=0
 *
 * By induction: the first chunk of a run is ciphered within its bytes, and what is left is a run
 * with one piece less. */
bool sealed_chunks(void)
{
    const size_t room = any_len(), log2 = 12 + nondet_uchar() % 13, piece = (size_t)1 << log2;
    const size_t chunk = piece + 44, end = in_len % chunk, part = in_len & (piece - 1);
    const uint64_t number = nondet_ulong();
    const bool is_last = nondet_bool();
    uint8_t *out = any_bytes(room);
    themis_sealed sealed = {.has_fk = nondet_bool(), .log2 = log2};
    const size_t all = pieces_in(&sealed, in_len);
    soter_status status = themis_sealed_encrypt(&sealed, number, is_last, in, in_len, out, room);
    CLAIM((status != SOTER_INVALID_PARAMETER) ==
          (sealed.has_fk && in_len != 0 && number <= UINT64_MAX - (in_len >> log2) - 1 &&
           (part == 0 || (is_last && part >= 8))));
    CLAIM(status == SOTER_INVALID_PARAMETER ||
          (asked != 0) == (room >= in_len + 44 * (((in_len + piece - 1) >> log2))));
    status = themis_sealed_decrypt(&sealed, number, is_last, in, in_len, out, room);
    CLAIM((status != SOTER_INVALID_PARAMETER) ==
          (sealed.has_fk && in_len != 0 && number <= UINT64_MAX - (all >> log2) - 1 &&
           (end == 0 || (is_last && end >= 44 + 8))));
    CLAIM(status != SOTER_SUCCESS || room >= all);
    CLAIM(status == SOTER_INVALID_PARAMETER ||
          (all <= piece ? in_len == all + 44 : pieces_in(&sealed, in_len - chunk) == all - piece));
    return status == SOTER_SUCCESS;
}

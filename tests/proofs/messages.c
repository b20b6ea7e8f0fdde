/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"
#include "soter/oaep.h"
#include "soter/sign.h"
#include "themis.h"

static size_t cell_at, oaep_size;

#define soter_verify(key, parts, count, signature, size)                                           \
    (CLAIM((count) == 1 && (parts)->data == in + 12 && (parts)->len == le(4)),                     \
     CLAIM((signature) == in + 12 + le(4) && (size) == le(8)), any_status())
#define soter_oaep_wrapped_size(key) oaep_size
#define soter_oaep_unwrap(key, blinding, wrapped, size, secret, secret_size)                       \
    (CLAIM((wrapped) == in + 12 && (size) == oaep_size), writes(secret, secret_size), any_status())
#define themis_cell_new(key, size, compat_096, out) (reads(key, size), any_status())
#define themis_cell_unseal(cell, sealed, size, context, context_size, message, room)               \
    (CLAIM((sealed) == in + cell_at && (size) == in_len - cell_at),                                \
     turns((sealed) + 44, message, (size) - 44))

#include "themis/message.c"
#include "themis/message_sign.c"

/* fault: themis/message_sign.c: part_len == 0 => part_len == 1 */
bool signed_message(void)
{
    const themis_verifier verifier = {NULL, nondet_uint()};
    const bool fits = in_len >= 12 && le(0) == verifier.type && le(4) != 0 &&
                      12 + (uint64_t)le(4) + le(8) <= in_len;
    size_t got = 0;
    const int status = themis_verifier_verify(&verifier, in, in_len, &got);
    CLAIM((asked != 0) == fits && (status == SOTER_SUCCESS) == (fits && !refused));
    CLAIM(got == (status == SOTER_SUCCESS ? le(4) : 0));
    return status == SOTER_SUCCESS;
}

/* fault: themis/message.c: oaep_len != oaep.len || => oaep_len == 0 || */
bool encrypted_message(void)
{
    const bool is_ec = nondet_bool();
    const size_t room = any_len();
    themis_message message = {is_ec ? any_bytes(1) : NULL, NULL, NULL};
    int status;
    oaep_size = (size_t)128 << nondet_uchar() % 4;
    cell_at = is_ec ? 8 : 12 + oaep_size;
    status = themis_message_unwrap(&message, in, in_len, any_bytes(room), room);
    CLAIM((asked != 0) ==
          (le(0) == (is_ec ? THEMIS_MESSAGE_EC_ENCRYPTED : THEMIS_MESSAGE_RSA_ENCRYPTED) &&
           le(4) == in_len && (is_ec || le(8) == oaep_size) && in_len > cell_at + 44 &&
           room >= in_len - cell_at - 44));
    return status == SOTER_SUCCESS;
}

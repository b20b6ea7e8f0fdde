/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/message.c: oaep_len != oaep.len || => oaep_len == 0 ||
 *
 * Encrypted messages of EC and RSA keys: handed to their cell if and only if section 4 allows it.
 */
#include "proof.h"
#include "soter/bytes.c"
#define fill fill_handle /* has a name that is taken here */
#include "themis/message.c"
#undef fill

static size_t wrapped_size;
static size_t opened;
static const uint8_t *start;
static size_t cell_at;

size_t soter_oaep_wrapped_size(const soter_oaep_key *key) { return wrapped_size; }

soter_status soter_oaep_unwrap(const soter_oaep_key *key, enum soter_oaep_blinding blinding,
                               const uint8_t *wrapped, size_t wrapped_len, uint8_t *secret,
                               size_t secret_len)
{
    CLAIM(wrapped == start + 12 && wrapped_len == wrapped_size);
    touch(wrapped, wrapped_len);
    return soter_rand_secret(secret, secret_len);
}

int themis_cell_new(const uint8_t *key, size_t key_len, int compat_096, themis_cell **out)
{
    touch(key, key_len);
    return nondet_bool() ? SOTER_SUCCESS : SOTER_NO_MEMORY;
}

int themis_cell_unseal(themis_cell *cell, const uint8_t *sealed, size_t sealed_len,
                       const uint8_t *context, size_t context_len, uint8_t *message,
                       size_t message_len)
{
    CLAIM(sealed == start + cell_at);
    touch(sealed, sealed_len);
    fill(message, sealed_len - 44);
    opened++;
    return nondet_bool() ? SOTER_SUCCESS : SOTER_FAIL;
}

int main(void)
{
    const bool is_ec = nondet_bool();
    const size_t len = any_len(MOST);
    const size_t room = any_len(MOST);
    uint8_t something;
    themis_message message = {is_ec ? (themis_cell *)&something : NULL, NULL, NULL};
    int status;
    start = any_bytes(len);
    wrapped_size = nondet_bool() ? 128 : nondet_bool() ? 256 : nondet_bool() ? 512 : 1024;
    cell_at = is_ec ? 8 : 12 + wrapped_size;
    status = themis_message_unwrap(&message, start, len, any_bytes(room), room);
    if (opened != 0) {
        CLAIM(len > cell_at + 44 && room >= len - cell_at - 44);
        CLAIM(soter_get_u32le(start) ==
              (is_ec ? THEMIS_MESSAGE_EC_ENCRYPTED : THEMIS_MESSAGE_RSA_ENCRYPTED));
        CLAIM(soter_get_u32le(start + 4) == len);
        CLAIM(is_ec || soter_get_u32le(start + 8) == wrapped_size);
    }
    if (status == SOTER_SUCCESS) {
        CLAIM(opened != 0);
        REACHED();
    }
}

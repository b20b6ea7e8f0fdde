/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/message_sign.c: part_len == 0 => part_len == 1
 *
 * A signed message is given to the signature's check if and only if section 4 allows it. */
#include "proof.h"
#include "soter/bytes.c"
#include "themis/message_sign.c"

static bool asked;

soter_status soter_verify(const soter_sign_key *key, const struct soter_slice *parts, size_t count,
                          const uint8_t *signature, size_t signature_len)
{
    CLAIM(count == 1 && signature == parts->data + parts->len);
    touch(parts->data, parts->len);
    touch(signature, signature_len);
    asked = true;
    return nondet_bool() ? SOTER_SUCCESS : SOTER_INVALID_SIGNATURE;
}

int main(void)
{
    const size_t len = any_len(MOST);
    const uint8_t *data = any_bytes(len);
    const themis_verifier verifier = {NULL, nondet_u32()};
    const uint64_t text = len >= 12 ? soter_get_u32le(data + 4) : 0;
    const uint64_t signature = len >= 12 ? soter_get_u32le(data + 8) : 0;
    size_t got = 0;
    const int status = themis_verifier_verify(&verifier, data, len, &got);
    CLAIM(asked == (len >= 12 && soter_get_u32le(data) == verifier.type && text != 0 &&
                    12 + text + signature <= len));
    CLAIM(asked || status == SOTER_INVALID_PARAMETER);
    CLAIM(got == (status == SOTER_SUCCESS ? text : 0));
    if (status == SOTER_SUCCESS) {
        REACHED();
    }
}

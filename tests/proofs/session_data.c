/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/session_channel.c: bytes_len <= THEMIS_SESSION_OVERHEAD => bytes_len < 52
 *
 * A data message is taken apart if and only if section 5 allows it, and judged by its header; one
 * is written into exactly its room. */
#include "ciphers.h"
#include "soter/bytes.c"
#include "themis/session_channel.c"

enum themis_session_welcome themis_session_window_judge(const struct themis_session_window *window,
                                                        uint32_t number)
{
    return (enum themis_session_welcome)(nondet_byte() % 4);
}

void themis_session_window_accept(struct themis_session_window *window, uint32_t number) {}

int main(void)
{
    const size_t len = any_len(MOST);
    const size_t text = len > 52 ? len - 52 : 0;
    const uint8_t *data = any_bytes(len);
    themis_session_channel channel = {.written = nondet_u64()};
    struct wrapped parts;
    const char *why;
    CLAIM(THEMIS_SESSION_OVERHEAD == 52);
    fill(channel.sid_reversed, 4);
    CLAIM(take_apart(&channel, data, len, &parts, &why) ==
          (len > 52 && memcmp(data, channel.sid_reversed, 4) == 0));
    if (len > 52) {
        CLAIM(parts.nonce == data + 4 && parts.header == data + 20 && parts.encrypted == data + 36);
        CLAIM(parts.message_len == text && parts.tag == data + 36 + text);
    }
    if (themis_session_channel_unwrap(&channel, nondet_u64(), data, len, any_bytes(text), &why) ==
        0) {
        CLAIM(len > 52);
        CLAIM(themis_session_channel_wrap(&channel, 0, data, text, any_bytes(len), &why) != 0 ||
              channel.written <= THEMIS_SESSION_WRITES_MAX);
        REACHED();
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ciphers.h"
#define while if
#include "themis/session_window.c"
#undef while
#include "themis/session_channel.c"

/* fault: themis/session_channel.c: bytes_len <= THEMIS_SESSION_OVERHEAD => bytes_len < 52 */
bool session_data(void)
{
    const size_t text = in_len > 52 ? in_len - 52 : 0;
    uint8_t *message = any_bytes(text);
    themis_session_channel channel = {.written = nondet_ulong()};
    struct wrapped parts;
    const char *why;
    soter_status status;
    writes(channel.sid_reversed, 4);
    CLAIM(take_apart(&channel, in, in_len, &parts, &why) ==
          (in_len > 52 && memcmp(in, channel.sid_reversed, 4) == 0));
    if (in_len > 52) {
        CLAIM(parts.nonce == in + 4 && parts.header == in + 20 && parts.encrypted == in + 36);
        CLAIM(parts.message_len == text && parts.tag == in + 36 + text);
    }
    status = themis_session_channel_unwrap(&channel, nondet_ulong(), in, in_len, message, &why);
    CLAIM(status != SOTER_SUCCESS || take_apart(&channel, in, in_len, &parts, &why));
    status = themis_session_channel_wrap(&channel, 0, message, text, in, &why);
    CLAIM(status != SOTER_SUCCESS || (take_apart(&channel, in, in_len, &parts, &why) &&
                                      channel.written <= THEMIS_SESSION_WRITES_MAX));
    return status == SOTER_SUCCESS;
}

#define ONCE 1024
#define END ((int64_t)1 << 31) /* from the first, as window.moved */

/* Of any one number: how far it is behind the newest, without the modulus, and whether it was
 * accepted. */
static int64_t behind;
static bool accepted;
static struct themis_session_window window;

/* True of a new window, and each message keeps it. Inside the window a number's bit is whether it
 * was accepted. */
static bool holds(void)
{
    const int64_t number = (int64_t)window.moved - behind;
    const uint32_t wire = window.newest - (uint32_t)behind;
    const bool marked = (window.seen[wire % 2048 / 32] >> wire % 32 & 1) != 0;
    return window.reject_duplicates && window.moved < END && number >= -ONCE && number < END &&
           (behind >= 0 || !accepted) && (behind < 0 || behind > ONCE || marked == accepted);
}

/* The loop that moves on is cut: a step of it keeps holds() too, and comes one nearer. A move by 2
 * to 2047 is that many steps, and then a message at the newest number. */
static bool step(void)
{
    const uint32_t next = window.newest + 1;
    if (window.moved + 1 < END) {
        move_on(&window);
        behind++;
        CLAIM(window.newest == next && holds());
    }
    return false;
}

static bool message(uint32_t wire)
{
    const int64_t ahead = (int32_t)(wire - window.newest);
    const int64_t counted = (int64_t)window.moved + ahead;
    const bool is_it = ahead == -behind;
    const enum themis_session_welcome judged = themis_session_window_judge(&window, wire);
    CLAIM((judged == THEMIS_SESSION_USED_UP) == (ahead > 0 && counted >= END));
    CLAIM(!is_it || (judged == THEMIS_SESSION_WELCOME) ==
                        (counted < END && (ahead > 0 || (ahead >= -ONCE && !accepted))));
    if (judged != THEMIS_SESSION_WELCOME) {
        return false;
    }
    CLAIM(counted >= -ONCE && counted < END);
    CLAIM(is_it == (wire == window.newest - (uint32_t)behind)); /* no other one looks like it */
    if (ahead > 1 && ahead < 2048) {
        return false;
    }
    themis_session_window_accept(&window, wire);
    behind += ahead > 0 ? ahead : 0;
    accepted = accepted || is_it;
    CLAIM(holds() && (ahead <= 0 || window.newest == wire));
    return true;
}

/* fault: themis/session_window.c: behind > THEMIS_SESSION_WINDOW_ONCE => behind > 1026 */
bool session_window(void)
{
    struct themis_session_window any;
    behind = nondet_long();
    __ESBMC_assume(behind <= ONCE && behind > -END);
    themis_session_window_init(&window, nondet_uint(), true);
    CLAIM(holds());
    window = any;
    behind = nondet_long();
    accepted = nondet_bool();
    __ESBMC_assume(holds());
    return nondet_bool() ? message(nondet_uint()) : step();
}

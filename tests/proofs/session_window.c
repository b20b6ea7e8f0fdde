/* SPDX-License-Identifier: Apache-2.0 */
/* fault: themis/session_window.c: behind > THEMIS_SESSION_WINDOW_ONCE => behind > 1026
 *
 * With reject_duplicates the accepted numbers are exactly those of section 5, and none is accepted
 * twice: by induction over messages. Take any number: `behind` is how far it is behind the newest,
 * without the modulus, and `accepted` whether it was accepted. holds() is true of a new window, and
 * each message keeps it. The loop that moves on is cut: one step of it keeps holds() too, and comes
 * one nearer; a move by 2 to 2047 is that many steps, and then a message at the newest number. */
#include "proof.h"
#define while if
#include "themis/session_window.c"
#undef while

#define ONCE 1024
#define END ((int64_t)1 << 31) /* from the first, as window.moved and `number` */

static struct themis_session_window window;
static int64_t behind;
static bool accepted;

static int64_t number(void) { return (int64_t)window.moved - behind; }

/* Inside the window a number's bit is whether it was accepted. */
static bool holds(void)
{
    const uint32_t wire = window.newest - (uint32_t)behind;
    const bool marked = (window.seen[wire % 2048 / 32] >> wire % 32 & 1) != 0;
    return window.reject_duplicates && window.moved < END && number() >= -ONCE && number() < END &&
           (behind >= 0 || !accepted) && (behind < 0 || behind > ONCE || marked == accepted);
}

static void step(void)
{
    const uint32_t next = window.newest + 1;
    if (window.moved + 1 < END) {
        move_on(&window);
        behind++;
        CLAIM(window.newest == next && holds());
    }
}

static void message(uint32_t wire)
{
    const int64_t ahead = (int32_t)(wire - window.newest);
    const int64_t counted = (int64_t)window.moved + ahead;
    const bool is_it = ahead == -behind;
    const enum themis_session_welcome judged = themis_session_window_judge(&window, wire);
    CLAIM((judged == THEMIS_SESSION_USED_UP) == (ahead > 0 && counted >= END));
    CLAIM(!is_it || (judged == THEMIS_SESSION_WELCOME) ==
                        (counted < END && (ahead > 0 || (ahead >= -ONCE && !accepted))));
    if (judged == THEMIS_SESSION_WELCOME) {
        CLAIM(counted >= -ONCE && counted < END);
        CLAIM(is_it == (wire == window.newest - (uint32_t)behind)); /* no other one looks like it */
    }
    if (judged == THEMIS_SESSION_WELCOME && (ahead <= 1 || ahead >= 2048)) {
        themis_session_window_accept(&window, wire);
        behind += ahead > 0 ? ahead : 0;
        accepted = accepted || is_it;
        CLAIM(holds() && (ahead <= 0 || window.newest == wire));
        REACHED();
    }
}

int main(void)
{
    struct themis_session_window any;
    behind = (int64_t)nondet_u64();
    __ESBMC_assume(behind <= ONCE && behind > -END);
    themis_session_window_init(&window, nondet_u32(), true);
    CLAIM(holds());
    window = any;
    behind = (int64_t)nondet_u64();
    accepted = nondet_bool();
    __ESBMC_assume(holds());
    if (nondet_bool()) {
        message(nondet_u32());
    } else {
        step();
    }
}

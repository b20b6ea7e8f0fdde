/* SPDX-License-Identifier: Apache-2.0 */
/* Which sequence numbers of the peer are still accepted (specification, section 5: data messages).
 *
 * Numbers count modulo 2^32: one is newer than another if the distance up to it is below 2^31.
 * The window ends at the newest accepted number. By default it tolerates loss, and reordering and
 * duplicates of the last 8. With reject_duplicates it accepts each number once, of the last 1024.
 *
 * Why no number is accepted twice with reject_duplicates: counted from the first one and without
 * the modulus, accepted numbers lie from -1024 to THEMIS_SESSION_WINDOW_MOVES - 1. There are fewer
 * than 2^32 of them, so no two are equal modulo 2^32. One above the newest was never accepted, one
 * inside the window has a bit of its own, and the rest are refused. */
#ifndef THEMIS_SESSION_WINDOW_H
#define THEMIS_SESSION_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "soter/compiler.h"

#define THEMIS_SESSION_WINDOW_BITS 2048 /* a power of two above twice the window: a ring */

/* With reject_duplicates the newest number stays this near to the first. */
#define THEMIS_SESSION_WINDOW_MOVES (UINT64_C(1) << 31)

struct themis_session_window {
    uint32_t newest;
    uint64_t moved; /* how far that is from the first, without the modulus */
    bool reject_duplicates;
    uint32_t seen[THEMIS_SESSION_WINDOW_BITS / 32]; /* bit n mod 2048 for number n */
};

enum themis_session_welcome {
    THEMIS_SESSION_WELCOME,
    THEMIS_SESSION_TOO_OLD,
    THEMIS_SESSION_SEEN_BEFORE,
    THEMIS_SESSION_USED_UP /* and so is every newer number, for ever */
};

/* `first` is the number that the peer's first message will carry. */
void themis_session_window_init(struct themis_session_window *window,
                                uint32_t first,
                                bool reject_duplicates);

/* Judges a number; changes nothing. */
SOTER_MUST_USE enum themis_session_welcome
themis_session_window_judge(const struct themis_session_window *window, uint32_t number);

/* Remembers a number that was judged welcome. */
void themis_session_window_accept(struct themis_session_window *window, uint32_t number);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/session_window.h"

#include <assert.h>
#include <string.h>

#include "themis.h"

#define HALF_CIRCLE UINT32_C(0x80000000)

static_assert(THEMIS_SESSION_WINDOW_BITS > THEMIS_SESSION_WINDOW_ONCE,
              "numbers inside the window must not share a bit");
static_assert((THEMIS_SESSION_WINDOW_BITS & (THEMIS_SESSION_WINDOW_BITS - 1)) == 0,
              "the ring must divide 2^32, or the bits move when the numbers wrap");

static_assert(THEMIS_SESSION_WINDOW_ONCE + THEMIS_SESSION_WINDOW_MOVES <= UINT32_MAX,
              "numbers that are accepted must differ modulo 2^32");

static uint32_t *word_of(struct themis_session_window *window, uint32_t number)
{
    return &window->seen[number % THEMIS_SESSION_WINDOW_BITS / 32];
}

static uint32_t bit_of(uint32_t number)
{
    return UINT32_C(1) << number % 32;
}

void themis_session_window_init(struct themis_session_window *window,
                                uint32_t first,
                                bool reject_duplicates)
{
    memset(window, 0, sizeof *window);
    window->newest = first; /* not seen yet: as the newest it is welcome, and so is what is ahead */
    window->reject_duplicates = reject_duplicates;
}

/* What is ahead is welcome however far: losing messages must not end a session. */
static bool is_ahead(const struct themis_session_window *window, uint32_t number)
{
    uint32_t ahead = number - window->newest;
    return ahead != 0 && ahead < HALF_CIRCLE;
}

/* Whether a number that is ahead may become the newest. */
static bool can_move(const struct themis_session_window *window, uint32_t number)
{
    return !window->reject_duplicates ||
           window->moved + (number - window->newest) < THEMIS_SESSION_WINDOW_MOVES;
}

/* Makes the next number the newest; in the ring it takes the bit of one that leaves the window. */
static void move_on(struct themis_session_window *window)
{
    window->newest++;
    window->moved++;
    *word_of(window, window->newest) &= ~bit_of(window->newest);
}

enum themis_session_welcome themis_session_window_judge(const struct themis_session_window *window,
                                                        uint32_t number)
{
    uint32_t behind = window->newest - number;
    if (is_ahead(window, number)) {
        return can_move(window, number) ? THEMIS_SESSION_WELCOME : THEMIS_SESSION_USED_UP;
    }
    if (!window->reject_duplicates) {
        return behind <= THEMIS_SESSION_WINDOW ? THEMIS_SESSION_WELCOME : THEMIS_SESSION_TOO_OLD;
    }
    if (behind > THEMIS_SESSION_WINDOW_ONCE) {
        return THEMIS_SESSION_TOO_OLD;
    }
    if ((window->seen[number % THEMIS_SESSION_WINDOW_BITS / 32] & bit_of(number)) != 0) {
        return THEMIS_SESSION_SEEN_BEFORE;
    }
    return THEMIS_SESSION_WELCOME;
}

void themis_session_window_accept(struct themis_session_window *window, uint32_t number)
{
    if (is_ahead(window, number) && number - window->newest >= THEMIS_SESSION_WINDOW_BITS) {
        memset(window->seen, 0, sizeof window->seen);
        window->moved += number - window->newest;
        window->newest = number;
    } else if (is_ahead(window, number)) {
        while (window->newest != number) {
            move_on(window);
        }
    }
    *word_of(window, number) |= bit_of(number);
}

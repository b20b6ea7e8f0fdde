/* SPDX-License-Identifier: Apache-2.0 */
/* The data messages of an established session: two keyed ciphers and what was seen of the numbers.
 */
#ifndef THEMIS_SESSION_CHANNEL_H
#define THEMIS_SESSION_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/status.h"
#include "themis/session_keys.h"
#include "themis/session_window.h"

typedef struct themis_session_channel themis_session_channel;

/* Keys the ciphers; whose secrets these are decides which of them writes. */
SOTER_MUST_USE soter_status themis_session_channel_new(const struct themis_session_secrets *secrets,
                                                       bool is_client,
                                                       bool reject_duplicates,
                                                       themis_session_channel **out);
void themis_session_channel_free(themis_session_channel *channel);

/* `out` takes message_len + THEMIS_SESSION_OVERHEAD bytes. `now` is the time in unix seconds. */
SOTER_MUST_USE soter_status themis_session_channel_wrap(themis_session_channel *channel,
                                                        uint64_t now,
                                                        const uint8_t *message,
                                                        size_t message_len,
                                                        uint8_t *out);

/* `out` takes wrapped_len - THEMIS_SESSION_OVERHEAD bytes. A refusal leaves its reason in words
 * at *why (a static string), wipes `out` and changes nothing in the channel. */
SOTER_MUST_USE soter_status themis_session_channel_unwrap(themis_session_channel *channel,
                                                          uint64_t now,
                                                          const uint8_t *wrapped,
                                                          size_t wrapped_len,
                                                          uint8_t *out,
                                                          const char **why);

/* Whether the cryptographic library failed in the middle of a message: the ciphers are not used
 * again. */
SOTER_MUST_USE bool themis_session_channel_is_broken(const themis_session_channel *channel);

#ifdef THEMIS_TESTING
/* For tests of the numbers' wrap: the next one to write, and the next one expected. */
void themis_session_channel_set_numbers(themis_session_channel *channel,
                                        uint32_t next_written,
                                        uint32_t next_read);
#endif

#endif

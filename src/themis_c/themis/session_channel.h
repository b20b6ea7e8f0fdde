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

/* The standard's limit for random nonces under one key. */
#define THEMIS_SESSION_WRITES_MAX (UINT64_C(1) << 32)

typedef struct themis_session_channel themis_session_channel;

/* Keys the ciphers; whose secrets these are decides which of them writes. */
SOTER_MUST_USE soter_status themis_session_channel_new(const struct themis_session_secrets *secrets,
                                                       bool is_client,
                                                       bool reject_duplicates,
                                                       themis_session_channel **out);
void themis_session_channel_free(themis_session_channel *channel);

/* `out` takes message_len + THEMIS_SESSION_OVERHEAD bytes. `now` is the time in unix seconds. A
 * refusal may leave its reason in words at *why (a static string). NOT_SUPPORTED: the channel is
 * used up, in this direction and for ever. */
SOTER_MUST_USE soter_status themis_session_channel_wrap(themis_session_channel *channel,
                                                        uint64_t now,
                                                        const uint8_t *message,
                                                        size_t message_len,
                                                        uint8_t *out,
                                                        const char **why);

/* `out` takes wrapped_len - THEMIS_SESSION_OVERHEAD bytes. A refusal leaves its reason in words
 * at *why (a static string), wipes `out` and changes nothing in the channel. NOT_SUPPORTED: as
 * above. */
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

/* For tests of its limits: how many messages were written, and how far the newest number that was
 * read is from the first. */
void themis_session_channel_set_counts(themis_session_channel *channel,
                                       uint64_t written,
                                       uint64_t moved);
#endif

#endif

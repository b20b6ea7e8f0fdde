/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of Secure Message share. */
#ifndef THEMIS_MESSAGE_H
#define THEMIS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/key.h"

/* Reads a key and refuses the wrong half: INVALID_PARAMETER. */
SOTER_MUST_USE soter_status themis_message_read_key(const uint8_t *key,
                                                    size_t key_len,
                                                    bool is_private,
                                                    soter_key **out);

#endif

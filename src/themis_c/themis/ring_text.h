/* SPDX-License-Identifier: Apache-2.0 */
/* The payload of a keyring (formats, section 9.2), read. */
#ifndef THEMIS_RING_TEXT_H
#define THEMIS_RING_TEXT_H

#include "themis/ring_state.h"

/* Fills a ring that is all zeros from the payload in it. A draft may have no keys, and then no
 * primary key, and has any version. INVALID_PARAMETER: *why tells what is wrong. */
SOTER_MUST_USE soter_status themis_ring_parse(struct themis_ring *ring,
                                              bool is_draft,
                                              const char **why);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/ring_state.h"

#include <string.h>

size_t themis_ring_find(const struct themis_ring *ring, const uint8_t id[THEMIS_RING_ID_SIZE])
{
    for (size_t i = 0; i < ring->keys_count; i++) {
        if (memcmp(ring->keys[i].id, id, THEMIS_RING_ID_SIZE) == 0) {
            return i;
        }
    }
    return THEMIS_RING_NONE;
}

bool themis_ring_is_name(struct soter_slice name)
{
    if (name.len == 0 || name.len > THEMIS_RING_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.data[i];
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (i == 0 || (c != '.' && c != '_' && c != '-'))) {
            return false;
        }
    }
    return true;
}

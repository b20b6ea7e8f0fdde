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

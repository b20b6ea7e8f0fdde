/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_OWNED_H
#define SOTER_OWNED_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of malloc that belong to their holder; soter_wipe_free(data, len) ends them. */
struct soter_owned {
    uint8_t *data;
    size_t len;
};

#endif

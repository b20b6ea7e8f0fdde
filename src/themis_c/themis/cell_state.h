/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a cell, for the parts of Secure Cell. */
#ifndef THEMIS_CELL_STATE_H
#define THEMIS_CELL_STATE_H

#include <stdbool.h>

#include "soter/reuse.h"
#include "themis/cell_gcm.h"

/* A cell of themis.h: all three modes with a key. */
struct themis_cell {
    struct themis_cell_key key;
    soter_reuse imprint; /* what the last Context Imprint worked with */
    bool compat_096;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Cell with a key. */
#ifndef THEMIS_CELL_H
#define THEMIS_CELL_H

#include "soter/status.h"
#include "themis/cell_state.h"

/* Another cell with the same key, for a thread that shares nothing that it reuses. */
SOTER_MUST_USE soter_status themis_cell_copy(const struct themis_cell *cell,
                                             struct themis_cell **out);

#endif

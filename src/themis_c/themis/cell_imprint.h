/* SPDX-License-Identifier: Apache-2.0 */
/* Context Imprint. */
#ifndef THEMIS_CELL_IMPRINT_H
#define THEMIS_CELL_IMPRINT_H

#include "themis/cell_state.h"

/* Frees what themis_cell_imprint left. */
void themis_cell_imprint_clear(struct themis_cell *cell);

#endif

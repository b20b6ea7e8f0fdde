/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SOTER_INIT_H
#define SOTER_INIT_H

#include "soter/status.h"

/* Once per process, from any thread, before anything else of soter; calling again is fine. */
SOTER_MUST_USE soter_status soter_init(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/reuse.h"

#include <stddef.h>

#include "soter/compiler.h"

void *soter_reuse_take(soter_reuse *place)
{
    return SOTER_EXCHANGE(&place->kept, NULL);
}

void *soter_reuse_leave(soter_reuse *place, void *object)
{
    return SOTER_EXCHANGE(&place->kept, object);
}

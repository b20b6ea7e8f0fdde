/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/spare.h"

#include <stddef.h>

#include "soter/compiler.h"

void *soter_spare_take(soter_spare *spare)
{
    return SOTER_EXCHANGE(&spare->kept, NULL);
}

void *soter_spare_leave(soter_spare *spare, void *object)
{
    return SOTER_EXCHANGE(&spare->kept, object);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/status.h"

const char *soter_status_text(soter_status status)
{
    switch ((enum soter_status_code)status) {
#define SOTER_STATUS_CASE(name, value, text)                                                       \
    case SOTER_##name:                                                                             \
        return text;
        SOTER_STATUS_LIST(SOTER_STATUS_CASE)
#undef SOTER_STATUS_CASE
    }
    return "unknown status";
}

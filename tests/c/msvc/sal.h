/* SPDX-License-Identifier: Apache-2.0 */
/* Another mark that stands in the same place, for clang does not know this one. */
#ifndef MSVC_SAL_H
#define MSVC_SAL_H

#define _Check_return_ __declspec(nothrow)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_SYS_TYPES_H
#define MSVC_SYS_TYPES_H

typedef long off_t;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_INTTYPES_H
#define MSVC_INTTYPES_H

#include <stdint.h>

#endif

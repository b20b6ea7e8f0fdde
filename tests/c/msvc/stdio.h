/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_STDIO_H
#define MSVC_STDIO_H

typedef struct _iobuf FILE;
#define EOF (-1)

#endif

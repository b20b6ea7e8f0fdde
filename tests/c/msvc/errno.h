/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_ERRNO_H
#define MSVC_ERRNO_H

extern int errno;

#endif

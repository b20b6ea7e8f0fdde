/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_IO_H
#define MSVC_IO_H

int _read(int fd, void *buffer, unsigned size);

#endif

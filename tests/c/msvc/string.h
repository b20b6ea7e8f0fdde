/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_STRING_H
#define MSVC_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int value, size_t len);
void *memchr(const void *data, int value, size_t len);
int memcmp(const void *one, const void *other, size_t len);
size_t strlen(const char *text);
int strcmp(const char *one, const char *other);
int strncmp(const char *one, const char *other, size_t len);

#endif

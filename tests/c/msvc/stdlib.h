/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSVC_STDLIB_H
#define MSVC_STDLIB_H

#include <stddef.h>

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
char *getenv(const char *name);
int rand_s(unsigned int *word);

#endif

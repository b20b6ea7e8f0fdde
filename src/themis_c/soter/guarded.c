/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#define _CRT_SECURE_NO_WARNINGS /* getenv, of Microsoft */

#include "soter/guarded.h"

#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "soter/group.h"
#include "soter/wipe.h"

#if defined(_WIN32)
#include <io.h>
#else
#include <unistd.h>
#endif

soter_status soter_guarded_new(size_t len, uint8_t **out)
{
    soter_status status;
    if (len == 0) {
        return SOTER_INVALID_PARAMETER;
    }
    status = soter_group_init(); /* libsodium needs its start for this, too */
    if (status != SOTER_SUCCESS) {
        return status;
    }
    *out = sodium_malloc(len);
    return *out != NULL ? SOTER_SUCCESS : SOTER_NO_MEMORY;
}

void soter_guarded_free(uint8_t *data)
{
    sodium_free(data);
}

/* Byte by byte: memcpy leaves the end of a secret in vector registers. The dynamic linker saves
 * those on the stack where it finds a function of libsodium for the first time. */
void soter_guarded_fill(uint8_t *out, const uint8_t *data, size_t len)
{
    volatile uint8_t *filled = out;
    for (size_t i = 0; i < len; i++) {
        filled[i] = data[i];
    }
}

soter_status soter_guarded_protect(uint8_t *data)
{
    /* it splits what the system keeps of this process's memory, which has a limit */
    return sodium_mprotect_readonly(data) == 0 ? SOTER_SUCCESS : SOTER_NO_MEMORY;
}

bool soter_guarded_lock(uint8_t *data, size_t len)
{
    return sodium_mlock(data, len) == 0;
}

soter_status soter_guarded_read(int fd, uint8_t *out, size_t room, size_t *got)
{
#if defined(_WIN32)
    const int count = _read(fd, out, room < INT_MAX ? (unsigned)room : INT_MAX);
#else
    const ssize_t count = read(fd, out, room);
#endif
    if (count < 0) {
        return SOTER_FAIL;
    }
    *got = (size_t)count;
    return SOTER_SUCCESS;
}

bool soter_guarded_copy_variable(const char *name, uint8_t *out, size_t room, size_t *len)
{
    const char *value = getenv(name);
    if (value == NULL) {
        return false;
    }
    *len = 0;
    while (*len < room && value[*len] != '\0') {
        out[*len] = (uint8_t)value[*len];
        ++*len;
    }
    return true;
}

void soter_guarded_wipe_variable(const char *name)
{
    char *value = getenv(name);
    if (value != NULL) {
        soter_wipe(value, strlen(value));
    }
}

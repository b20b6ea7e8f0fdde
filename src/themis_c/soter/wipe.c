/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/wipe.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>

#include "soter/compiler.h"

#define SHALLOW_STACK_SIZE 2048 /* a hash goes a few hundred bytes deep */
#define STACK_SIZE 16384        /* libsodium's scalar multiplication goes about 6 KiB deep */

void soter_wipe(void *data, size_t len)
{
    if (len != 0) {
        OPENSSL_cleanse(data, len);
    }
}

void soter_wipe_free(void *data, size_t len)
{
    if (data != NULL) {
        soter_wipe(data, len);
        free(data);
    }
}

SOTER_NOINLINE void soter_wipe_stack(void)
{
    uint8_t below[STACK_SIZE];
    soter_wipe(below, sizeof below);
}

SOTER_NOINLINE void soter_wipe_shallow_stack(void)
{
    uint8_t below[SHALLOW_STACK_SIZE];
    soter_wipe(below, sizeof below);
}

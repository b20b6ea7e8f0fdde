/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/wipe.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "soter/compiler.h"

#define SHALLOW_STACK_SIZE 4096 /* SHA-256 and what calls it go less than 1536 bytes deep */
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

/* OPENSSL_cleanse writes word by word. memset is several times as fast. The compiler cannot remove
 * it, because the memory is passed to a function that it does not see into. */
static void wipe_fast(uint8_t *data, size_t len)
{
    memset(data, 0, len);
    soter_wipe(data, 1);
}

SOTER_NOINLINE void soter_wipe_stack(void)
{
    uint8_t below[STACK_SIZE];
    wipe_fast(below, sizeof below);
}

SOTER_NOINLINE void soter_wipe_shallow_stack(void)
{
    uint8_t below[SHALLOW_STACK_SIZE];
    wipe_fast(below, sizeof below);
}

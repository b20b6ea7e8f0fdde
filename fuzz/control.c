/* SPDX-License-Identifier: Apache-2.0 */
/* Fails on purpose, once someone has guessed the magic words: proof that fuzzing finds the words,
 * and that what stands behind them is seen. PLANTED says what stands there. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/fuzz.h"

enum { OVERFLOW = 1, UNDEFINED, BROKEN, LEAK, GREEDY, SLOW, LARGE };

static void fail(size_t size)
{
    static void *volatile lost;
    uint8_t *volatile block = fuzz_room(size);
    uint32_t *number;
    clock_t start;
    switch (PLANTED) {
    case OVERFLOW:
        block[size] = 1; /* one byte */
        break;
    case UNDEFINED:
        number = (uint32_t *)(void *)(block + 1); /* no place for a number */
        *number = 1;
        break;
    case BROKEN:
        MUST(size == 0);
        break;
    case LEAK:
        lost = malloc(size);
        lost = NULL;
        break;
    case SLOW: /* half a second of the processor, for a few bytes */
        start = clock();
        while (clock() - start < CLOCKS_PER_SEC / 2) {
        }
        break;
    case LARGE: /* less than a block may have, and too much for so short an input */
        lost = malloc((size_t)16 << 20);
        free(lost);
        break;
    default: /* what a length field could ask for */
        lost = malloc((size_t)1 << 30);
        free(lost);
        break;
    }
    free(block);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t magic[] = {'s', 'e', 's', 'a', 'm', 'e'};
    if (size > sizeof magic && memcmp(data, magic, 3) == 0 && memcmp(data + 3, magic + 3, 3) == 0) {
        fail(size);
    }
    return 0;
}

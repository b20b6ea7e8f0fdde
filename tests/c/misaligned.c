/* SPDX-License-Identifier: Apache-2.0 */
/* Must not get to its end: it reads a number from where no number may stand, which the alignment
 * checks that known_answers is compiled with have to notice. */
#include <stdint.h>
#include <stdio.h>

int main(void)
{
    static uint32_t words[2];
    const volatile uint32_t *at = (const volatile uint32_t *)((uintptr_t)words + 1);
    printf("a number from an odd address: %u\n", (unsigned)*at);
    return 0;
}

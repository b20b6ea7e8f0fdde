/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the place of the random generators beneath the core and beneath libcrypto. The fresh bits
 * that the core adds are zeros here (tools/evidence/drivers.py wraps soter_entropy); asking for
 * them is one request as well, for public bytes. */
#ifndef TESTS_GENERATOR_H
#define TESTS_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>

/* What the program answers: 1, and the bytes; or 0. Asked for bytes that stay secret or others may
 * see, by the core or by libcrypto itself. */
int generator_give(unsigned char *out, size_t len, bool secret, bool to_core);

#endif

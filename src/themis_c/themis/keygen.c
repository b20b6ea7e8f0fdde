/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/rand.h"
#include "themis.h"

int themis_symmetric_key(uint8_t *key)
{
    return soter_rand_secret(key, THEMIS_SYMMETRIC_KEY_SIZE);
}

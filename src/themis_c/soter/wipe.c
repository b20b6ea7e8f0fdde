/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/wipe.h"

#include <openssl/crypto.h>
#include <stdlib.h>

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

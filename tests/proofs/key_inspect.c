/* SPDX-License-Identifier: Apache-2.0 */
/* fault: soter/key_container.c: *kind == NULL || reader.left != 0 => *kind == NULL
 *
 * What a container of a key is of: the tag of each kind with each length that section 2 allows, and
 * nothing behind it. */
#include "container_contract.h"
#include "soter/bytes.c"
#include "soter/key.c"
#include "soter/key_container.c"

static bool fits_any(const struct soter_key_kind *kind, size_t payload_len)
{
    return payload_len % 2 == kind->is_private; /* the others have the real ones */
}

const struct soter_key_functions soter_ec_key_functions = {.payload_fits = fits_any};
const struct soter_key_functions soter_rsa_key_functions = {.payload_fits = fits_any};

int main(void)
{
    const size_t len = any_len(MOST);
    const struct soter_key_kind *kind = NULL;
    const soter_status status = soter_key_inspect(any_bytes(len), len, &kind);
    CLAIM(status != SOTER_SUCCESS || (seen_count == 1 && seen[0].payload_len == len - 12));
    if (status == SOTER_SUCCESS) {
        CLAIM(kind == soter_key_find_tag(seen[0].tag));
        CLAIM(kind->is_private == (seen[0].tag[0] == 'R'));
        CLAIM((kind->algorithm == SOTER_KEY_EC) == (seen[0].tag[1] == 'E'));
        REACHED();
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* PEM (RFC 7468), read by our own code: OpenSSL's reader leaves the base64 of a private key in
 * memory that it frees.
 *
 *   -----BEGIN label-----
 *   base64, in lines of any width
 *   -----END label-----
 *
 * Lines end with LF, CR or both. Blanks after a line, blank lines, and blanks between the digits do
 * not count. What stands outside of the blocks is skipped. */
#ifndef SOTER_PEM_H
#define SOTER_PEM_H

#include <stdbool.h>

#include "soter/bytes.h"
#include "soter/status.h"

struct soter_pem_block {
    struct soter_slice label; /* borrowed from the text */
    struct soter_owned body;  /* soter_wipe_free ends it; empty if there are headers */
    bool has_headers;         /* of RFC 1421, as the encryption of old OpenSSL versions has */
};

/* Reads the next block, in time that is linear in what it passes. INVALID_PARAMETER: the text has
 * no block left, or the next one is damaged. */
SOTER_MUST_USE soter_status soter_pem_read(struct soter_reader *text, struct soter_pem_block *out);

#endif

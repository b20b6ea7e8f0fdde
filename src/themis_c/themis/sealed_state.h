/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a sealed file, for the parts of the container. */
#ifndef THEMIS_SEALED_STATE_H
#define THEMIS_SEALED_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/hash.h"
#include "soter/status.h"
#include "themis.h"
#include "themis/cell_gcm.h"
#include "themis/sealed_head.h"

#define THEMIS_SEALED_FK_SIZE 32

struct themis_sealed {
    uint8_t fk[THEMIS_SEALED_FK_SIZE];
    bool has_fk;
    bool is_fresh;                     /* fk was drawn for this handle: no one else can know it */
    struct themis_cell_key chunks;     /* under fk */
    uint8_t log2;                      /* of the bytes of a piece */
    uint8_t d[SOTER_SHA256_SIZE];      /* the digest of the context */
    struct soter_owned bytes;          /* of a file that is read: its header and mac */
    uint8_t digest[SOTER_SHA256_SIZE]; /* and that of its header */
    struct themis_sealed_head head;
};

/* Takes a candidate for fk, or FAIL if the mac is not right under it. The caller has checked that
 * it has 32 bytes, and wipes it. */
SOTER_MUST_USE soter_status themis_sealed_accept(themis_sealed *sealed,
                                                 const uint8_t fk[THEMIS_SEALED_FK_SIZE]);

/* fk of a handle that has none: nothing else may have been set. */
SOTER_MUST_USE soter_status themis_sealed_set_fk(themis_sealed *sealed,
                                                 const uint8_t fk[THEMIS_SEALED_FK_SIZE]);

/* H(fk, "TSFILE1\nheader" || digest of the context || digest of the header) */
SOTER_MUST_USE soter_status themis_sealed_header_mac(const uint8_t fk[THEMIS_SEALED_FK_SIZE],
                                                     const uint8_t d[SOTER_SHA256_SIZE],
                                                     const uint8_t digest[SOTER_SHA256_SIZE],
                                                     uint8_t mac[THEMIS_SEALED_MAC_SIZE]);

/* The context of what slots and senders encrypt: a label and D; `out` has the room of a slice. */
#define THEMIS_SEALED_CONTEXT_MAX_SIZE 64
struct soter_slice themis_sealed_context(const themis_sealed *sealed,
                                         const char *label,
                                         uint8_t out[THEMIS_SEALED_CONTEXT_MAX_SIZE]);

#endif

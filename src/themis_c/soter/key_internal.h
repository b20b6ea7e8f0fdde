/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of soter_key, for the files that work with keys. */
#ifndef SOTER_KEY_INTERNAL_H
#define SOTER_KEY_INTERNAL_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/bytes.h"
#include "soter/ec_point.h"
#include "soter/key.h"
#include "soter/status.h"

/* What an algorithm does with its keys. A payload is what a container holds. */
struct soter_key_functions {
    bool (*payload_fits)(const struct soter_key_kind *kind, size_t payload_len);
    size_t (*payload_size)(const struct soter_key_kind *kind, enum soter_point_form form);
    /* Judges what it reads: DATA_CORRUPT for nonsense. The payload's length fits the kind. */
    soter_status (*import)(soter_key *key, struct soter_slice payload);
    soter_status (*export_public)(const soter_key *key,
                                  enum soter_point_form form,
                                  uint8_t *payload);
    soter_status (*export_private)(const soter_key *key, uint8_t *payload);
    soter_status (*to_evp)(const soter_key *key, EVP_PKEY **out);
};

/* EC keys stay numbers: what is done with them takes less time than to make a key of EVP, which
 * only PKCS#8 needs. A private one that came from a container has no public half until it
 * is asked for: to compute it costs as much as a signature. */
struct soter_key {
    const struct soter_key_kind *kind;
    const struct soter_key_functions *functions;
    EVP_PKEY *pkey; /* of RSA */
    /* Of EC: */
    bool has_point;
    uint8_t point[SOTER_EC_POINT_MAX_SIZE]; /* uncompressed */
    uint8_t d[SOTER_EC_NUMBER_MAX_SIZE];
};

/* A key of this kind, still without numbers. */
SOTER_MUST_USE soter_status soter_key_new(const struct soter_key_kind *kind,
                                          const struct soter_key_functions *functions,
                                          soter_key **out);

/* The key as EVP has it, with its public half, for the caller to free. */
SOTER_MUST_USE soter_status soter_key_to_evp(const soter_key *key, EVP_PKEY **out);

/* The kind with this tag, of SOTER_CONTAINER_TAG_SIZE bytes; NULL if there is none. */
const struct soter_key_kind *soter_key_find_tag(const uint8_t *tag);

#endif

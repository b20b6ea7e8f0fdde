/* SPDX-License-Identifier: Apache-2.0 */
#include "soter/key.h"

#include <string.h>

#include "soter/container.h"
#include "soter/evp.h"
#include "soter/key_internal.h"
#include "soter/locked.h"

static const struct soter_key_kind kinds[] = {
    {"UEC2", SOTER_KEY_EC, false, 256, 32},
    {"UEC3", SOTER_KEY_EC, false, 384, 48},
    {"UEC5", SOTER_KEY_EC, false, 521, 66},
    {"REC2", SOTER_KEY_EC, true, 256, 32},
    {"REC3", SOTER_KEY_EC, true, 384, 48},
    {"REC5", SOTER_KEY_EC, true, 521, 66},
    {"URA1", SOTER_KEY_RSA, false, 1024, 128},
    {"URA2", SOTER_KEY_RSA, false, 2048, 256},
    {"URA4", SOTER_KEY_RSA, false, 4096, 512},
    {"URA8", SOTER_KEY_RSA, false, 8192, 1024},
    {"RRA1", SOTER_KEY_RSA, true, 1024, 128},
    {"RRA2", SOTER_KEY_RSA, true, 2048, 256},
    {"RRA4", SOTER_KEY_RSA, true, 4096, 512},
    {"RRA8", SOTER_KEY_RSA, true, 8192, 1024},
};

#define KINDS_COUNT (sizeof kinds / sizeof kinds[0])

const struct soter_key_kind *
soter_key_find_kind(enum soter_key_algorithm algorithm, bool is_private, unsigned bits)
{
    for (size_t i = 0; i < KINDS_COUNT; i++) {
        if (kinds[i].algorithm == algorithm && kinds[i].is_private == is_private &&
            kinds[i].bits == bits) {
            return &kinds[i];
        }
    }
    return NULL;
}

const struct soter_key_kind *soter_key_find_tag(const uint8_t *tag)
{
    for (size_t i = 0; i < KINDS_COUNT; i++) {
        if (memcmp(kinds[i].tag, tag, SOTER_CONTAINER_TAG_SIZE) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

soter_status soter_key_new(const struct soter_key_kind *kind,
                           const struct soter_key_functions *functions,
                           soter_key **out)
{
    soter_key *key = soter_locked_new(sizeof *key);
    if (key == NULL) {
        return SOTER_NO_MEMORY;
    }
    key->kind = kind;
    key->functions = functions;
    *out = key;
    return SOTER_SUCCESS;
}

void soter_key_free(soter_key *key)
{
    if (key != NULL) {
        soter_evp_free(key->pkey);
        soter_locked_free(key, sizeof *key);
    }
}

soter_status soter_key_to_evp(const soter_key *key, EVP_PKEY **out)
{
    return key->functions->to_evp(key, out);
}

const struct soter_key_kind *soter_key_kind(const soter_key *key)
{
    return key->kind;
}

bool soter_key_is_ec(const soter_key *key, bool is_private)
{
    return key->kind->algorithm == SOTER_KEY_EC && key->kind->is_private == is_private;
}

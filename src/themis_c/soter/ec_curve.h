/* SPDX-License-Identifier: Apache-2.0 */
/* The three curves, built once: to build one costs OpenSSL as much as a signature. */
#ifndef SOTER_EC_CURVE_H
#define SOTER_EC_CURVE_H

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "soter/compiler.h"

#define SOTER_CURVE_NAME_SIZE 6 /* "P-256" with its end */
#define SOTER_CURVES_COUNT 3

struct soter_curve {
    unsigned bits;
    size_t number_size;
    int nid;
    char name[SOTER_CURVE_NAME_SIZE];
    const uint8_t *order; /* number_size bytes, big-endian */
    EC_GROUP *group;      /* for arithmetic on points */
    BIGNUM *prime;        /* of the field; the curve is y^2 = x^3 + ax + b */
    BIGNUM *a;
    BIGNUM *b;
    BIGNUM *root_power;     /* (prime + 1) / 4 */
    BN_MONT_CTX *reduction; /* by the prime */
};

/* Part of soter_init. */
SOTER_MUST_USE bool soter_curves_init(OSSL_LIB_CTX *libctx);

/* The curve with this many bits: 256, 384 or 521; NULL for any other. */
const struct soter_curve *soter_curve_find(unsigned bits);

#endif

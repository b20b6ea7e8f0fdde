/* SPDX-License-Identifier: Apache-2.0 */
/* The curve that the parameters of an EC key describe. */
#ifndef SOTER_EC_PARAMS_H
#define SOTER_EC_PARAMS_H

#include "soter/bytes.h"
#include "soter/ec_curve.h"

/* ECParameters (RFC 5480, X9.62): the name of one of our curves, or all of its numbers, spelled
 * out; NULL for anything else. */
const struct soter_curve *soter_curve_described(struct soter_reader params);

#endif

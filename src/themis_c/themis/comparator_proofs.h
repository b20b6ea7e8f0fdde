/* SPDX-License-Identifier: Apache-2.0 */
/* The three proofs of Secure Comparator (specification, section 6), which are Schnorr's: to prove
 * that one knows w with image f(w), f linear, one commits to f(r) for a random r, takes a hash of
 * it as challenge c, and answers with s = cw + r. The verifier finds f(r) again as f(s) - c f(w).
 *
 *   K: w = a          f = (aB)                   c || s
 *   D: w = (r, x)     f = (r g3, rB + x g2)      c || s1 || s2
 *   E: w = a          f = (aB, aX)               c || s
 *
 * The number of a proof goes into its hash, so that none can replace another.
 *
 * A verifier answers SUCCESS and says in *holds whether the proof is good. INVALID_PARAMETER means
 * that a point is not valid. */
#ifndef THEMIS_COMPARATOR_PROOFS_H
#define THEMIS_COMPARATOR_PROOFS_H

#include "soter/group.h"

struct themis_proof {
    struct soter_scalar challenge;
    struct soter_scalar answer;
};

struct themis_proof_of_two {
    struct soter_scalar challenge;
    struct soter_scalar answers[2];
};

/* A generator that both sides made: g = own * peer. Its factors are kept apart: then a multiple of
 * it takes one multiplication of a point, and so does a multiple of the peer's. */
struct themis_generator {
    struct soter_scalar own; /* clamped: so g is never the identity */
    struct soter_point peer;
};

/* What a secret x is hidden in, with a random r: P = r g3, Q = rB + x g2. */
struct themis_commitment {
    struct soter_point p;
    struct soter_point q;
};

/* K: that the peer knows a in A = aB. */
SOTER_MUST_USE soter_status themis_prove_knowledge(uint8_t number,
                                                   const struct soter_scalar *a,
                                                   struct themis_proof *proof);
SOTER_MUST_USE soter_status themis_verify_knowledge(uint8_t number,
                                                    const struct soter_point *image,
                                                    const struct themis_proof *proof,
                                                    bool *holds);

/* D: that the peer knows r and x in a commitment. Proving makes the commitment as well. */
SOTER_MUST_USE soter_status themis_prove_commitment(uint8_t number,
                                                    const struct soter_scalar *x,
                                                    const struct themis_generator *g2,
                                                    const struct themis_generator *g3,
                                                    struct themis_commitment *commitment,
                                                    struct themis_proof_of_two *proof);
SOTER_MUST_USE soter_status themis_verify_commitment(uint8_t number,
                                                     const struct themis_commitment *commitment,
                                                     const struct themis_generator *g2,
                                                     const struct themis_generator *g3,
                                                     const struct themis_proof_of_two *proof,
                                                     bool *holds);

/* E: that R = aX for the a of A = aB. Proving makes R as well. */
SOTER_MUST_USE soter_status themis_prove_product(uint8_t number,
                                                 const struct soter_scalar *a,
                                                 const struct soter_point *x,
                                                 struct soter_point *product,
                                                 struct themis_proof *proof);
SOTER_MUST_USE soter_status themis_verify_product(uint8_t number,
                                                  const struct soter_point *image,
                                                  const struct soter_point *x,
                                                  const struct soter_point *product,
                                                  const struct themis_proof *proof,
                                                  bool *holds);

#endif

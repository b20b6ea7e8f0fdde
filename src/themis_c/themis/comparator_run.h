/* SPDX-License-Identifier: Apache-2.0 */
/* One run of Secure Comparator (specification, section 6): what its messages are made of. There are
 * three kinds of things to send and to receive, each with its proofs:
 *
 *   generators    G2 || K(n) || G3 || K(n + 1)      192 bytes
 *   commitment    P || Q || D(n)                    160
 *   product       R || E(n)                          96
 *
 * Receiving judges points and proofs. INVALID_PARAMETER: a point is not valid. A proof that does
 * not hold is a SUCCESS: the run is lost, and continues with a random secret, because the place
 * where it stops would tell the peer something. */
#ifndef THEMIS_COMPARATOR_RUN_H
#define THEMIS_COMPARATOR_RUN_H

#include "soter/bytes.h"
#include "themis/comparator_proofs.h"

#define THEMIS_RUN_GENERATORS_SIZE (2 * (SOTER_POINT_SIZE + 2 * SOTER_SCALAR_SIZE))
#define THEMIS_RUN_COMMITMENT_SIZE (2 * SOTER_POINT_SIZE + 3 * SOTER_SCALAR_SIZE)
#define THEMIS_RUN_PRODUCT_SIZE (SOTER_POINT_SIZE + 2 * SOTER_SCALAR_SIZE)

struct themis_run {
    struct soter_scalar secret;
    struct themis_generator g2; /* its own factors: a2 and a3, or b2 and b3 */
    struct themis_generator g3;
    struct themis_commitment own;
    struct themis_commitment peer;
    struct soter_point p; /* Pa - Pb */
    struct soter_point q; /* Qa - Qb */
    bool equal;           /* whether the peer's product fits */
    bool lost;            /* whether the result is NO_MATCH, whatever follows */
};

/* Each number is that of the (first) proof. */
SOTER_MUST_USE soter_status themis_run_send_generators(struct themis_run *run,
                                                       uint8_t number,
                                                       struct soter_writer *out);
SOTER_MUST_USE soter_status themis_run_receive_generators(struct themis_run *run,
                                                          uint8_t number,
                                                          struct soter_reader *in);

/* After the generators were sent and received. */
SOTER_MUST_USE soter_status themis_run_send_commitment(struct themis_run *run,
                                                       uint8_t number,
                                                       struct soter_writer *out);
SOTER_MUST_USE soter_status themis_run_receive_commitment(struct themis_run *run,
                                                          uint8_t number,
                                                          struct soter_reader *in);

/* Pa - Pb and Qa - Qb, after the commitments were sent and received. */
SOTER_MUST_USE soter_status themis_run_take_differences(struct themis_run *run,
                                                        const struct themis_commitment *alice,
                                                        const struct themis_commitment *bob);

/* After the differences. Receiving also compares. */
SOTER_MUST_USE soter_status themis_run_send_product(struct themis_run *run,
                                                    uint8_t number,
                                                    struct soter_writer *out);
SOTER_MUST_USE soter_status themis_run_receive_product(struct themis_run *run,
                                                       uint8_t number,
                                                       struct soter_reader *in);

#endif

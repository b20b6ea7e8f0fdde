/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/comparator_run.h"

#include "soter/wipe.h"

static bool read_scalar(struct soter_reader *in, struct soter_scalar *out)
{
    return soter_read_copy(in, out->bytes, sizeof out->bytes);
}

static bool read_point(struct soter_reader *in, struct soter_point *out)
{
    return soter_read_copy(in, out->bytes, sizeof out->bytes);
}

static bool read_proof(struct soter_reader *in, struct themis_proof *out)
{
    return read_scalar(in, &out->challenge) && read_scalar(in, &out->answer);
}

static bool write_scalar(struct soter_writer *out, const struct soter_scalar *scalar)
{
    return soter_write_bytes(out, scalar->bytes, sizeof scalar->bytes);
}

static bool write_point(struct soter_writer *out, const struct soter_point *point)
{
    return soter_write_bytes(out, point->bytes, sizeof point->bytes);
}

static bool write_proof(struct soter_writer *out, const struct themis_proof *proof)
{
    return write_scalar(out, &proof->challenge) && write_scalar(out, &proof->answer);
}

/* The result is settled; the exchange continues without the secret. */
static soter_status lose(struct themis_run *run)
{
    run->lost = true;
    return soter_scalar_random(&run->secret);
}

/* G || K(number), of a fresh factor of a generator. */
static soter_status
send_generator(struct themis_generator *g, uint8_t number, struct soter_writer *out)
{
    struct soter_point image;  /* public */
    struct themis_proof proof; /* public */
    soter_status status = soter_scalar_random(&g->own);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    soter_group_multiply_base(&g->own, &image);
    status = themis_prove_knowledge(number, &g->own, &proof);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return write_point(out, &image) && write_proof(out, &proof) ? SOTER_SUCCESS
                                                                : SOTER_BUFFER_TOO_SMALL;
}

/* G2 || K(number) || G3 || K(number + 1). */
soter_status
themis_run_send_generators(struct themis_run *run, uint8_t number, struct soter_writer *out)
{
    soter_status status = send_generator(&run->g2, number, out);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return send_generator(&run->g3, (uint8_t)(number + 1), out);
}

static soter_status
receive_generator(struct themis_generator *g, uint8_t number, struct soter_reader *in, bool *holds)
{
    struct themis_proof proof; /* public */
    if (!read_point(in, &g->peer) || !read_proof(in, &proof)) {
        return SOTER_INVALID_PARAMETER;
    }
    return themis_verify_knowledge(number, &g->peer, &proof, holds);
}

soter_status
themis_run_receive_generators(struct themis_run *run, uint8_t number, struct soter_reader *in)
{
    bool holds[2] = {false, false};
    soter_status status = receive_generator(&run->g2, number, in, &holds[0]);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = receive_generator(&run->g3, (uint8_t)(number + 1), in, &holds[1]);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return holds[0] && holds[1] ? SOTER_SUCCESS : lose(run);
}

/* P || Q || D(number). */
soter_status
themis_run_send_commitment(struct themis_run *run, uint8_t number, struct soter_writer *out)
{
    struct themis_proof_of_two proof; /* public */
    soter_status status =
        themis_prove_commitment(number, &run->secret, &run->g2, &run->g3, &run->own, &proof);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return write_point(out, &run->own.p) && write_point(out, &run->own.q) &&
                   write_scalar(out, &proof.challenge) && write_scalar(out, &proof.answers[0]) &&
                   write_scalar(out, &proof.answers[1])
               ? SOTER_SUCCESS
               : SOTER_BUFFER_TOO_SMALL;
}

soter_status
themis_run_receive_commitment(struct themis_run *run, uint8_t number, struct soter_reader *in)
{
    struct themis_proof_of_two proof; /* public */
    bool holds = false;
    soter_status status;
    if (!read_point(in, &run->peer.p) || !read_point(in, &run->peer.q) ||
        !read_scalar(in, &proof.challenge) || !read_scalar(in, &proof.answers[0]) ||
        !read_scalar(in, &proof.answers[1])) {
        return SOTER_INVALID_PARAMETER;
    }
    status = themis_verify_commitment(number, &run->peer, &run->g2, &run->g3, &proof, &holds);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return holds ? SOTER_SUCCESS : lose(run);
}

/* A random point where the identity was, of which no product would be a valid point. */
static soter_status take_random_point(struct soter_point *out)
{
    struct soter_scalar scalar;
    soter_status status = soter_scalar_random(&scalar);
    if (status == SOTER_SUCCESS) {
        soter_group_multiply_base(&scalar, out);
    }
    soter_wipe(&scalar, sizeof scalar);
    return status;
}

/* Only a hostile peer, or chance of 2^-252, makes one of the differences the identity. */
soter_status themis_run_take_differences(struct themis_run *run,
                                         const struct themis_commitment *alice,
                                         const struct themis_commitment *bob)
{
    soter_status status = soter_group_subtract(&alice->p, &bob->p, &run->p);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = soter_group_subtract(&alice->q, &bob->q, &run->q);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    if (soter_point_is_identity(&run->q)) {
        run->lost = true;
        return take_random_point(&run->q);
    }
    return soter_point_is_identity(&run->p) ? lose(run) : SOTER_SUCCESS;
}

/* R || E(number). */
soter_status
themis_run_send_product(struct themis_run *run, uint8_t number, struct soter_writer *out)
{
    struct soter_point product; /* public */
    struct themis_proof proof;  /* public */
    soter_status status = themis_prove_product(number, &run->g3.own, &run->q, &product, &proof);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return write_point(out, &product) && write_proof(out, &proof) ? SOTER_SUCCESS
                                                                  : SOTER_BUFFER_TOO_SMALL;
}

/* Also compares: own factor * R with Pa - Pb. */
soter_status
themis_run_receive_product(struct themis_run *run, uint8_t number, struct soter_reader *in)
{
    struct soter_point product; /* public */
    struct soter_point compared;
    struct themis_proof proof; /* public */
    bool holds = false;
    soter_status status;
    if (!read_point(in, &product) || !read_proof(in, &proof)) {
        return SOTER_INVALID_PARAMETER;
    }
    status = themis_verify_product(number, &run->g3.peer, &run->q, &product, &proof, &holds);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = soter_group_multiply(&run->g3.own, &product, &compared);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    run->equal = soter_point_equal(&compared, &run->p);
    soter_wipe(&compared, sizeof compared);
    return holds ? SOTER_SUCCESS : lose(run);
}

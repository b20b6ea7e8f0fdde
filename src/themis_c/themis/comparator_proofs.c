/* SPDX-License-Identifier: Apache-2.0 */
#include "themis/comparator_proofs.h"

#include "soter/bytes.h"
#include "soter/wipe.h"

/* h(points || number): SHA-512 modulo L. */
static soter_status hash_to_scalar(const struct soter_point *points,
                                   size_t count,
                                   uint8_t number,
                                   struct soter_scalar *out)
{
    const struct soter_slice parts[] = {{(const uint8_t *)points, count * sizeof *points},
                                        {&number, 1}};
    uint8_t digest[SOTER_SHA512_SIZE]; /* public, as the challenge is */
    soter_status status = soter_sha512(parts, 2, digest);
    if (status == SOTER_SUCCESS) {
        soter_scalar_of_digest(digest, out);
    }
    return status;
}

/* point -= c * image, which judges the image if it came from the peer. */
static soter_status
take_away(const struct soter_scalar *c, const struct soter_point *image, struct soter_point *point)
{
    struct soter_point product; /* public, all of a proof being so */
    soter_status status = soter_group_multiply(c, image, &product);
    if (status == SOTER_SUCCESS) {
        status = soter_group_subtract(point, &product, point);
    }
    return status;
}

/* Whether the hash of what was found again is the challenge. Honest answers are below L; a larger
 * one would be a second proof made out of a first. */
static soter_status check(const struct soter_point *found,
                          size_t count,
                          uint8_t number,
                          const struct soter_scalar *challenge,
                          bool answers_reduced,
                          bool *holds)
{
    struct soter_scalar expected; /* public */
    soter_status status = hash_to_scalar(found, count, number, &expected);
    if (status == SOTER_SUCCESS) {
        *holds =
            soter_equal(expected.bytes, challenge->bytes, sizeof expected.bytes) && answers_reduced;
    }
    return status;
}

soter_status
themis_prove_knowledge(uint8_t number, const struct soter_scalar *a, struct themis_proof *proof)
{
    struct soter_scalar r;
    struct soter_point f;
    soter_status status = soter_scalar_random(&r);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    soter_group_multiply_base(&r, &f);
    status = hash_to_scalar(&f, 1, number, &proof->challenge);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    soter_scalar_multiply_add(&proof->challenge, a, &r, &proof->answer);
out:
    soter_wipe(&r, sizeof r);
    return status;
}

soter_status themis_verify_knowledge(uint8_t number,
                                     const struct soter_point *image,
                                     const struct themis_proof *proof,
                                     bool *holds)
{
    struct soter_point f; /* public */
    soter_status status;
    soter_group_multiply_base(&proof->answer, &f);
    status = take_away(&proof->challenge, image, &f);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return check(&f, 1, number, &proof->challenge, soter_scalar_is_reduced(&proof->answer), holds);
}

/* k * g. */
static soter_status multiply_generator(const struct soter_scalar *k,
                                       const struct themis_generator *g,
                                       struct soter_point *out)
{
    struct soter_scalar factor;
    soter_status status;
    soter_scalar_multiply(k, &g->own, &factor);
    status = soter_group_multiply(&factor, &g->peer, out);
    soter_wipe(&factor, sizeof factor);
    return status;
}

/* D's f(r, x) = (r g3, rB + x g2). */
static soter_status commit(const struct soter_scalar *r,
                           const struct soter_scalar *x,
                           const struct themis_generator *g2,
                           const struct themis_generator *g3,
                           struct soter_point out[2])
{
    struct soter_point blinding;
    soter_status status = multiply_generator(r, g3, &out[0]);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = multiply_generator(x, g2, &out[1]);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    soter_group_multiply_base(r, &blinding);
    status = soter_group_add(&blinding, &out[1], &out[1]);
out:
    soter_wipe(&blinding, sizeof blinding);
    return status;
}

soter_status themis_prove_commitment(uint8_t number,
                                     const struct soter_scalar *x,
                                     const struct themis_generator *g2,
                                     const struct themis_generator *g3,
                                     struct themis_commitment *commitment,
                                     struct themis_proof_of_two *proof)
{
    struct soter_scalar blinding;
    struct soter_scalar r[2];
    struct soter_point f[2];
    soter_status status = soter_scalar_random(&blinding);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = commit(&blinding, x, g2, g3, f);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    commitment->p = f[0];
    commitment->q = f[1];
    for (size_t i = 0; i < 2; i++) {
        status = soter_scalar_random(&r[i]);
        if (status != SOTER_SUCCESS) {
            goto out;
        }
    }
    status = commit(&r[0], &r[1], g2, g3, f);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = hash_to_scalar(f, 2, number, &proof->challenge);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    soter_scalar_multiply_add(&proof->challenge, &blinding, &r[0], &proof->answers[0]);
    soter_scalar_multiply_add(&proof->challenge, x, &r[1], &proof->answers[1]);
out:
    soter_wipe(&blinding, sizeof blinding);
    soter_wipe(r, sizeof r);
    soter_wipe(f, sizeof f);
    return status;
}

soter_status themis_verify_commitment(uint8_t number,
                                      const struct themis_commitment *commitment,
                                      const struct themis_generator *g2,
                                      const struct themis_generator *g3,
                                      const struct themis_proof_of_two *proof,
                                      bool *holds)
{
    struct soter_point f[2]; /* public */
    soter_status status = commit(&proof->answers[0], &proof->answers[1], g2, g3, f);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = take_away(&proof->challenge, &commitment->p, &f[0]);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = take_away(&proof->challenge, &commitment->q, &f[1]);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return check(f,
                 2,
                 number,
                 &proof->challenge,
                 soter_scalar_is_reduced(&proof->answers[0]) &&
                     soter_scalar_is_reduced(&proof->answers[1]),
                 holds);
}

/* E's f(a) = (aB, aX). */
static soter_status
multiply_both(const struct soter_scalar *a, const struct soter_point *x, struct soter_point out[2])
{
    soter_group_multiply_base(a, &out[0]);
    return soter_group_multiply(a, x, &out[1]);
}

soter_status themis_prove_product(uint8_t number,
                                  const struct soter_scalar *a,
                                  const struct soter_point *x,
                                  struct soter_point *product,
                                  struct themis_proof *proof)
{
    struct soter_scalar r;
    struct soter_point f[2];
    soter_status status = soter_group_multiply(a, x, product);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = soter_scalar_random(&r);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = multiply_both(&r, x, f);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = hash_to_scalar(f, 2, number, &proof->challenge);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    soter_scalar_multiply_add(&proof->challenge, a, &r, &proof->answer);
out:
    soter_wipe(&r, sizeof r);
    soter_wipe(f, sizeof f);
    return status;
}

soter_status themis_verify_product(uint8_t number,
                                   const struct soter_point *image,
                                   const struct soter_point *x,
                                   const struct soter_point *product,
                                   const struct themis_proof *proof,
                                   bool *holds)
{
    struct soter_point f[2]; /* public */
    soter_status status = multiply_both(&proof->answer, x, f);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = take_away(&proof->challenge, image, &f[0]);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    status = take_away(&proof->challenge, product, &f[1]);
    if (status != SOTER_SUCCESS) {
        return status;
    }
    return check(f, 2, number, &proof->challenge, soter_scalar_is_reduced(&proof->answer), holds);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "calls.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stddef.h>

static bool armed;
static long countdown;
static long counted;
static enum calls_fault fault;
static const char *hit;

int64_t calls_answer;

void calls_arm(long n, enum calls_fault wanted)
{
    countdown = n;
    counted = 0;
    fault = wanted;
    hit = NULL;
    armed = true;
}

long calls_disarm(void)
{
    armed = false;
    return counted;
}

const char *calls_hit(void)
{
    return hit;
}

static bool is_due(void)
{
    return armed && ++counted == countdown;
}

int calls_gate(unsigned index)
{
    const struct calls_function *function = &calls_functions[index];
    if (!is_due() || fault > CALLS_FAIL_NEGATIVE ||
        (fault == CALLS_FAIL_NEGATIVE && (!function->is_int || function->failure != 0))) {
        return 0;
    }
    calls_answer = fault == CALLS_FAIL ? function->failure : -1;
    hit = function->name;
    return 1;
}

/* ---- Those that can lie ---- */

#define FAILS(fault) ((fault) <= CALLS_FAIL_NEGATIVE)
#define FAILURE(fault) ((fault) == CALLS_FAIL ? 0 : -1)
#define LIES(fault) (1U << (fault))
#define EVERY_LIE                                                                                  \
    (LIES(CALLS_LIE_NOTHING) | LIES(CALLS_LIE_LESS) | LIES(CALLS_LIE_MORE) | LIES(CALLS_LIE_HUGE))
#define CRUDE_LIES (LIES(CALLS_LIE_NOTHING) | LIES(CALLS_LIE_HUGE))

/* Whether the call of this name is at fault, given what it is able to. */
static bool is_at_fault(const char *name, unsigned lies)
{
    if (!is_due() || (!FAILS(fault) && (lies & LIES(fault)) == 0)) {
        return false;
    }
    hit = name;
    return true;
}

static uint64_t lie(uint64_t length, uint64_t huge)
{
    switch (fault) {
    case CALLS_LIE_LESS:
        return length - 1;
    case CALLS_LIE_MORE:
        return length + 1;
    case CALLS_LIE_HUGE:
        return huge;
    default:
        return 0;
    }
}

/* A function that answers 1, and writes a length through a pointer of this type. */
#define WRAP(name, lies, type, huge, length, parameters, arguments)                                \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        const bool at_fault = is_at_fault(#name, lies);                                            \
        int answer;                                                                                \
        if (at_fault && FAILS(fault)) {                                                            \
            return FAILURE(fault);                                                                 \
        }                                                                                          \
        answer = __real_##name arguments;                                                          \
        if (at_fault && (length) != NULL) {                                                        \
            *(length) = (type)lie((uint64_t)*(length), huge);                                      \
        }                                                                                          \
        return answer;                                                                             \
    }

/* A function that answers a length. */
#define WRAP_ANSWER(name, result, lies, huge, parameters, arguments)                               \
    result __real_##name parameters;                                                               \
    result __wrap_##name parameters;                                                               \
    result __wrap_##name parameters                                                                \
    {                                                                                              \
        const bool at_fault = is_at_fault(#name, lies);                                            \
        result answer;                                                                             \
        if (at_fault && FAILS(fault)) {                                                            \
            return (result)FAILURE(fault);                                                         \
        }                                                                                          \
        answer = __real_##name arguments;                                                          \
        return at_fault ? (result)lie((uint64_t)answer, huge) : answer;                            \
    }

/* A function that answers 1, and makes a key: success without one. */
#define WRAP_KEY(name, made, parameters, arguments)                                                \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        const bool at_fault = is_at_fault(#name, LIES(CALLS_LIE_NOTHING));                         \
        int answer;                                                                                \
        if (at_fault && FAILS(fault)) {                                                            \
            return FAILURE(fault);                                                                 \
        }                                                                                          \
        answer = __real_##name arguments;                                                          \
        if (at_fault) {                                                                            \
            EVP_PKEY_free(*(made));                                                                \
            *(made) = NULL;                                                                        \
        }                                                                                          \
        return answer;                                                                             \
    }

WRAP(EVP_CipherUpdate,
     EVERY_LIE,
     int,
     INT_MAX,
     written,
     (EVP_CIPHER_CTX * ctx, unsigned char *out, int *written, const unsigned char *in, int in_len),
     (ctx, out, written, in, in_len))
WRAP(EVP_CipherFinal_ex,
     EVERY_LIE & ~LIES(CALLS_LIE_NOTHING),
     int,
     INT_MAX,
     written,
     (EVP_CIPHER_CTX * ctx, unsigned char *out, int *written),
     (ctx, out, written))
WRAP(EVP_DigestFinal_ex,
     EVERY_LIE,
     unsigned,
     UINT_MAX,
     written,
     (EVP_MD_CTX * ctx, unsigned char *out, unsigned *written),
     (ctx, out, written))
WRAP(EVP_PKEY_derive,
     EVERY_LIE,
     size_t,
     SIZE_MAX,
     written,
     (EVP_PKEY_CTX * ctx, unsigned char *out, size_t *written),
     (ctx, out, written))
/* How long one of EC really is, its length alone can tell. */
WRAP(EVP_PKEY_sign,
     EVP_PKEY_is_a(EVP_PKEY_CTX_get0_pkey(ctx), "RSA") == 1 ? EVERY_LIE : CRUDE_LIES,
     size_t,
     SIZE_MAX,
     written,
     (EVP_PKEY_CTX * ctx,
      unsigned char *out,
      size_t *written,
      const unsigned char *in,
      size_t in_len),
     (ctx, out, written, in, in_len))
WRAP(EVP_PKEY_encrypt,
     EVERY_LIE,
     size_t,
     SIZE_MAX,
     written,
     (EVP_PKEY_CTX * ctx,
      unsigned char *out,
      size_t *written,
      const unsigned char *in,
      size_t in_len),
     (ctx, out, written, in, in_len))
WRAP(EVP_PKEY_decrypt,
     EVERY_LIE,
     size_t,
     SIZE_MAX,
     written,
     (EVP_PKEY_CTX * ctx,
      unsigned char *out,
      size_t *written,
      const unsigned char *in,
      size_t in_len),
     (ctx, out, written, in, in_len))
WRAP(EVP_PKEY_get_octet_string_param,
     EVERY_LIE,
     size_t,
     SIZE_MAX,
     written,
     (const EVP_PKEY *pkey, const char *name, unsigned char *out, size_t room, size_t *written),
     (pkey, name, out, room, written))
WRAP(OSSL_ENCODER_to_data,
     CRUDE_LIES,
     size_t,
     SIZE_MAX,
     written,
     (OSSL_ENCODER_CTX * ctx, unsigned char **out, size_t *written),
     (ctx, out, written))
WRAP(OSSL_DECODER_from_data,
     LIES(CALLS_LIE_MORE) | LIES(CALLS_LIE_HUGE),
     size_t,
     SIZE_MAX,
     left,
     (OSSL_DECODER_CTX * ctx, const unsigned char **in, size_t *left),
     (ctx, in, left))
WRAP_ANSWER(BN_bn2binpad,
            int,
            EVERY_LIE,
            INT_MAX,
            (const BIGNUM *number, unsigned char *out, int len),
            (number, out, len))
WRAP_ANSWER(EC_POINT_point2oct,
            size_t,
            EVERY_LIE,
            SIZE_MAX,
            (const EC_GROUP *group,
             const EC_POINT *point,
             point_conversion_form_t form,
             unsigned char *out,
             size_t len,
             BN_CTX *ctx),
            (group, point, form, out, len, ctx))
WRAP_ANSWER(i2d_X509_SIG,
            int,
            CRUDE_LIES,
            INT_MAX,
            (const X509_SIG *value, unsigned char **out),
            (value, out))
WRAP_ANSWER(BIO_ctrl,
            long,
            CRUDE_LIES,
            LONG_MAX,
            (BIO * bio, int command, long number, void *data),
            (bio, command, number, data))
WRAP_ANSWER(EVP_PKEY_get_size, int, CRUDE_LIES, INT_MAX, (const EVP_PKEY *pkey), (pkey))
WRAP_ANSWER(EVP_PKEY_get_bits, int, EVERY_LIE, INT_MAX, (const EVP_PKEY *pkey), (pkey))
WRAP_KEY(EVP_PKEY_fromdata,
         made,
         (EVP_PKEY_CTX * ctx, EVP_PKEY **made, int selection, OSSL_PARAM *params),
         (ctx, made, selection, params))
WRAP_KEY(EVP_PKEY_generate, made, (EVP_PKEY_CTX * ctx, EVP_PKEY **made), (ctx, made))

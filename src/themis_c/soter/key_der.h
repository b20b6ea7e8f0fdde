/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of other software in DER: what form one has, and its container. Nothing here asks OpenSSL
 * what it thinks of the DER: the identifier of the algorithm decides first, sizes second, and then
 * the numbers are judged as those of any container. So no kind of key that is not ours costs work
 * (for DSA and DH, OpenSSL computes g^x as it reads them), and no size that no key of ours has. */
#ifndef SOTER_KEY_DER_H
#define SOTER_KEY_DER_H

#include "soter/bytes.h"
#include "soter/status.h"

enum soter_key_form {
    SOTER_FORM_UNKNOWN,
    SOTER_FORM_PKCS8,           /* RFC 5958: version, algorithm, OCTET STRING, attributes */
    SOTER_FORM_PKCS8_ENCRYPTED, /* algorithm, OCTET STRING */
    SOTER_FORM_SPKI,            /* RFC 5280: algorithm, BIT STRING */
    SOTER_FORM_SEC1,            /* RFC 5915: version, OCTET STRING, parameters, public key */
    SOTER_FORM_PKCS1_PRIVATE,   /* RFC 8017: version and eight numbers */
    SOTER_FORM_PKCS1_PUBLIC     /* two numbers */
};

/* The form, as far as the first values tell. */
enum soter_key_form soter_key_der_form(struct soter_slice der);

/* The container of a key in any form but the encrypted one; a public EC key is compressed.
 * INVALID_PARAMETER: not DER of this form. NOT_SUPPORTED: another algorithm, curve or size.
 * DATA_CORRUPT: its numbers make no sense, or do not belong together. */
SOTER_MUST_USE soter_status soter_key_from_der(struct soter_slice der,
                                               enum soter_key_form form,
                                               struct soter_owned *out);

#endif

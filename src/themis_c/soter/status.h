/* SPDX-License-Identifier: Apache-2.0 */
/* What every fallible function returns (specification, section 1: status codes). */
#ifndef SOTER_STATUS_H
#define SOTER_STATUS_H

#include "soter/compiler.h"

/* X(name, value, text); the values are part of Themis's API in every language. */
#define SOTER_STATUS_LIST(X)                                                                       \
    X(SUCCESS, 0, "success")                                                                       \
    X(SEND_OUTPUT_TO_PEER, 1, "the output has to be sent to the peer")                             \
    X(FAIL, 11, "the operation failed")                                                            \
    X(INVALID_PARAMETER, 12, "an argument is invalid")                                             \
    X(NO_MEMORY, 13, "out of memory")                                                              \
    X(BUFFER_TOO_SMALL, 14, "the output buffer is too small")                                      \
    X(DATA_CORRUPT, 15, "the data is corrupted")                                                   \
    X(INVALID_SIGNATURE, 16, "the signature does not match")                                       \
    X(NOT_SUPPORTED, 17, "not supported")                                                          \
    X(ENGINE_FAIL, 18, "the cryptographic library failed")                                         \
    X(SSESSION_KA_NOT_FINISHED, 19, "the session is not established")                              \
    X(SSESSION_TRANSPORT_ERROR, 20, "the transport failed")                                        \
    X(SSESSION_GET_PUB_FOR_ID_CALLBACK_ERROR, 21, "no public key is known for the peer's id")

#define SOTER_STATUS_VALUE(name, value, text) SOTER_##name = value,
enum soter_status_code { SOTER_STATUS_LIST(SOTER_STATUS_VALUE) };
#undef SOTER_STATUS_VALUE

/* One of the codes. An int, as in themis.h, because compilers disagree about the signedness of an
 * enum. */
typedef int soter_status;

/* The text of a status; a static string. */
const char *soter_status_text(soter_status status);

#endif

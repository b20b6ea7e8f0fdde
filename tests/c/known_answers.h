/* SPDX-License-Identifier: Apache-2.0 */
/* What is checked of each kind of line. */
#ifndef KNOWN_ANSWERS_H
#define KNOWN_ANSWERS_H

#include "lines.h"

typedef bool check(const struct line *line);

/* cells.c */
check check_seal, check_token, check_imprint, check_passphrase;
/* keys.c */
check check_kdf, check_container, check_pair, check_validity, check_signed, check_encrypted;
/* forks.c */
check check_forks;
/* protocols.c */
check check_secrets, check_client, check_server, check_data, check_session, check_comparison;

/* Fails a check, and says where. */
#define DEMAND(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            is_right = false;                                                                      \
            goto out;                                                                              \
        }                                                                                          \
    } while (0)

#endif

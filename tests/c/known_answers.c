/* SPDX-License-Identifier: Apache-2.0 */
/* The C core without Python: reads known answers (lines.h) from the standard input, checks each,
 * and says at the end how many held. For machines that Python does not run on. With the argument
 * "evp" it goes the ways to the FIPS provider, which the default one answers as well. */
#include "known_answers.h"

#include <stdlib.h>
#include <string.h>

#include "soter/libcrypto.h"
#include "themis.h"

static const struct {
    const char *kind;
    check *holds;
    size_t fields;
} kinds[] = {
    {"kdf", check_kdf, 4},
    {"container", check_container, 3},
    {"seal", check_seal, 6},
    {"token", check_token, 6},
    {"imprint", check_imprint, 4},
    {"passphrase", check_passphrase, 5},
    {"pair", check_pair, 6},
    {"validity", check_validity, 2},
    {"signed", check_signed, 4},
    {"encrypted", check_encrypted, 5},
    {"secrets", check_secrets, 6},
    {"client", check_client, 8},
    {"server", check_server, 8},
    {"data", check_data, 12},
    {"session", check_session, 6},
    {"comparison", check_comparison, 3},
    {"forks", check_forks, 1},
};

static bool holds(const struct line *line)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(line->kind, kinds[i].kind) == 0) {
            return line->count == kinds[i].fields && kinds[i].holds(line);
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    struct line line = {0};
    size_t held = 0;
    size_t failed = 0;
    if (themis_init() != THEMIS_SUCCESS) {
        fprintf(stderr, "known_answers: the core does not start\n");
        return 2;
    }
    soter_libcrypto.is_fips = argc > 1 && strcmp(argv[1], "evp") == 0;
    while (line_next(stdin, &line)) {
        if (holds(&line)) {
            held++;
        } else {
            failed++;
            printf("failed: %s %s\n", line.kind, line.name);
        }
    }
    printf("%zu held, %zu failed; pointers of %zu bits\n", held, failed, 8 * sizeof(void *));
    return failed == 0 && held != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

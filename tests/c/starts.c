/* SPDX-License-Identifier: Apache-2.0 */
/* The start of the core again and again, each time in a child that has not started yet, and with
 * the next of its allocations, of its calls into the libraries and the system at fault.
 *
 *   starts LIMIT
 *
 * LIMIT: of the allocations, so many are tried; of the calls, every one. 0: all. A start fails with
 * a status, or what was started works. Leaves with 1 if anything was found.
 *
 *   starts control
 *
 * takes failures for success, on purpose. Exits with 1 if the tests do not notice. */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "memory.h"
#include "themis.h"

enum family { MEMORY, MEMORY_FOR_GOOD, CALL, FAMILIES = CALL + CALLS_FAULTS };

static const char *const family_names[FAMILIES] = {
    "allocation",
    "allocations from",
    "call fails",
    "call answers -1",
    "call lies nothing",
    "call lies less",
    "call lies more",
    "call lies huge",
};

/* What a child tells; in memory that it shares with its parent. */
struct told {
    long places;
    bool struck;
    bool refused;
    char hit[64];
    char finding[64];
};

static struct told *told;
static long injected[FAMILIES];
static long refused[FAMILIES];
static long findings;

static int start_blindly(void)
{
    (void)themis_init();
    return THEMIS_SUCCESS;
}

static int (*start)(void) = themis_init;

static bool seals(void)
{
    static const uint8_t key[32] = "a key";
    static const uint8_t text[20] = "a text";
    uint8_t sealed[sizeof text + THEMIS_CELL_TOKEN_SIZE];
    uint8_t opened[sizeof text] = {0};
    themis_cell *cell = NULL;
    const bool done =
        themis_cell_new(key, sizeof key, 0, &cell) == THEMIS_SUCCESS &&
        themis_cell_seal(cell,
                         text,
                         sizeof text,
                         NULL,
                         0,
                         sealed,
                         sizeof text + THEMIS_CELL_TOKEN_SIZE) == THEMIS_SUCCESS &&
        themis_cell_unseal(cell,
                           sealed,
                           sizeof sealed,
                           NULL,
                           0,
                           opened,
                           sizeof sealed - THEMIS_CELL_TOKEN_SIZE) == THEMIS_SUCCESS &&
        memcmp(opened, text, sizeof text) == 0;
    themis_cell_free(cell);
    return done;
}

/* A compressed key is read, which takes a root, and verifies what its other half signed. */
static bool signs(int bits)
{
    uint8_t private_key[100];
    uint8_t public_key[100];
    uint8_t header[THEMIS_SIGNED_HEADER_SIZE];
    uint8_t signature[200];
    size_t len = sizeof signature;
    themis_signer *signer = NULL;
    const size_t private_len = themis_key_size(THEMIS_KEY_EC, 1, bits, 0);
    const bool done =
        themis_key_pair(THEMIS_KEY_EC,
                        bits,
                        0,
                        private_key,
                        sizeof private_key,
                        public_key,
                        sizeof public_key) == THEMIS_SUCCESS &&
        themis_signer_new(private_key, private_len, &signer) == THEMIS_SUCCESS &&
        themis_signer_sign(signer, public_key, 40, header, signature, &len) == THEMIS_SUCCESS;
    themis_signer_free(signer);
    return done;
}

static const char *judge_start(void)
{
    if (!seals() || !signs(256) || !signs(384) || !signs(521)) {
        return "success, and what was started does not work";
    }
    return NULL;
}

static const char *judge(int status)
{
    if (ERR_peek_error() != 0) {
        return "OpenSSL's errors are left for others to find";
    }
    if (status == THEMIS_SUCCESS) {
        return judge_start();
    }
    told->refused = true;
    if (!told->struck) {
        return "fails by itself";
    }
    if (status != THEMIS_ENGINE_FAIL && status != THEMIS_NO_MEMORY) {
        return "the status is another one";
    }
    /* What began and failed stays so; what did not begin may begin now. */
    return start() == THEMIS_SUCCESS ? judge_start() : NULL;
}

/* In the child: an ordinary end, for what the libraries do then is part of it. */
static _Noreturn void be_child(enum family family, long n)
{
    const char *finding;
    int status;
    memory_arm(family <= MEMORY_FOR_GOOD ? n : 0, family == MEMORY_FOR_GOOD);
    calls_arm(family >= CALL ? n : 0, family >= CALL ? (enum calls_fault)(family - CALL) : 0);
    status = start();
    told->places = memory_disarm();
    if (family >= CALL) {
        told->places = calls_disarm();
        snprintf(told->hit, sizeof told->hit, "%s", calls_hit() != NULL ? calls_hit() : "");
    } else {
        calls_disarm();
    }
    told->struck = n != 0 && told->places >= n && (family < CALL || calls_hit() != NULL);
    finding = judge(status);
    snprintf(told->finding, sizeof told->finding, "%s", finding != NULL ? finding : "");
    exit(EXIT_SUCCESS);
}

/* The n-th place of the family; 0 to count them. */
static void inject(enum family family, long n)
{
    pid_t child;
    int status = -1;
    memset(told, 0, sizeof *told);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        be_child(family, n);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("starts");
        exit(2);
    }
    if (status != 0) {
        snprintf(told->finding, sizeof told->finding, "it ended with %d", status);
    }
    if (told->finding[0] != '\0') {
        printf("start, %s %ld %s: %s\n", family_names[family], n, told->hit, told->finding);
        findings++;
    }
    injected[family] += told->struck;
    refused[family] += told->refused;
}

static void sweep(enum family family, long limit)
{
    long places;
    long stride = 1;
    inject(family, 0);
    places = told->places;
    if (family < CALL && limit != 0 && places > limit) {
        stride = places / limit + 1;
    }
    for (long n = 1; n <= places; n += stride) {
        inject(family, n);
    }
}

int main(int argc, char **argv)
{
    const bool is_control = argc > 1 && strcmp(argv[1], "control") == 0;
    const long limit = argc > 1 && !is_control ? strtol(argv[1], NULL, 10) : 0;
    long total = 0;
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED) {
        perror("starts");
        return 2;
    }
    if (is_control) {
        start = start_blindly;
        sweep(CALL, 0);
        return findings == 0;
    }
    for (int family = 0; family < FAMILIES; family++) {
        sweep((enum family)family, limit);
    }
    for (int family = 0; family < FAMILIES; family++) {
        printf("%-20s %8ld injected, %8ld refused\n",
               family_names[family],
               injected[family],
               refused[family]);
        total += injected[family];
    }
    printf("%ld faults in starts, %ld findings\n", total, findings);
    return findings != 0;
}

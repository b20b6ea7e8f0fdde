/* SPDX-License-Identifier: Apache-2.0 */
/* All operations, and what they begin with. */
#include "operations.h"

#include "operations/stage.h"
#include "random.h"
#include "soter/rand.h"

#define OPERATIONS_MAX 400

static struct operation all[OPERATIONS_MAX];
const struct operation *const operations = all;

static const struct operation *const systems[] = {
    cell_operations,
    piece_operations,
    passphrase_operations,
    key_operations,
    message_operations,
    session_operations,
    comparator_operations,
    ring_operations,
    column_operations,
    sealed_operations,
    secret_operations,
};

static void gather(void)
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        for (const struct operation *one = systems[i]; one->name != NULL; one++) {
            if (count == OPERATIONS_MAX - 1) {
                stage_fail("more operations than there is room for");
            }
            all[count++] = *one;
        }
    }
}

/* Draws public random bytes until the generator is asked for more (and not for fresh bits alone):
 * how many there were. */
static long draw_until_asked(void)
{
    uint8_t byte;
    long drawn = 0;
    random_arm(0, false);
    do {
        must(soter_rand_public(&byte, 1), "to draw");
        drawn++;
    } while (random_disarm() == 1 && (random_arm(0, false), true));
    return drawn;
}

void operations_drain(void)
{
    static long ahead; /* so many are drawn ahead */
    uint8_t byte;
    draw_until_asked();
    if (ahead == 0) {
        ahead = draw_until_asked();
    }
    for (long i = 1; i < ahead; i++) {
        must(soter_rand_public(&byte, 1), "to draw");
    }
}

static void make_pair(struct pair *pair)
{
    const size_t private_len = themis_key_size(pair->algorithm, 1, pair->bits, 0);
    const size_t public_len = themis_key_size(pair->algorithm, 0, pair->bits, 0);
    must(themis_key_pair(pair->algorithm,
                         pair->bits,
                         0,
                         pair->private_key,
                         themis_key_size(pair->algorithm, 1, pair->bits, 0),
                         pair->public_key,
                         themis_key_size(pair->algorithm, 0, pair->bits, 0)),
         "a pair of keys");
    pair->private_len = private_len;
    pair->public_len = public_len;
}

void operations_init(void)
{
    random_restart(1);
    must(themis_init(), "to start");
    for (int i = 0; i < KINDS; i++) {
        make_pair(&pairs[i]);
    }
    for (int i = 0; i < 2; i++) {
        ephemeral[i] = pairs[EC_256];
        make_pair(&ephemeral[i]);
    }
    make_work_to_seal();
    gather();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The processor is asked first: it takes a tenth of the time of a system call, and a virtual
 * machine that is restored twice brings the state of its kernel's generator back, but not the
 * processor's. */
#if defined(_WIN32)
#define _CRT_RAND_S
#elif defined(__linux__)
#define _GNU_SOURCE 1
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE 1
#endif

#include "soter/entropy.h"

#include <string.h>

#include "soter/wipe.h"

#if defined(_WIN32)

#include <stdlib.h>

static bool from_kernel(uint8_t *out, size_t out_len)
{
    unsigned int word = 0;
    bool done = true;
    for (size_t at = 0; done && at < out_len; at += sizeof word) {
        const size_t left = out_len - at;
        done = rand_s(&word) == 0;
        memcpy(out + at, &word, left < sizeof word ? left : sizeof word);
    }
    soter_wipe(&word, sizeof word);
    return done;
}

#elif defined(__linux__)

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The system call itself. The function of the C library may draw from a state in the memory of the
 * process (glibc from 2.41 on, in the vDSO), which a restored snapshot brings back. */
static bool from_kernel(uint8_t *out, size_t out_len)
{
    while (out_len != 0) {
        const long got = syscall(SYS_getrandom, out, out_len, 0);
        if (got > 0) {
            out += got;
            out_len -= (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

#else

#if defined(__APPLE__)
#include <sys/random.h>
#else
#include <unistd.h>
#endif

#define GETENTROPY_MAX 256

static bool from_kernel(uint8_t *out, size_t out_len)
{
    for (size_t at = 0; at < out_len; at += GETENTROPY_MAX) {
        const size_t left = out_len - at;
        if (getentropy(out + at, left < GETENTROPY_MAX ? left : GETENTROPY_MAX) != 0) {
            return false;
        }
    }
    return true;
}

#endif

#if defined(SOTER_RDRAND)

static bool has_rdrand;

void soter_entropy_init(void)
{
    has_rdrand = SOTER_RDRAND_PRESENT();
}

/* After a suspend some processors returned all ones and reported success. A stuck generator is
 * detected: at least two words are drawn, and no word may equal the one before it. */
SOTER_RDRAND_FUNCTION static bool from_processor(uint8_t *out, size_t out_len)
{
    unsigned long long words[2] = {0, 0};
    const size_t count = out_len > sizeof words ? (out_len + 7) / 8 : 2;
    bool done = has_rdrand;
    for (size_t i = 0; done && i < count; i++) {
        unsigned long long *word = &words[i % 2];
        done = SOTER_RDRAND(word) && *word != 0 && ~*word != 0 && words[0] != words[1];
        if (8 * i < out_len) {
            const size_t left = out_len - 8 * i;
            memcpy(out + 8 * i, word, left < 8 ? left : 8);
        }
    }
    soter_wipe(words, sizeof words);
    return done;
}

#else

void soter_entropy_init(void)
{
}

static bool from_processor(uint8_t *out, size_t out_len)
{
    (void)out;
    (void)out_len;
    return false;
}

#endif

bool soter_entropy(uint8_t *out, size_t out_len)
{
    return from_processor(out, out_len) || from_kernel(out, out_len);
}

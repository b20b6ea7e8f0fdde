/* SPDX-License-Identifier: Apache-2.0 */
/* The box that keys and session messages travel in. Input: flags, then bytes as they are or with
 * their checksum mended, or a payload to put into a box.
 *
 * Promises: nothing beyond the size is read; a box that was written is read again; one bit wrong
 * in it, and it is refused. */
#include <stdlib.h>
#include <string.h>

#include "common/fuzz.h"

enum { FLAG_WRITE = 1, FLAG_MEND = 2, HEADER_SIZE = 12 };

static int read_box(struct soter_slice bytes, const char *tag, size_t *payload_len)
{
    uint8_t *copy = fuzz_copy(bytes);
    const int status = themis_testing_container_read(copy, bytes.len, tag, payload_len);
    MUST(status == THEMIS_SUCCESS || status == THEMIS_INVALID_PARAMETER ||
         status == THEMIS_DATA_CORRUPT);
    if (status == THEMIS_SUCCESS) {
        MUST(*payload_len <= bytes.len - HEADER_SIZE && memcmp(bytes.data, tag, 4) == 0);
    } else {
        MUST(*payload_len == 0);
    }
    free(copy);
    return status;
}

static void read_any(struct soter_slice bytes, bool mend)
{
    static struct fuzz_message message;
    char tag[5] = {0};
    size_t payload_len = 0;
    size_t mended = 0;
    int status;
    fuzz_set(&message, bytes);
    if (mend) {
        mended = fuzz_mend(&message, 0);
    }
    memcpy(tag, message.bytes, bytes.len < 4 ? bytes.len : 4);
    status = read_box(fuzz_slice(&message), tag, &payload_len);
    MUST(mended == 0 || (status == THEMIS_SUCCESS && payload_len == mended - HEADER_SIZE));
    if (status == THEMIS_SUCCESS) {
        tag[0] ^= 1;
        payload_len = 0;
        MUST(strlen(tag) != 4 ||
             read_box(fuzz_slice(&message), tag, &payload_len) == THEMIS_INVALID_PARAMETER);
    }
}

static void write_and_change(fuzz_input *input)
{
    static struct fuzz_message box;
    const uint32_t bit = fuzz_number(input);
    const struct soter_slice payload = fuzz_field(input);
    const struct soter_slice behind = fuzz_field(input);
    size_t payload_len = 0;
    memset(box.bytes, 0, HEADER_SIZE);
    box.len = HEADER_SIZE + payload.len;
    if (payload.len != 0) {
        memcpy(box.bytes + HEADER_SIZE, payload.data, payload.len);
    }
    MUST(themis_testing_container_write(box.bytes, box.len, "TEST") == THEMIS_SUCCESS);
    if (behind.len <= sizeof box.bytes - box.len && behind.len != 0) {
        memcpy(box.bytes + box.len, behind.data, behind.len);
        box.len += behind.len;
    }
    MUST(read_box(fuzz_slice(&box), "TEST", &payload_len) == THEMIS_SUCCESS);
    MUST(payload_len == payload.len);
    box.bytes[bit / 8 % (HEADER_SIZE + payload.len)] ^= (uint8_t)(1U << bit % 8);
    payload_len = 0;
    MUST(read_box(fuzz_slice(&box), "TEST", &payload_len) != THEMIS_SUCCESS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = fuzz_start(data, size);
    const uint8_t flags = fuzz_byte(&input);
    uint8_t small[HEADER_SIZE] = {0};
    if ((flags & FLAG_WRITE) != 0) {
        write_and_change(&input);
    } else {
        read_any(fuzz_field(&input), (flags & FLAG_MEND) != 0);
    }
    MUST(themis_testing_container_write(small, flags % HEADER_SIZE, "TEST") ==
         THEMIS_INVALID_PARAMETER);
    return 0;
}

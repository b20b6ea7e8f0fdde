/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"
#include "soter/container.c"
#include "soter/key.c"
#include "soter/key_container.c"

/* fault: soter/container.c: size > reader->left) => size > reader->left + 1) */
bool container(void)
{
    const bool fits = be(4) >= 12 && be(4) <= in_len;
    struct soter_reader reader = {in, in_len};
    struct soter_container read;
    soter_status status = soter_container_read(&reader, &read);
    CLAIM((status == SOTER_SUCCESS) == (fits && le(8) == checksums[0]));
    CLAIM((status == SOTER_DATA_CORRUPT) == (fits && le(8) != checksums[0]));
    if (status == SOTER_SUCCESS) {
        CLAIM(read.tag == in && read.payload == in + 12 && read.payload_len == be(4) - 12);
        CLAIM(reader.at == in + be(4) && reader.left == in_len - be(4));
        CLAIM(soter_container_has_tag(&read, "TSPM") == (be(0) == 0x5453504D));
    } else {
        CLAIM(reader.at == in && reader.left == in_len);
    }
    checksums[1] = checksums[2] = checksums[0];
    status = soter_container_finish(in, in_len, "TSPM");
    CLAIM((status == SOTER_SUCCESS) == (in_len >= 12));
    if (status == SOTER_SUCCESS) {
        soter_reader_init(&reader, in, in_len);
        CLAIM(soter_container_read(&reader, &read) == SOTER_SUCCESS && reader.left == 0);
        CLAIM(soter_container_has_tag(&read, "TSPM"));
    }
    return status == SOTER_SUCCESS;
}

/* Stand for the lengths of payloads, which ec_payload and rsa_payload prove. */
static bool fits_ec(const struct soter_key_kind *kind, size_t size) { return size % 2 == 0; }
static bool fits_rsa(const struct soter_key_kind *kind, size_t size) { return size % 2 == 1; }
const struct soter_key_functions soter_ec_key_functions = {.payload_fits = fits_ec};
const struct soter_key_functions soter_rsa_key_functions = {.payload_fits = fits_rsa};

/* The bits of EC and of RSA keys, by the last character of their tags. */
static const uint16_t bits_of[2][9] = {{[2] = 256, [3] = 384, [5] = 521},
                                       {[1] = 1024, [2] = 2048, [4] = 4096, [8] = 8192}};

/* fault: soter/key_container.c: *kind == NULL || reader.left != 0 => *kind == NULL */
bool key_inspect(void)
{
    const struct soter_key_kind *kind = NULL;
    const soter_status status = soter_key_inspect(in, in_len, &kind);
    const bool is_whole = in_len >= 12 && be(4) == in_len && le(8) == checksums[0];
    const bool is_half = is_whole && (in[0] == 'U' || in[0] == 'R');
    const bool is_ec = is_half && memcmp(in + 1, "EC", 2) == 0;
    const bool is_rsa = is_half && memcmp(in + 1, "RA", 2) == 0;
    const size_t digit = is_ec || is_rsa ? in[3] - (size_t)'0' : 0;
    const size_t bits = digit < 9 ? bits_of[is_rsa][digit] : 0;
    CLAIM((status == SOTER_SUCCESS) == (bits != 0 && in_len % 2 == is_rsa));
    if (status == SOTER_SUCCESS) {
        CLAIM(kind->is_private == (in[0] == 'R') && kind->bits == bits);
        CLAIM((kind->algorithm == SOTER_KEY_EC) == is_ec);
    }
    return status == SOTER_SUCCESS;
}

/* From here on, a container is read as `container` has proved it. These are the sizes of those that
 * follow one another; less than 12 stands for all that is refused. */
static size_t sizes[3];

static soter_status take(struct soter_reader *reader, struct soter_container *out)
{
    const size_t size = sizes[asked++ % 3];
    if (size < 12 || size > reader->left) {
        return nondet_bool() ? SOTER_DATA_CORRUPT : SOTER_INVALID_PARAMETER;
    }
    *out = (struct soter_container){reader->at, reader->at + 12, size - 12};
    reader->at += size;
    reader->left -= size;
    return SOTER_SUCCESS;
}

#define soter_container_read(reader, out) take(reader, out)
#include "themis/session_wire.c"

/* fault: themis/session_wire.c: id.payload_len == 0 || => id.payload_len == 1 || */
bool session_hello(void)
{
    struct themis_session_hello hello;
    const size_t size = sizes[0] = any_len(), id = sizes[1] = any_len(), key = sizes[2] = any_len();
    const size_t rest = 12 + id + key;
    const soter_status status = themis_session_read_hello(in, in_len, &hello);
    CLAIM((status == SOTER_SUCCESS) ==
          (size <= in_len && id > 12 && (key == 45 || key == 77) && size >= rest + 8 &&
           size <= rest + 144 && memcmp(in, "TSPM", 4) == 0 && memcmp(in + 12, "TSID", 4) == 0 &&
           memcmp(in + 12 + id, "UEC2", 4) == 0));
    if (status == SOTER_SUCCESS) {
        CLAIM(hello.id.data == in + 24 && hello.id.len == id - 12);
        CLAIM(hello.ephemeral.data == in + 12 + id && hello.ephemeral.len == key);
        CLAIM(hello.signature.data == in + rest && hello.signature.len == size - rest);
    }
    return status == SOTER_SUCCESS;
}

/* fault: themis/session_wire.c: SIGNATURE_MAX + THEMIS_SESSION_MAC_SIZE, => SIGNATURE_MAX, */
bool session_proof(void)
{
    struct themis_session_proof proof;
    const uint8_t *mac;
    const size_t size = sizes[0] = any_len();
    const bool is_message = size >= 12 && size <= in_len && memcmp(in, "TSPM", 4) == 0;
    soter_status status = themis_session_read_proof(in, in_len, &proof);
    CLAIM((status == SOTER_SUCCESS) == (is_message && size >= 12 + 40 && size <= 12 + 176));
    if (status == SOTER_SUCCESS) {
        CLAIM(proof.signature.data == in + 12 && proof.signature.len == size - 44);
        CLAIM(proof.mac == in + size - 32);
    }
    asked = 0;
    status = themis_session_read_finish(in, in_len, &mac);
    CLAIM((status == SOTER_SUCCESS) == (is_message && size == 12 + 32));
    CLAIM(status != SOTER_SUCCESS || mac == in + 12);
    return status == SOTER_SUCCESS;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A data message (specification, section 5):
 *
 *   0              4                  20                                     36 + n
 *   | sid reversed | iv 12, unused 4  | GCM ciphertext ...                   | tag 16 |
 *
 * and what is encrypted in it, all numbers big-endian:
 *
 *   0            4                 8              16
 *   | 12 + n     | sequence number | unix seconds | message of n bytes ... |
 *
 * The session id is reversed because the first version kept it as a number of the host. The iv
 * field has 16 bytes where GCM takes 12; the four that nothing uses are random as well. */
#include "themis/session_channel.h"

#include <assert.h>
#include <string.h>

#include "soter/aead.h"
#include "soter/bytes.h"
#include "soter/locked.h"
#include "soter/rand.h"
#include "soter/wipe.h"
#include "themis.h"

#define NONCE_FIELD_SIZE 16
#define HEADER_SIZE 16
#define COUNTED_HEADER_SIZE 12 /* the length field does not count itself */
#define JOINED_MAX 256         /* bytes of a message that is short enough to be copied */

static_assert(THEMIS_SESSION_OVERHEAD ==
                  THEMIS_SESSION_SID_SIZE + NONCE_FIELD_SIZE + HEADER_SIZE + SOTER_AEAD_TAG_SIZE,
              "what surrounds a message");
static_assert(THEMIS_SESSION_PAYLOAD_OFFSET ==
                  THEMIS_SESSION_SID_SIZE + NONCE_FIELD_SIZE + HEADER_SIZE,
              "what stands before the message");
static_assert(NONCE_FIELD_SIZE >= SOTER_AEAD_NONCE_SIZE, "the iv stands in its field");

static const struct soter_aead_key kept_for_writing = {NULL, THEMIS_SESSION_KEY_SIZE, true};
static const struct soter_aead_key kept_for_reading = {NULL, THEMIS_SESSION_KEY_SIZE, false};

struct themis_session_channel {
    soter_aead *writing;
    soter_aead *reading;
    uint8_t sid_reversed[THEMIS_SESSION_SID_SIZE];
    uint32_t next;    /* the number of the next message to write */
    uint64_t written; /* how many were written */
    bool broken;
    struct themis_session_window window;
};

static soter_status
keyed_aead(const uint8_t bytes[THEMIS_SESSION_KEY_SIZE], bool encrypts, soter_aead **out)
{
    const struct soter_aead_key key = {bytes, THEMIS_SESSION_KEY_SIZE, encrypts};
    soter_status status = soter_aead_new(out);
    if (status == SOTER_SUCCESS) {
        status = soter_aead_set_key(*out, &key);
    }
    return status;
}

soter_status themis_session_channel_new(const struct themis_session_secrets *secrets,
                                        bool is_client,
                                        bool reject_duplicates,
                                        themis_session_channel **out)
{
    const uint8_t *own_key = is_client ? secrets->client_key : secrets->server_key;
    const uint8_t *peer_key = is_client ? secrets->server_key : secrets->client_key;
    soter_status status;
    themis_session_channel *channel = soter_locked_new(sizeof *channel);
    if (channel == NULL) {
        return SOTER_NO_MEMORY;
    }
    status = keyed_aead(own_key, true, &channel->writing);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    status = keyed_aead(peer_key, false, &channel->reading);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    for (size_t i = 0; i < THEMIS_SESSION_SID_SIZE; i++) {
        channel->sid_reversed[i] = secrets->sid[THEMIS_SESSION_SID_SIZE - 1 - i];
    }
    channel->next = is_client ? secrets->client_number : secrets->server_number;
    themis_session_window_init(&channel->window,
                               is_client ? secrets->server_number : secrets->client_number,
                               reject_duplicates);
    *out = channel;
    channel = NULL;
out:
    themis_session_channel_free(channel);
    return status;
}

void themis_session_channel_free(themis_session_channel *channel)
{
    if (channel != NULL) {
        soter_aead_free(channel->writing);
        soter_aead_free(channel->reading);
        soter_locked_free(channel, sizeof *channel);
    }
}

bool themis_session_channel_is_broken(const themis_session_channel *channel)
{
    return channel->broken;
}

#ifdef THEMIS_TESTING
void themis_session_channel_set_numbers(themis_session_channel *channel,
                                        uint32_t next_written,
                                        uint32_t next_read)
{
    channel->next = next_written;
    themis_session_window_init(&channel->window, next_read, channel->window.reject_duplicates);
}

void themis_session_channel_set_counts(themis_session_channel *channel,
                                       uint64_t written,
                                       uint64_t moved)
{
    channel->written = written;
    channel->window.moved = moved;
}
#endif

static bool
write_header(uint8_t header[HEADER_SIZE], size_t message_len, uint32_t number, uint64_t now)
{
    struct soter_writer writer;
    soter_writer_init(&writer, header, HEADER_SIZE);
    return soter_write_u32be(&writer, (uint32_t)(COUNTED_HEADER_SIZE + message_len)) &&
           soter_write_u32be(&writer, number) && soter_write_u64be(&writer, now);
}

/* Encrypts header and message in one piece where the message is short: copying it takes less than
 * another call into libcrypto. */
static soter_status encrypt(soter_aead *aead,
                            const uint8_t header[HEADER_SIZE],
                            const uint8_t *message,
                            size_t message_len,
                            uint8_t *encrypted,
                            uint8_t *tag)
{
    uint8_t joined[HEADER_SIZE + JOINED_MAX];
    soter_status status;
    if (message_len > JOINED_MAX) {
        status = soter_aead_part(aead, header, HEADER_SIZE, encrypted);
        return status == SOTER_SUCCESS
                   ? soter_aead_encrypt(aead, message, message_len, encrypted + HEADER_SIZE, tag)
                   : status;
    }
    memcpy(joined, header, HEADER_SIZE);
    memcpy(joined + HEADER_SIZE, message, message_len);
    status = soter_aead_encrypt(aead, joined, HEADER_SIZE + message_len, encrypted, tag);
    soter_wipe(joined, HEADER_SIZE + message_len);
    return status;
}

soter_status themis_session_channel_wrap(themis_session_channel *channel,
                                         uint64_t now,
                                         const uint8_t *message,
                                         size_t message_len,
                                         uint8_t *out,
                                         const char **why)
{
    soter_status status;
    uint8_t header[HEADER_SIZE];
    struct soter_writer writer;
    /* public; used from here, because other threads may write to `out` */
    uint8_t nonce[NONCE_FIELD_SIZE];
    uint8_t *nonce_field;
    uint8_t *encrypted;
    uint8_t *tag;
    if (message_len == 0 || (uint64_t)message_len > THEMIS_SESSION_MESSAGE_MAX) {
        return SOTER_INVALID_PARAMETER;
    }
    if (channel->written >= THEMIS_SESSION_WRITES_MAX) {
        *why = "the session is exhausted: it has written 2^32 messages, the limit of its key; make "
               "a new session";
        return SOTER_NOT_SUPPORTED;
    }
    soter_writer_init(&writer, out, message_len + THEMIS_SESSION_OVERHEAD);
    if (!soter_write_bytes(&writer, channel->sid_reversed, THEMIS_SESSION_SID_SIZE) ||
        !soter_write_room(&writer, NONCE_FIELD_SIZE, &nonce_field) ||
        !soter_write_room(&writer, HEADER_SIZE + message_len, &encrypted) ||
        !soter_write_room(&writer, SOTER_AEAD_TAG_SIZE, &tag) ||
        !write_header(header, message_len, channel->next, now)) {
        return SOTER_INVALID_PARAMETER;
    }
    status = soter_rand_public(nonce, sizeof nonce);
    if (status != SOTER_SUCCESS) {
        goto out;
    }
    memcpy(nonce_field, nonce, sizeof nonce);
    status = soter_aead_start(channel->writing, &kept_for_writing, nonce, NULL, 0);
    if (status == SOTER_SUCCESS) {
        status = encrypt(channel->writing, header, message, message_len, encrypted, tag);
    }
    if (status != SOTER_SUCCESS) {
        channel->broken = true;
        goto out;
    }
    channel->next++;
    channel->written++;
out:
    soter_wipe(header, sizeof header);
    return status;
}

/* Judges the fields of a message that is authentic. */
static soter_status judge(const struct themis_session_channel *channel,
                          const uint8_t header[HEADER_SIZE],
                          size_t message_len,
                          uint64_t now,
                          uint32_t *number,
                          const char **why)
{
    struct soter_reader reader;
    uint32_t length;
    uint64_t written;
    soter_reader_init(&reader, header, HEADER_SIZE);
    if (!soter_read_u32be(&reader, &length) || !soter_read_u32be(&reader, number) ||
        !soter_read_u64be(&reader, &written) ||
        length != (uint64_t)COUNTED_HEADER_SIZE + message_len) {
        *why = "the length that the peer wrote does not match its message";
        return SOTER_DATA_CORRUPT;
    }
    if ((written > now ? written - now : now - written) > THEMIS_SESSION_MAX_AGE) {
        *why = "the message was written more than a day before or after this machine's time; "
               "check the clocks of both sides";
        return SOTER_FAIL;
    }
    switch (themis_session_window_judge(&channel->window, *number)) {
    case THEMIS_SESSION_WELCOME:
        return SOTER_SUCCESS;
    case THEMIS_SESSION_TOO_OLD:
        *why = "the message is too late: too many newer messages were already accepted";
        return SOTER_FAIL;
    case THEMIS_SESSION_SEEN_BEFORE:
        *why = "replay: this message was already accepted, and reject_duplicates is set";
        return SOTER_FAIL;
    case THEMIS_SESSION_USED_UP:
        *why = "the session is exhausted: reject_duplicates can distinguish 2^31 messages, and "
               "this one exceeds them; make a new session";
        return SOTER_NOT_SUPPORTED;
    }
    return SOTER_FAIL;
}

/* Where the parts of a data message are. */
struct wrapped {
    const uint8_t *nonce;
    const uint8_t *header;
    const uint8_t *encrypted;
    size_t message_len;
    const uint8_t *tag;
};

static bool take_apart(const struct themis_session_channel *channel,
                       const uint8_t *bytes,
                       size_t bytes_len,
                       struct wrapped *out,
                       const char **why)
{
    struct soter_reader reader;
    const uint8_t *sid;
    *why = "this is not a session message: it is too short or too long";
    if (bytes_len <= THEMIS_SESSION_OVERHEAD ||
        (uint64_t)bytes_len > (uint64_t)THEMIS_SESSION_MESSAGE_MAX + THEMIS_SESSION_OVERHEAD) {
        return false;
    }
    out->message_len = bytes_len - THEMIS_SESSION_OVERHEAD;
    soter_reader_init(&reader, bytes, bytes_len);
    if (!soter_read_bytes(&reader, THEMIS_SESSION_SID_SIZE, &sid) ||
        !soter_read_bytes(&reader, NONCE_FIELD_SIZE, &out->nonce) ||
        !soter_read_bytes(&reader, HEADER_SIZE, &out->header) ||
        !soter_read_bytes(&reader, out->message_len, &out->encrypted) ||
        !soter_read_bytes(&reader, SOTER_AEAD_TAG_SIZE, &out->tag)) {
        return false;
    }
    *why = "this message does not belong to this session; it may belong to another session";
    return soter_equal(sid, channel->sid_reversed, THEMIS_SESSION_SID_SIZE);
}

/* The other way, in one piece as well. */
static soter_status decrypt(soter_aead *aead,
                            const struct wrapped *parts,
                            uint8_t header[HEADER_SIZE],
                            uint8_t *message)
{
    uint8_t joined[HEADER_SIZE + JOINED_MAX];
    const size_t joined_len = HEADER_SIZE + parts->message_len;
    soter_status status;
    if (parts->message_len > JOINED_MAX) {
        status = soter_aead_part(aead, parts->header, HEADER_SIZE, header);
        return status == SOTER_SUCCESS ? soter_aead_decrypt(aead,
                                                            parts->encrypted,
                                                            parts->message_len,
                                                            parts->tag,
                                                            message)
                                       : status;
    }
    status = soter_aead_decrypt(aead, parts->header, joined_len, parts->tag, joined);
    if (status == SOTER_SUCCESS) {
        memcpy(header, joined, HEADER_SIZE);
        memcpy(message, joined + HEADER_SIZE, parts->message_len);
    } else {
        soter_wipe(message, parts->message_len);
    }
    soter_wipe(joined, joined_len);
    return status;
}

soter_status themis_session_channel_unwrap(themis_session_channel *channel,
                                           uint64_t now,
                                           const uint8_t *wrapped,
                                           size_t wrapped_len,
                                           uint8_t *out,
                                           const char **why)
{
    soter_status status;
    uint8_t header[HEADER_SIZE] = {0};
    struct wrapped parts;
    uint32_t number = 0;
    if (!take_apart(channel, wrapped, wrapped_len, &parts, why)) {
        return SOTER_INVALID_PARAMETER;
    }
    *why = NULL;
    status = soter_aead_start(channel->reading, &kept_for_reading, parts.nonce, NULL, 0);
    if (status == SOTER_SUCCESS) {
        status = decrypt(channel->reading, &parts, header, out);
    }
    if (status == SOTER_FAIL) {
        *why = "authentication failed: the message is corrupted, forged, or our own reflected back";
        goto out;
    }
    if (status != SOTER_SUCCESS) {
        channel->broken = true;
        goto out;
    }
    status = judge(channel, header, parts.message_len, now, &number, why);
    if (status != SOTER_SUCCESS) {
        soter_wipe(out, parts.message_len);
        goto out;
    }
    themis_session_window_accept(&channel->window, number);
out:
    soter_wipe(header, sizeof header);
    return status;
}

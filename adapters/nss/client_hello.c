/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8446 sections 4.1.2, 4.2.11 and 5.1, RFC 9147 sections 4 and 5, RFC 9849 section 5. */
#include "adapters/nss/client_hello.h"

#include <stdint.h>
#include <string.h>

enum {
    HANDSHAKE = 22,
    CLIENT_HELLO = 1,
    PRE_SHARED_KEY = 41,
    EARLY_DATA = 42,
    ENCRYPTED_CLIENT_HELLO = 0xfe0d,
    VERSION_AND_RANDOM = 34,
    EPOCH_BYTES = 2,
    SEQUENCE_BYTES = 6,
    /* Of a datagram's record and of the message in it: where their lengths stand, and their ends.
     */
    RECORD_LENGTH_AT = 11,
    RECORD_HEAD = 13,
    FRAGMENT_LENGTH_AT = RECORD_HEAD + 9,
    MESSAGE_HEAD = 12,
    BODY_AT = RECORD_HEAD + MESSAGE_HEAD
};

/* What is left to read. After the first thing that does not fit it is empty and bad. */
struct reader {
    const unsigned char *at;
    size_t left;
    bool bad;
};

static const unsigned char *take(struct reader *reader, size_t len)
{
    const unsigned char *taken = reader->at;
    if (len > reader->left) {
        reader->bad = true;
        reader->left = 0;
        return NULL;
    }
    reader->at += len;
    reader->left -= len;
    return taken;
}

static uint32_t take_number(struct reader *reader, size_t len)
{
    uint32_t number = 0;
    const unsigned char *bytes = take(reader, len);
    for (size_t i = 0; bytes != NULL && i < len; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* A vector whose length stands before it in so many bytes. */
static struct reader take_vector(struct reader *reader, size_t length_bytes)
{
    struct reader vector = {NULL, take_number(reader, length_bytes), false};
    vector.at = take(reader, vector.left);
    if (vector.at == NULL)
        vector = (struct reader){NULL, 0, true};
    return vector;
}

static bool is_over(const struct reader *reader)
{
    return !reader->bad && reader->left == 0;
}

/* One identity with its age, and one binder. */
static bool read_ticket(struct reader psk, struct jtgi_client_hello *hello)
{
    struct reader identities = take_vector(&psk, 2);
    struct reader ticket = take_vector(&identities, 2);
    (void)take(&identities, 4);
    struct reader binders = take_vector(&psk, 2);
    (void)take_vector(&binders, 1);
    if (!is_over(&psk) || !is_over(&identities) || !is_over(&binders) || ticket.left == 0)
        return false;
    hello->ticket = ticket.at;
    hello->ticket_len = ticket.left;
    return true;
}

/* pre_shared_key is the last one (RFC 8446 section 4.2.11); so there is only one. */
static bool read_extensions(struct reader extensions, struct jtgi_client_hello *hello)
{
    while (extensions.left != 0) {
        uint32_t type = take_number(&extensions, 2);
        struct reader extension = take_vector(&extensions, 2);
        if (extensions.bad)
            return false;
        if (type == EARLY_DATA)
            hello->early_data = true;
        if (type == ENCRYPTED_CLIENT_HELLO)
            hello->hides_another = true;
        if (type == PRE_SHARED_KEY && extensions.left != 0)
            return false;
        if (type == PRE_SHARED_KEY)
            return read_ticket(extension, hello) || !hello->early_data;
    }
    return !extensions.bad;
}

static bool read_hello(struct reader body, bool datagram, struct jtgi_client_hello *hello)
{
    (void)take(&body, VERSION_AND_RANDOM);
    (void)take_vector(&body, 1); /* session id */
    if (datagram)
        (void)take_vector(&body, 1); /* cookie */
    (void)take_vector(&body, 2);     /* cipher suites */
    (void)take_vector(&body, 1);     /* compression methods */
    struct reader extensions = take_vector(&body, 2);
    return is_over(&body) && read_extensions(extensions, hello);
}

/* The handshake message of a record, which has just this one, and it has no fragments. */
static bool read_message(struct reader record, bool datagram, struct reader *body)
{
    uint32_t type = take_number(&record, 1);
    uint32_t length = take_number(&record, 3);
    uint32_t sequence = datagram ? take_number(&record, 2) : 0;
    uint32_t offset = datagram ? take_number(&record, 3) : 0;
    uint32_t fragment = datagram ? take_number(&record, 3) : length;
    *body = record;
    return !record.bad && type == CLIENT_HELLO && sequence == 0 && offset == 0 &&
           fragment == length && record.left == length;
}

/* Encrypted records of DTLS 1.3 begin with the bits 001; plaintext ones do not. */
static bool may_follow(const struct reader *rest, bool datagram)
{
    return rest->left == 0 || (datagram && (rest->at[0] & 0xe0) == 0x20);
}

/* ---- several datagrams ---- */

struct fragment {
    uint32_t length; /* of the whole message */
    uint32_t offset;
    struct reader body;
    struct reader rest; /* behind its record */
};

/* A record with one fragment of a first ClientHello. */
static bool read_fragment(struct reader datagram, struct fragment *fragment)
{
    uint32_t type = take_number(&datagram, 1);
    uint32_t version = take_number(&datagram, 2);
    uint32_t epoch = take_number(&datagram, EPOCH_BYTES);
    (void)take(&datagram, SEQUENCE_BYTES);
    struct reader record = take_vector(&datagram, 2);
    uint32_t message = take_number(&record, 1);
    fragment->length = take_number(&record, 3);
    uint32_t sequence = take_number(&record, 2);
    fragment->offset = take_number(&record, 3);
    uint32_t len = take_number(&record, 3);
    fragment->body = record;
    fragment->rest = datagram;
    return !datagram.bad && !record.bad && type == HANDSHAKE && version >> 8 == 0xfeU &&
           epoch == 0 && message == CLIENT_HELLO && sequence == 0 && len != 0 && record.left == len;
}

static void put_number(unsigned char *at, size_t len, size_t number)
{
    for (size_t i = len; i-- > 0; number >>= 8)
        at[i] = (unsigned char)number;
}

/* Its body behind those before it, if it is the next one. */
static bool append(unsigned char *bytes, size_t *joined, uint32_t length,
                   const struct fragment *fragment)
{
    if (fragment->length != length || fragment->offset != *joined - BODY_AT ||
        fragment->body.left > length - fragment->offset)
        return false;
    memmove(bytes + *joined, fragment->body.at, fragment->body.left);
    *joined += fragment->body.left;
    return true;
}

size_t jtgi_client_hello_join(unsigned char *bytes, const size_t *lens, unsigned count)
{
    struct fragment fragment;
    uint32_t length = 0;
    size_t joined = BODY_AT;
    size_t at = 0;
    if (count < 2)
        return count == 0 ? 0 : lens[0];
    for (unsigned i = 0; i < count; i++) {
        struct reader datagram = {bytes + at, lens[i], false};
        at += lens[i];
        if (!read_fragment(datagram, &fragment) ||
            (i + 1 < count ? fragment.rest.left != 0 : !may_follow(&fragment.rest, true)))
            return 0;
        length = i == 0 ? fragment.length : length;
        if (!append(bytes, &joined, length, &fragment))
            return 0;
    }
    if (joined - BODY_AT != length || length + MESSAGE_HEAD > UINT16_MAX)
        return 0;
    put_number(bytes + RECORD_LENGTH_AT, 2, length + MESSAGE_HEAD);
    put_number(bytes + FRAGMENT_LENGTH_AT, 3, length);
    return joined;
}

bool jtgi_client_hello_read(struct jtgi_client_hello *hello, const unsigned char *bytes, size_t len,
                            bool datagram)
{
    struct reader whole = {bytes, len, false};
    struct reader body;
    *hello = (struct jtgi_client_hello){false, false, NULL, 0};
    uint32_t type = take_number(&whole, 1);
    uint32_t version = take_number(&whole, 2);
    uint32_t epoch = datagram ? take_number(&whole, EPOCH_BYTES) : 0;
    if (datagram)
        (void)take(&whole, SEQUENCE_BYTES);
    struct reader record = take_vector(&whole, 2);
    return !whole.bad && type == HANDSHAKE && version >> 8 == (datagram ? 0xfeU : 3U) &&
           epoch == 0 && may_follow(&whole, datagram) && read_message(record, datagram, &body) &&
           read_hello(body, datagram, hello);
}

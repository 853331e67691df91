/* SPDX-License-Identifier: Apache-2.0 */
/* What clients, and whoever can write the store, can make ticket keys and client sessions read. The
 * first byte chooses; a ticket or a set of keys is given as what differs from a good one, so that
 * random bytes come close to one. Nothing may crash or leak, nothing that was changed opens, and
 * what is read can be written again. Linked with libFuzzer, or with fuzz_main.c where there is
 * none. */
#include "tokens/dtls/dtls_record.h"
#include "tokens/tickets/key_blob.h"
#include "tokens/tickets/ticket.h"

#include "core/alloc.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { ROOM = 4096, GOOD_BODY_BYTES = 80 };

static struct jtgi_ticket_key *key;
static struct jtgi_ticket_zone zone;
static struct jtgi_wrapper wrapper;
static unsigned char good_ticket[256];
static size_t good_ticket_len;
static unsigned char good_blob[JTGI_BLOB_MAX_BYTES];
static size_t good_blob_len;

static void expect(int is_so, const char *what)
{
    if (is_so)
        return;
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void make_ticket(void)
{
    unsigned char body[GOOD_BODY_BYTES] = {0};
    struct jtgi_ticket_times times = {1795176000000, 60};
    expect(jtgi_ticket_seal(key, &zone, JTGI_TICKET_BYTES, &times, body, sizeof body,
                            good_ticket) == JTG_OK,
           "seal");
    good_ticket_len = sizeof body + JTGI_TICKET_HEADER_BYTES + JTGI_CIPHER_TAG_BYTES;
}

static void make_blob(void)
{
    const struct jtgi_key_schedule schedule = {1000, 5000, 300, 100};
    struct jtgi_key_set *set = jtgi_key_set_new();
    expect(set != NULL, "memory");
    set->version = 1;
    expect(jtgi_key_set_publish(set, &schedule, jtgi_wrapper_zone(&wrapper), 1000000) == JTG_OK &&
               jtgi_key_blob_write(set, &wrapper, 1000000, 60000, good_blob, &good_blob_len) ==
                   JTG_OK,
           "blob");
    jtgi_key_set_drop(set);
}

static void set_up(void)
{
    unsigned char kek[JTGI_SECRET_BYTES];
    expect(sodium_init() >= 0, "sodium");
    randombytes_buf(kek, sizeof kek);
    wrapper.zone_len = 4;
    memcpy(wrapper.zone, "zone", 4);
    expect(jtgi_wrapper_add(&wrapper, kek) == JTG_OK, "wrapper");
    jtgi_ticket_zone_init(&zone, jtgi_wrapper_zone(&wrapper));
    expect(jtgi_ticket_key_draw(&key, zone.name) == JTG_OK, "key");
    make_ticket();
    make_blob();
}

/* The good bytes, less what two bytes of the input cut off, with the rest of it as a difference. */
static size_t differ(unsigned char made[ROOM], const unsigned char *good, size_t good_len,
                     const uint8_t *data, size_t data_len)
{
    size_t cut = data_len >= 1 ? data[0] : 0;
    size_t len = good_len > cut ? good_len - cut : 0;
    memcpy(made, good, len);
    for (size_t i = 1; i < data_len && i - 1 < ROOM; i++) {
        if (i - 1 < len)
            made[i - 1] = (unsigned char)(made[i - 1] ^ data[i]);
        else
            made[len++] = data[i];
    }
    return len;
}

static int is_good(const unsigned char *made, size_t len, const unsigned char *good,
                   size_t good_len)
{
    return len == good_len && memcmp(made, good, len) == 0;
}

static void try_ticket(const uint8_t *data, size_t data_len)
{
    unsigned char made[ROOM];
    unsigned char body[ROOM];
    struct jtgi_ticket_times times;
    size_t len = differ(made, good_ticket, good_ticket_len, data, data_len);
    struct jtgi_span ticket = {made, len};
    int opened = jtgi_ticket_check(&zone, JTGI_TICKET_BYTES, ticket) == JTG_TICKET_DONE &&
                 jtgi_ticket_open(key, &zone, ticket, body, &times) == JTG_OK;
    /* The name is not looked at here: it is authenticated all the same. */
    expect(opened == is_good(made, len, good_ticket, good_ticket_len), "ticket");
}

static void try_blob(const uint8_t *data, size_t data_len)
{
    unsigned char made[ROOM];
    struct jtgi_key_set *set = NULL;
    size_t len = differ(made, good_blob, good_blob_len, data, data_len);
    struct jtgi_span blob = {made, len};
    jtg_status status = jtgi_key_blob_read(&set, &wrapper, NULL, blob, 50000, NULL);
    expect((status == JTG_OK) == is_good(made, len, good_blob, good_blob_len), "blob");
    expect((status == JTG_OK) == (set != NULL), "set");
    jtgi_key_set_drop(set);
}

/* As if somebody had the KEK: what is read makes sense, and is written as it was. */
static void try_body(const uint8_t *data, size_t data_len)
{
    struct jtgi_span body = {data, data_len};
    struct jtgi_key_set *set = jtgi_key_set_new();
    expect(set != NULL, "memory");
    if (jtgi_key_blob_read_body(set, NULL, body, jtgi_wrapper_zone(&wrapper)) == JTG_OK) {
        unsigned char blob[JTGI_BLOB_MAX_BYTES];
        struct jtgi_key_set *again = NULL;
        size_t blob_len = 0;
        set->version = 1;
        expect(set->count >= 1 && set->count <= JTG_TICKET_KEYS_MAX, "count");
        expect(jtgi_key_blob_write(set, &wrapper, 0, 1, blob, &blob_len) == JTG_OK, "write");
        struct jtgi_span span = {blob, blob_len};
        expect(blob_len == data_len + JTGI_BLOB_HEADER_BYTES + JTGI_CIPHER_TAG_BYTES, "size");
        expect(jtgi_key_blob_read(&again, &wrapper, NULL, span, 1, NULL) == JTG_OK, "again");
        jtgi_key_set_drop(again);
    }
    jtgi_key_set_drop(set);
}

static void try_session(const uint8_t *data, size_t data_len)
{
    jtg_ticket_session session = JTG_TICKET_SESSION_INIT;
    unsigned char again[ROOM] = {0};
    if (data_len > ROOM || !jtgi_session_read(&session, data, data_len))
        return;
    expect(jtgi_session_size(&session) == data_len, "session size");
    memcpy(again, data, JTGI_TICKET_TIMES_BYTES);
    jtgi_session_write(&session, again, data_len);
    expect(memcmp(again, data, data_len) == 0, "session");
}

static void try_record(const uint8_t *data, size_t data_len)
{
    static const struct jtgi_record_sealer sealer = {.is_sealing = false};
    static const unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES];
    jtg_dtls_session session = JTG_DTLS_SESSION_INIT;
    unsigned char again[ROOM];
    int64_t epoch = 0;
    struct jtgi_span record = {data, data_len};
    if (data_len > ROOM ||
        jtgi_dtls_record_read(&sealer, digest, record, &session, &epoch) != JTG_OK)
        return;
    expect(jtgi_dtls_record_size(&sealer, &session) == data_len, "record size");
    expect(jtgi_dtls_record_write(&sealer, digest, &session, epoch, again, data_len) == JTG_OK,
           "write");
    expect(memcmp(again, data, data_len) == 0, "record");
    jtgi_free_wiped(session.storage, session.storage_len);
}

static void try_host(const uint8_t *data, size_t data_len)
{
    char host[512];
    char once[JTGI_HOST_BYTES];
    char twice[JTGI_HOST_BYTES];
    size_t len = data_len < sizeof host ? data_len : sizeof host - 1;
    memcpy(host, data, len);
    host[len] = '\0';
    if (!jtgi_host_normalise(host, once))
        return;
    expect(jtgi_host_normalise(once, twice) && strcmp(once, twice) == 0, "host");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len)
{
    static int is_set_up;
    if (!is_set_up)
        set_up();
    is_set_up = 1;
    if (data_len == 0)
        return 0;
    const uint8_t *rest = data + 1;
    switch (data[0] % 6) {
    case 0:
        try_ticket(rest, data_len - 1);
        break;
    case 1:
        try_blob(rest, data_len - 1);
        break;
    case 2:
        try_body(rest, data_len - 1);
        break;
    case 3:
        try_session(rest, data_len - 1);
        break;
    case 4:
        try_record(rest, data_len - 1);
        break;
    default:
        try_host(rest, data_len - 1);
    }
    return 0;
}

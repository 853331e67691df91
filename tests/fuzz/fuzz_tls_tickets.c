/* SPDX-License-Identifier: Apache-2.0 */
/* A file of TLS tickets as whoever can write it could: as it is, or, after a first byte of '#', as
 * what differs from a good one. Nothing may crash or leak; what is read is written and read again
 * the same; and each ticket that is left is handed out once. Linked with libFuzzer, or with
 * fuzz_main.c where there is none. */
#include "tokens/tls/tls_text.h"

#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len);

enum { ROOM = 16384 };

static const struct jtgi_tls_limits limits = {604800, 4, 512, 8192, false};
static struct jtgi_tls_text good;

static void expect(int is_so, const char *what)
{
    if (is_so)
        return;
    (void)fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void set_up(void)
{
    static const struct jtgi_tls_keys keys;
    struct jtgi_tls_document document = {0};
    struct jtgi_tls_tombstone grave = {{1}, 1795176000};
    struct jtgi_tls_pin pin = {{2}, {3}, 1795176000000};
    jtg_endpoint endpoint = JTG_ENDPOINT_INIT;
    endpoint.host = "example.org";
    endpoint.port = 443;
    expect(sodium_init() >= 0, "sodium");
    for (unsigned char i = 0; i < 2; i++) {
        struct jtgi_tls_place place;
        struct jtgi_tls_entry *entry = NULL;
        unsigned char bytes[80];
        jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
        memset(bytes, i, sizeof bytes);
        ticket.ticket = bytes;
        ticket.ticket_len = sizeof bytes - 40 * (size_t)i;
        ticket.lifetime_s = 7200;
        expect(jtgi_tls_place_find(&keys, &endpoint, &place, NULL) == JTG_OK &&
                   jtgi_tls_entry_make(&keys, &place, &ticket, 1795176000000, &entry) == JTG_OK &&
                   jtgi_tls_document_append(&document, entry) == JTG_OK,
               "entry");
    }
    expect(jtgi_tls_document_append_consumed(&document, &grave) == JTG_OK &&
               jtgi_tls_document_append_pin(&document, &pin) == JTG_OK &&
               jtgi_tls_text_write(&document, &good) == JTG_OK,
           "text");
    jtgi_tls_document_clear(&document);
}

/* Pairs of a place (two bytes) and a difference. */
static size_t differ(char made[ROOM], const uint8_t *data, size_t data_len)
{
    memcpy(made, good.bytes, good.len);
    for (size_t i = 0; i + 2 < data_len; i += 3) {
        size_t at = ((size_t)data[i] << 8 | data[i + 1]) % good.len;
        made[at] = (char)(made[at] ^ (char)data[i + 2]);
    }
    return good.len;
}

static void write_and_read(const struct jtgi_tls_document *document)
{
    struct jtgi_tls_document again = {0};
    struct jtgi_tls_text text = {0};
    expect(jtgi_tls_text_write(document, &text) == JTG_OK, "write");
    expect(text.len <= jtgi_tls_document_size(document), "size");
    expect(jtgi_tls_text_read(&text, &again) == JTG_OK && again.unreadable == 0, "read again");
    expect(again.ticket_count == document->ticket_count &&
               again.consumed_count == document->consumed_count &&
               again.pin_count == document->pin_count,
           "count");
    for (size_t i = 0; i < again.ticket_count; i++)
        expect(again.tickets[i]->len == document->tickets[i]->len &&
                   memcmp(again.tickets[i], document->tickets[i],
                          sizeof *again.tickets[i] + again.tickets[i]->len) == 0,
               "the same");
    jtgi_tls_text_clear(&text);
    jtgi_tls_document_clear(&again);
}

static void use(struct jtgi_tls_document *document)
{
    static const struct jtgi_tls_keys keys;
    jtgi_tls_document_forget(document, 1795176000001, &limits);
    while (document->ticket_count != 0) {
        jtg_tls_ticket ticket = JTG_TLS_TICKET_INIT;
        jtg_tls_fate fate = JTG_TLS_STORED;
        struct jtgi_tls_entry *entry = document->tickets[0];
        jtg_status status =
            jtgi_tls_entry_open(&keys, entry, 1795176000001, limits.max_age_s, &ticket);
        expect(status == (entry->is_sealed ? JTG_MISMATCH : JTG_OK), "open");
        jtg_tls_ticket_clear(&ticket);
        expect(jtgi_tls_document_use_up(document, 0, &limits, &entry) == JTG_OK, "use up");
        expect(jtgi_tls_document_put(document, entry, &limits, &fate) == JTG_OK &&
                   fate == JTG_TLS_DUPLICATE,
               "twice");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t data_len)
{
    char made[ROOM];
    struct jtgi_tls_text text = {made, data_len, ROOM};
    struct jtgi_tls_document document = {0};
    if (good.bytes == NULL)
        set_up();
    if (data_len > ROOM)
        return 0;
    if (data_len != 0 && data[0] == '#')
        text.len = differ(made, data + 1, data_len - 1);
    else if (data_len != 0)
        memcpy(made, data, data_len);
    if (jtgi_tls_text_read(&text, &document) == JTG_OK) {
        write_and_read(&document);
        use(&document);
    }
    jtgi_tls_document_clear(&document);
    return 0;
}

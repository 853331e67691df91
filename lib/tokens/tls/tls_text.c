/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tls/tls_text.h"
#include "tokens/common/wire.h"

#include "core/alloc.h"
#include "core/digits.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* What stands around the values. Writer and reader share these, so neither knows another form. */
#define HEAD     "{\"magic\":\"jtiguard-tls-tickets\",\"version\":"
#define TICKETS  ",\"tickets\":["
#define CONSUMED "],\"consumed\":["
#define PINS     "],\"pins\":["
#define TAIL     "]}"

#define ID         "{\"id\":\""
#define SITE       "\",\"site\":\""
#define ENDPOINT   "\",\"endpoint\":\""
#define TRUST      "\",\"trust\":\""
#define PIN        "\",\"pin\":\""
#define STORED     "\",\"stored\":"
#define LIFETIME   ",\"lifetime\":"
#define TICKET     ",\"ticket\":\""
#define SEALED     ",\"sealed\":\""
#define CHECK      "\",\"check\":\""
#define ENTRY_ENDS "\"}"

#define PIN_TRUST "{\"trust\":\""
#define PIN_SEEN  "\",\"seen\":"
#define PIN_CHECK ",\"check\":\""

enum {
    VERSION = 1,
    VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING,
    FIRST_ROOM = 4096,
    NUMBER_BYTES = 24,
    END_BYTES = 5,
    GRAVE_CHECK_BYTES = 3,
    GRAVE_BYTES = JTGI_TLS_ID_BYTES + END_BYTES + GRAVE_CHECK_BYTES,
    PIN_CHECKED_BYTES = JTGI_ENDPOINT_DIGEST_BYTES + JTG_TLS_PIN_BYTES + 8
};
/* 2^53: what JSON's numbers hold everywhere, and no sum of two overflows. */
#define TIME_MAX INT64_C(9007199254740992)

void jtgi_tls_text_clear(struct jtgi_tls_text *text)
{
    static const struct jtgi_tls_text none;
    jtgi_free_wiped(text->bytes, text->room);
    *text = none;
}

/* ---- checks ---- */

static void check_bytes(const unsigned char *bytes, size_t len, unsigned char *check,
                        size_t check_len)
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(digest, bytes, len);
    memcpy(check, digest, check_len);
}

static void check_pin(const struct jtgi_tls_pin *pin, unsigned char check[JTGI_TLS_CHECK_BYTES])
{
    unsigned char bytes[PIN_CHECKED_BYTES];
    struct jtgi_writer writer = jtgi_writer_of(bytes, sizeof bytes);
    jtgi_write_bytes(&writer, pin->trust, sizeof pin->trust);
    jtgi_write_bytes(&writer, pin->pin, sizeof pin->pin);
    jtgi_write_number(&writer, (uint64_t)pin->seen_ms, 8);
    check_bytes(bytes, sizeof bytes, check, JTGI_TLS_CHECK_BYTES);
}

/* ---- writing ---- */

static bool make_room(struct jtgi_tls_text *text, size_t more)
{
    if (text->room - text->len >= more)
        return true;
    size_t room = text->room == 0 ? FIRST_ROOM : 2 * text->room;
    if (room < text->len + more)
        room = text->len + more;
    char *bytes = jtgi_alloc(room);
    if (bytes == NULL)
        return false;
    if (text->len != 0)
        memcpy(bytes, text->bytes, text->len);
    jtgi_free_wiped(text->bytes, text->room);
    text->bytes = bytes;
    text->room = room;
    return true;
}

static bool add(struct jtgi_tls_text *text, const char *bytes)
{
    size_t len = strlen(bytes);
    if (!make_room(text, len))
        return false;
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    return true;
}

static bool add_number(struct jtgi_tls_text *text, const char *before, int64_t number)
{
    char digits[NUMBER_BYTES];
    (void)snprintf(digits, sizeof digits, "%" PRId64, number);
    return add(text, before) && add(text, digits);
}

static bool add_bytes(struct jtgi_tls_text *text, const char *before, const void *bytes, size_t len)
{
    size_t size = sodium_base64_encoded_len(len, VARIANT); /* with its NUL byte */
    if (!add(text, before) || !make_room(text, size))
        return false;
    (void)sodium_bin2base64(text->bytes + text->len, size, bytes, len, VARIANT);
    text->len += size - 1;
    return true;
}

static bool add_ticket(struct jtgi_tls_text *text, const struct jtgi_tls_entry *entry)
{
    unsigned char check[JTGI_TLS_CHECK_BYTES];
    const struct jtgi_tls_place *place = &entry->place;
    jtgi_tls_entry_check(entry, check);
    return add_bytes(text, ID, entry->id, sizeof entry->id) && add(text, SITE) &&
           add(text, place->site) &&
           add_bytes(text, ENDPOINT, place->endpoint, sizeof place->endpoint) &&
           add_bytes(text, TRUST, place->trust, sizeof place->trust) &&
           add_bytes(text, PIN, entry->pin, sizeof entry->pin) &&
           add_number(text, STORED, entry->stored_ms) &&
           add_number(text, LIFETIME, entry->lifetime_s) &&
           add_bytes(text, entry->is_sealed ? SEALED : TICKET, entry->bytes, entry->len) &&
           add_bytes(text, CHECK, check, sizeof check) && add(text, ENTRY_ENDS);
}

static bool add_grave(struct jtgi_tls_text *text, const struct jtgi_tls_tombstone *tombstone)
{
    unsigned char bytes[GRAVE_BYTES];
    struct jtgi_writer writer = jtgi_writer_of(bytes, sizeof bytes);
    jtgi_write_bytes(&writer, tombstone->id, sizeof tombstone->id);
    jtgi_write_number(&writer, (uint64_t)tombstone->end_s, END_BYTES);
    check_bytes(bytes, GRAVE_BYTES - GRAVE_CHECK_BYTES, writer.at, GRAVE_CHECK_BYTES);
    return add_bytes(text, "\"", bytes, sizeof bytes) && add(text, "\"");
}

static bool add_pin(struct jtgi_tls_text *text, const struct jtgi_tls_pin *pin)
{
    unsigned char check[JTGI_TLS_CHECK_BYTES];
    check_pin(pin, check);
    return add_bytes(text, PIN_TRUST, pin->trust, sizeof pin->trust) &&
           add_bytes(text, PIN, pin->pin, sizeof pin->pin) &&
           add_number(text, PIN_SEEN, pin->seen_ms) &&
           add_bytes(text, PIN_CHECK, check, sizeof check) && add(text, ENTRY_ENDS);
}

static bool add_all(struct jtgi_tls_text *text, const struct jtgi_tls_document *document)
{
    bool good = add_number(text, HEAD, VERSION) && add(text, TICKETS);
    for (size_t i = 0; good && i < document->ticket_count; i++)
        good = add(text, i == 0 ? "" : ",") && add_ticket(text, document->tickets[i]);
    good = good && add(text, CONSUMED);
    for (size_t i = 0; good && i < document->consumed_count; i++)
        good = add(text, i == 0 ? "" : ",") && add_grave(text, document->consumed + i);
    good = good && add(text, PINS);
    for (size_t i = 0; good && i < document->pin_count; i++)
        good = add(text, i == 0 ? "" : ",") && add_pin(text, document->pins + i);
    return good && add(text, TAIL) && add(text, "\n");
}

jtg_status jtgi_tls_text_write(const struct jtgi_tls_document *document, struct jtgi_tls_text *text)
{
    jtg_status status = !add_all(text, document)             ? JTG_ERR_MEMORY
                        : text->len > JTG_TLS_FILE_MAX_BYTES ? JTG_ERR_FULL
                                                             : JTG_OK;
    if (status != JTG_OK)
        jtgi_tls_text_clear(text);
    return status;
}

/* ---- reading ---- */

struct cursor {
    const char *at;
    const char *end;
};

static bool take(struct cursor *cursor, const char *bytes)
{
    size_t len = strlen(bytes);
    if ((size_t)(cursor->end - cursor->at) < len || memcmp(cursor->at, bytes, len) != 0)
        return false;
    cursor->at += len;
    return true;
}

/* To the quote that ends it, which is left. */
static bool take_string(struct cursor *cursor, struct jtgi_span *string)
{
    const char *quote = memchr(cursor->at, '"', (size_t)(cursor->end - cursor->at));
    if (quote == NULL)
        return false;
    string->data = cursor->at;
    string->len = (size_t)(quote - cursor->at);
    cursor->at = quote;
    return true;
}

static bool take_number(struct cursor *cursor, const char *before, uint64_t highest,
                        int64_t *number)
{
    uint64_t value = 0;
    if (!take(cursor, before) || !jtgi_digits_take(&cursor->at, cursor->end, highest, &value))
        return false;
    *number = (int64_t)value;
    return true;
}

static bool decode(struct jtgi_span string, unsigned char *bytes, size_t len)
{
    size_t decoded = 0;
    return sodium_base642bin(bytes, len, string.data, string.len, NULL, &decoded, NULL, VARIANT) ==
               0 &&
           decoded == len;
}

static bool take_bytes(struct cursor *cursor, const char *before, unsigned char *bytes, size_t len)
{
    struct jtgi_span string;
    return take(cursor, before) && take_string(cursor, &string) && decode(string, bytes, len);
}

/* Visible ASCII, and none that JSON has another use for. */
static bool take_site(struct cursor *cursor, char site[JTGI_TLS_SITE_BYTES])
{
    struct jtgi_span string;
    if (!take(cursor, SITE) || !take_string(cursor, &string) || string.len == 0 ||
        string.len >= JTGI_TLS_SITE_BYTES)
        return false;
    const char *text = string.data;
    for (size_t i = 0; i < string.len; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f || text[i] == '\\')
            return false;
    memcpy(site, text, string.len);
    site[string.len] = '\0';
    return true;
}

static bool take_head(struct cursor *cursor, struct jtgi_tls_entry *head)
{
    struct jtgi_tls_place *place = &head->place;
    int64_t lifetime_s = 0;
    bool good = take_bytes(cursor, ID, head->id, sizeof head->id) &&
                take_site(cursor, place->site) &&
                take_bytes(cursor, ENDPOINT, place->endpoint, sizeof place->endpoint) &&
                take_bytes(cursor, TRUST, place->trust, sizeof place->trust) &&
                take_bytes(cursor, PIN, head->pin, sizeof head->pin) &&
                take_number(cursor, STORED, TIME_MAX, &head->stored_ms) &&
                take_number(cursor, LIFETIME, JTG_TLS_LIFETIME_S_LIMIT, &lifetime_s);
    head->lifetime_s = (uint32_t)lifetime_s;
    return good && lifetime_s > 0;
}

/* JTG_MISMATCH here and below: it is none of ours. */
static jtg_status take_ticket(struct cursor *cursor, struct jtgi_tls_document *document)
{
    struct jtgi_tls_entry head = {.len = 0};
    struct jtgi_span content = {NULL, 0};
    unsigned char check[JTGI_TLS_CHECK_BYTES];
    unsigned char computed[JTGI_TLS_CHECK_BYTES];
    if (!take_head(cursor, &head))
        return JTG_MISMATCH;
    head.is_sealed = take(cursor, SEALED);
    if ((!head.is_sealed && !take(cursor, TICKET)) || !take_string(cursor, &content) ||
        !take_bytes(cursor, CHECK, check, sizeof check) || !take(cursor, ENTRY_ENDS))
        return JTG_MISMATCH;
    head.len = content.len / 4 * 3 + content.len % 4 * 3 / 4;
    if (head.len == 0 || head.len > JTGI_TLS_BYTES_MAX)
        return JTG_MISMATCH;
    struct jtgi_tls_entry *entry = jtgi_tls_entry_new(head.len);
    if (entry == NULL)
        return JTG_ERR_MEMORY;
    *entry = head;
    if (decode(content, entry->bytes, entry->len)) {
        jtgi_tls_entry_check(entry, computed);
        if (memcmp(check, computed, sizeof check) == 0)
            return jtgi_tls_document_append(document, entry);
    }
    jtgi_tls_entry_free(entry);
    return JTG_MISMATCH;
}

static jtg_status take_grave(struct cursor *cursor, struct jtgi_tls_document *document)
{
    struct jtgi_tls_tombstone tombstone;
    unsigned char bytes[GRAVE_BYTES];
    unsigned char check[GRAVE_CHECK_BYTES];
    if (!take_bytes(cursor, "\"", bytes, sizeof bytes) || !take(cursor, "\""))
        return JTG_MISMATCH;
    check_bytes(bytes, GRAVE_BYTES - GRAVE_CHECK_BYTES, check, sizeof check);
    if (memcmp(bytes + GRAVE_BYTES - GRAVE_CHECK_BYTES, check, sizeof check) != 0)
        return JTG_MISMATCH;
    struct jtgi_reader reader = jtgi_reader_of(bytes, sizeof bytes);
    memcpy(tombstone.id, jtgi_read_bytes(&reader, sizeof tombstone.id), sizeof tombstone.id);
    tombstone.end_s = (int64_t)jtgi_read_number(&reader, END_BYTES);
    return jtgi_tls_document_append_consumed(document, &tombstone);
}

static jtg_status take_pin(struct cursor *cursor, struct jtgi_tls_document *document)
{
    struct jtgi_tls_pin pin;
    unsigned char check[JTGI_TLS_CHECK_BYTES];
    unsigned char computed[JTGI_TLS_CHECK_BYTES];
    bool good = take_bytes(cursor, PIN_TRUST, pin.trust, sizeof pin.trust) &&
                take_bytes(cursor, PIN, pin.pin, sizeof pin.pin) &&
                take_number(cursor, PIN_SEEN, TIME_MAX, &pin.seen_ms) &&
                take_bytes(cursor, PIN_CHECK, check, sizeof check) && take(cursor, ENTRY_ENDS);
    if (!good)
        return JTG_MISMATCH;
    check_pin(&pin, computed);
    return memcmp(check, computed, sizeof check) == 0 ? jtgi_tls_document_append_pin(document, &pin)
                                                      : JTG_MISMATCH;
}

/* Over a value of whatever kind, to the comma or the bracket behind it. Brackets of both kinds
 * count alike: where they do not match, what follows is no list of ours. */
static bool skip_value(struct cursor *cursor)
{
    size_t depth = 0;
    bool is_quoted = false;
    for (; cursor->at < cursor->end; cursor->at++) {
        char byte = *cursor->at;
        if (byte == '"')
            is_quoted = !is_quoted;
        else if (is_quoted)
            cursor->at += byte == '\\' && cursor->at + 1 < cursor->end;
        else if (byte == '{' || byte == '[')
            depth++;
        else if (depth == 0 && (byte == ',' || byte == '}' || byte == ']'))
            return true;
        else if (byte == '}' || byte == ']')
            depth--;
    }
    return false;
}

typedef jtg_status (*taker)(struct cursor *cursor, struct jtgi_tls_document *document);

/* What is between `before` and a closing bracket, which is left. An entry that is none of ours is
 * counted, and costs no other. */
static jtg_status take_each(struct cursor *cursor, const char *before, taker take_one,
                            struct jtgi_tls_document *document)
{
    if (!take(cursor, before))
        return JTG_ERR_PROTOCOL;
    if (cursor->at < cursor->end && *cursor->at == ']')
        return JTG_OK;
    do {
        const char *start = cursor->at;
        jtg_status status = take_one(cursor, document);
        if (status != JTG_OK && status != JTG_MISMATCH)
            return status;
        if (status == JTG_OK)
            continue;
        document->unreadable++;
        cursor->at = start;
        if (!skip_value(cursor))
            return JTG_ERR_PROTOCOL;
    } while (take(cursor, ","));
    return JTG_OK;
}

static jtg_status take_version(struct cursor *cursor)
{
    int64_t version = 0;
    if (!take_number(cursor, HEAD, INT64_MAX, &version) || version < VERSION)
        return JTG_ERR_PROTOCOL;
    return version == VERSION ? JTG_OK : JTG_ERR_UNSUPPORTED;
}

static bool take_tail(struct cursor *cursor)
{
    bool good = take(cursor, TAIL);
    (void)take(cursor, "\n");
    return good && cursor->at == cursor->end;
}

jtg_status jtgi_tls_text_read(const struct jtgi_tls_text *text, struct jtgi_tls_document *document)
{
    struct cursor cursor = {text->bytes, text->bytes + text->len};
    jtg_status status = text->len == 0 ? JTG_ERR_PROTOCOL : take_version(&cursor);
    if (status == JTG_OK)
        status = take_each(&cursor, TICKETS, take_ticket, document);
    if (status == JTG_OK)
        status = take_each(&cursor, CONSUMED, take_grave, document);
    if (status == JTG_OK)
        status = take_each(&cursor, PINS, take_pin, document);
    if (status == JTG_OK && !take_tail(&cursor))
        status = JTG_ERR_PROTOCOL;
    if (status == JTG_OK)
        status = jtgi_tls_document_settle(document);
    if (status != JTG_OK)
        jtgi_tls_document_clear(document);
    return status;
}

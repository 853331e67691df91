/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tls/tls_text.h"
#include "tokens/common/wire.h"

#include "core/alloc.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "jtiguard-tls-tickets"
enum {
    VERSION = 1,
    VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING,
    FIRST_ROOM = 4096,
    LONG_BYTES = 64, /* no field of an entry but the ticket is longer, unless it is a host */
    PLACE_BYTES = 48,
    FIRST_BYTES = 2 * LONG_BYTES, /* of the string that goes before all others */
    FRAME_BYTES = FIRST_BYTES + sizeof "[\"\",]",
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

static bool add(struct jtgi_tls_text *text, const char *bytes, size_t len)
{
    if (!make_room(text, len))
        return false;
    if (len != 0)
        memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
    return true;
}

static bool add_ticket(struct jtgi_tls_text *text, const struct jtgi_tls_entry *entry)
{
    size_t size = sodium_base64_encoded_len(entry->len, VARIANT); /* with its NUL byte */
    if (!make_room(text, size))
        return false;
    (void)sodium_bin2base64(text->bytes + text->len, size, entry->bytes, entry->len, VARIANT);
    text->len += size - 1;
    return true;
}

struct sink {
    const struct jtgi_tls_document *document;
    struct jtgi_tls_text *text;
};

/* `@` and a number stand for a ticket; no other string of ours has that sign. */
static int put_in(const char *bytes, size_t len, void *context)
{
    const struct sink *sink = context;
    const char *sign = memchr(bytes, '@', len);
    if (sign == NULL)
        return add(sink->text, bytes, len) ? 0 : -1;
    size_t before = (size_t)(sign - bytes);
    size_t number = 0;
    size_t at = before + 1;
    for (; at < len && bytes[at] >= '0' && bytes[at] <= '9'; at++)
        number = 10 * number + (size_t)(bytes[at] - '0');
    bool good = number < sink->document->ticket_count && add(sink->text, bytes, before) &&
                add_ticket(sink->text, sink->document->tickets[number]) &&
                add(sink->text, bytes + at, len - at);
    return good ? 0 : -1;
}

static json_t *encode(const void *bytes, size_t len)
{
    char text[LONG_BYTES];
    (void)sodium_bin2base64(text, sizeof text, bytes, len, VARIANT);
    return json_string(text);
}

/* Where a value could not be made, setting it fails. */
static bool set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

static json_t *new_object(void)
{
    return jtgi_alloc_permitted() ? json_object() : NULL;
}

static json_t *describe_ticket(const struct jtgi_tls_entry *entry, size_t number)
{
    unsigned char check[JTGI_TLS_CHECK_BYTES];
    char sign[PLACE_BYTES];
    const struct jtgi_tls_place *place = &entry->place;
    json_t *object = new_object();
    jtgi_tls_entry_check(entry, check);
    (void)snprintf(sign, sizeof sign, "@%zu", number);
    bool good = object != NULL && set(object, "id", encode(entry->id, sizeof entry->id)) &&
                set(object, "site", json_string(place->site)) &&
                set(object, "endpoint", encode(place->endpoint, sizeof place->endpoint)) &&
                set(object, "trust", encode(place->trust, sizeof place->trust)) &&
                set(object, "pin", encode(entry->pin, sizeof entry->pin)) &&
                set(object, "stored", json_integer(entry->stored_ms)) &&
                set(object, "lifetime", json_integer(entry->lifetime_s)) &&
                set(object, entry->is_sealed ? "sealed" : "ticket", json_string(sign)) &&
                set(object, "check", encode(check, sizeof check));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *describe_grave(const struct jtgi_tls_tombstone *tombstone)
{
    unsigned char bytes[GRAVE_BYTES];
    struct jtgi_writer writer = jtgi_writer_of(bytes, sizeof bytes);
    jtgi_write_bytes(&writer, tombstone->id, sizeof tombstone->id);
    jtgi_write_number(&writer, (uint64_t)tombstone->end_s, END_BYTES);
    check_bytes(bytes, GRAVE_BYTES - GRAVE_CHECK_BYTES, writer.at, GRAVE_CHECK_BYTES);
    return jtgi_alloc_permitted() ? encode(bytes, sizeof bytes) : NULL;
}

static json_t *describe_pin(const struct jtgi_tls_pin *pin)
{
    unsigned char check[JTGI_TLS_CHECK_BYTES];
    json_t *object = new_object();
    check_pin(pin, check);
    bool good = object != NULL && set(object, "trust", encode(pin->trust, sizeof pin->trust)) &&
                set(object, "pin", encode(pin->pin, sizeof pin->pin)) &&
                set(object, "seen", json_integer(pin->seen_ms)) &&
                set(object, "check", encode(check, sizeof check));
    if (good)
        return object;
    json_decref(object);
    return NULL;
}

static bool describe_all(const struct jtgi_tls_document *document, json_t *root)
{
    json_t *tickets = json_array();
    json_t *consumed = json_array();
    json_t *pins = json_array();
    bool good = true;
    for (size_t i = 0; good && i < document->ticket_count; i++)
        good = json_array_append_new(tickets, describe_ticket(document->tickets[i], i)) == 0;
    for (size_t i = 0; good && i < document->consumed_count; i++)
        good = json_array_append_new(consumed, describe_grave(document->consumed + i)) == 0;
    for (size_t i = 0; good && i < document->pin_count; i++)
        good = json_array_append_new(pins, describe_pin(document->pins + i)) == 0;
    good = good && json_object_set(root, "tickets", tickets) == 0 &&
           json_object_set(root, "consumed", consumed) == 0 &&
           json_object_set(root, "pins", pins) == 0;
    json_decref(tickets);
    json_decref(consumed);
    json_decref(pins);
    return good;
}

jtg_status jtgi_tls_text_write(const struct jtgi_tls_document *document, struct jtgi_tls_text *text)
{
    struct sink sink = {document, text};
    json_t *root = new_object();
    bool good = root != NULL && set(root, "magic", json_string(MAGIC)) &&
                set(root, "version", json_integer(VERSION)) && describe_all(document, root) &&
                json_dump_callback(root, put_in, &sink, JSON_COMPACT) == 0 && add(text, "\n", 1);
    json_decref(root);
    jtg_status status = !good                                ? JTG_ERR_MEMORY
                        : text->len > JTG_TLS_FILE_MAX_BYTES ? JTG_ERR_FULL
                                                             : JTG_OK;
    if (status != JTG_OK)
        jtgi_tls_text_clear(text);
    return status;
}

size_t jtgi_tls_text_size(const struct jtgi_tls_document *document)
{
    enum { HEAD_BYTES = 256, TICKET_BYTES = 320, GRAVE_TEXT_BYTES = 36, PIN_BYTES = 192 };
    size_t size =
        HEAD_BYTES + GRAVE_TEXT_BYTES * document->consumed_count + PIN_BYTES * document->pin_count;
    for (size_t i = 0; i < document->ticket_count; i++) {
        const struct jtgi_tls_entry *entry = document->tickets[i];
        size += TICKET_BYTES + strlen(entry->place.site) +
                sodium_base64_encoded_len(entry->len, VARIANT);
    }
    return size;
}

/* ---- reading ---- */

/* The text, and its copy in which `@place+length` stands for each long string: `["xx…",text]`.
 * Where jansson's buffer for strings cannot grow, it drops bytes of them and says nothing. So the
 * longest goes first: if that comes back whole, the buffer is large enough for all. */
struct source {
    const struct jtgi_tls_text *text;
    char *masked;
    size_t masked_len;
};

static void copy_part(struct source *source, size_t from, size_t to)
{
    memcpy(source->masked + source->masked_len, source->text->bytes + from, to - from);
    source->masked_len += to - from;
}

/* Shorter than the string that it stands for. */
static void write_place(struct source *source, size_t from, size_t to)
{
    char place[PLACE_BYTES];
    int len = snprintf(place, sizeof place, "@%zu+%zu", from, to - from);
    memcpy(source->masked + source->masked_len, place, (size_t)len);
    source->masked_len += (size_t)len;
}

static void add_masked(struct source *source, const char *bytes)
{
    size_t len = strlen(bytes);
    memcpy(source->masked + source->masked_len, bytes, len);
    source->masked_len += len;
}

static void add_first(struct source *source)
{
    add_masked(source, "[\"");
    memset(source->masked + source->masked_len, 'x', FIRST_BYTES);
    source->masked_len += FIRST_BYTES;
    add_masked(source, "\",");
}

/* Every string that jansson would find, and perhaps others where the text is no JSON: that only
 * makes it none in another way. */
static void mask(struct source *source)
{
    const char *bytes = source->text->bytes;
    size_t len = source->text->len;
    size_t copied = 0;
    add_first(source);
    for (size_t at = 0; at < len; at++) {
        if (bytes[at] != '"')
            continue;
        size_t from = ++at;
        bool escaped = false;
        for (; at < len && bytes[at] != '"'; at++)
            if (bytes[at] == '\\') {
                escaped = true;
                at++;
            }
        if (at >= len || escaped || at - from < LONG_BYTES)
            continue;
        copy_part(source, copied, from);
        write_place(source, from, at);
        copied = at;
    }
    copy_part(source, copied, len);
    add_masked(source, "]");
}

static bool read_decimal(const char **at, size_t *number)
{
    const char *start = *at;
    *number = 0;
    for (; **at >= '0' && **at <= '9' && *number <= JTG_TLS_FILE_MAX_BYTES; (*at)++)
        *number = 10 * *number + (size_t)(**at - '0');
    return *at != start;
}

/* Where a string of the text lies. */
static bool find_string(const struct source *source, const json_t *value, struct jtgi_span *span)
{
    size_t from = 0;
    const char *at = json_string_value(value);
    if (at == NULL)
        return false;
    span->data = at;
    span->len = json_string_length(value);
    if (*at != '@')
        return true;
    at++;
    if (!read_decimal(&at, &from) || *at++ != '+' || !read_decimal(&at, &span->len) ||
        *at != '\0' || from > source->text->len || span->len > source->text->len - from)
        return false;
    span->data = source->text->bytes + from;
    return true;
}

static bool decode(struct jtgi_span span, unsigned char *bytes, size_t len)
{
    size_t decoded = 0;
    return sodium_base642bin(bytes, len, span.data, span.len, NULL, &decoded, NULL, VARIANT) == 0 &&
           decoded == len;
}

static bool read_bytes(const struct source *source, const json_t *object, const char *name,
                       unsigned char *bytes, size_t len)
{
    struct jtgi_span span;
    return find_string(source, json_object_get(object, name), &span) && decode(span, bytes, len);
}

static bool read_number(const json_t *object, const char *name, int64_t least, int64_t most,
                        int64_t *number)
{
    const json_t *value = json_object_get(object, name);
    *number = json_integer_value(value);
    return json_is_integer(value) && *number >= least && *number <= most;
}

/* Visible ASCII, and none that JSON or this file has another use for. */
static bool read_site(const struct source *source, const json_t *object, char *site)
{
    struct jtgi_span span;
    if (!find_string(source, json_object_get(object, "site"), &span) || span.len == 0 ||
        span.len >= JTGI_TLS_SITE_BYTES)
        return false;
    const char *text = span.data;
    for (size_t i = 0; i < span.len; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f || text[i] == '"' || text[i] == '\\' ||
            text[i] == '@')
            return false;
    memcpy(site, text, span.len);
    site[span.len] = '\0';
    return true;
}

static bool fill_ticket(const struct source *source, const json_t *object, struct jtgi_span content,
                        struct jtgi_tls_entry *entry)
{
    unsigned char check[JTGI_TLS_CHECK_BYTES];
    unsigned char computed[JTGI_TLS_CHECK_BYTES];
    struct jtgi_tls_place *place = &entry->place;
    int64_t lifetime_s = 0;
    bool good = decode(content, entry->bytes, entry->len) &&
                read_site(source, object, place->site) &&
                read_bytes(source, object, "id", entry->id, sizeof entry->id) &&
                read_bytes(source, object, "endpoint", place->endpoint, sizeof place->endpoint) &&
                read_bytes(source, object, "trust", place->trust, sizeof place->trust) &&
                read_bytes(source, object, "pin", entry->pin, sizeof entry->pin) &&
                read_bytes(source, object, "check", check, sizeof check) &&
                read_number(object, "stored", 0, TIME_MAX, &entry->stored_ms) &&
                read_number(object, "lifetime", 1, JTG_TLS_LIFETIME_S_LIMIT, &lifetime_s);
    if (!good)
        return false;
    entry->lifetime_s = (uint32_t)lifetime_s;
    jtgi_tls_entry_check(entry, computed);
    return memcmp(check, computed, sizeof check) == 0;
}

static jtg_status read_ticket(const struct source *source, const json_t *object,
                              struct jtgi_tls_document *document)
{
    struct jtgi_span content = {NULL, 0};
    bool is_clear = find_string(source, json_object_get(object, "ticket"), &content);
    bool is_sealed = !is_clear && find_string(source, json_object_get(object, "sealed"), &content);
    size_t len = content.len / 4 * 3 + content.len % 4 * 3 / 4;
    document->unreadable++; /* until it is found to be none */
    if ((!is_clear && !is_sealed) || len == 0 || len > JTGI_TLS_BYTES_MAX)
        return JTG_OK;
    struct jtgi_tls_entry *entry = jtgi_tls_entry_new(len);
    if (entry == NULL)
        return JTG_ERR_MEMORY;
    entry->is_sealed = is_sealed;
    if (!fill_ticket(source, object, content, entry)) {
        jtgi_tls_entry_free(entry);
        return JTG_OK;
    }
    document->unreadable--;
    return jtgi_tls_document_append(document, entry);
}

static jtg_status read_grave(const struct source *source, const json_t *value,
                             struct jtgi_tls_document *document)
{
    struct jtgi_span span;
    struct jtgi_tls_tombstone tombstone;
    unsigned char bytes[GRAVE_BYTES];
    unsigned char check[GRAVE_CHECK_BYTES];
    bool good = find_string(source, value, &span) && decode(span, bytes, sizeof bytes);
    if (good) {
        check_bytes(bytes, GRAVE_BYTES - GRAVE_CHECK_BYTES, check, sizeof check);
        good = memcmp(bytes + GRAVE_BYTES - GRAVE_CHECK_BYTES, check, sizeof check) == 0;
    }
    if (!good) {
        document->unreadable++;
        return JTG_OK;
    }
    struct jtgi_reader reader = jtgi_reader_of(bytes, sizeof bytes);
    memcpy(tombstone.id, jtgi_read_bytes(&reader, sizeof tombstone.id), sizeof tombstone.id);
    tombstone.end_s = (int64_t)jtgi_read_number(&reader, END_BYTES);
    return jtgi_tls_document_append_consumed(document, &tombstone);
}

static jtg_status read_pin(const struct source *source, const json_t *object,
                           struct jtgi_tls_document *document)
{
    struct jtgi_tls_pin pin;
    unsigned char check[JTGI_TLS_CHECK_BYTES];
    unsigned char computed[JTGI_TLS_CHECK_BYTES];
    bool good = read_bytes(source, object, "trust", pin.trust, sizeof pin.trust) &&
                read_bytes(source, object, "pin", pin.pin, sizeof pin.pin) &&
                read_bytes(source, object, "check", check, sizeof check) &&
                read_number(object, "seen", 0, TIME_MAX, &pin.seen_ms);
    if (good) {
        check_pin(&pin, computed);
        good = memcmp(check, computed, sizeof check) == 0;
    }
    if (good)
        return jtgi_tls_document_append_pin(document, &pin);
    document->unreadable++;
    return JTG_OK;
}

typedef jtg_status (*reader)(const struct source *source, const json_t *value,
                             struct jtgi_tls_document *document);

static jtg_status read_each(const struct source *source, const json_t *root, const char *name,
                            reader read, struct jtgi_tls_document *document)
{
    const json_t *array = json_object_get(root, name);
    if (!json_is_array(array))
        return JTG_ERR_PROTOCOL;
    jtg_status status = JTG_OK;
    for (size_t i = 0; status == JTG_OK && i < json_array_size(array); i++)
        status = read(source, json_array_get(array, i), document);
    return status;
}

static jtg_status check_head(const json_t *root)
{
    const char *magic = json_string_value(json_object_get(root, "magic"));
    const json_t *version = json_object_get(root, "version");
    if (magic == NULL || strcmp(magic, MAGIC) != 0 || !json_is_integer(version))
        return JTG_ERR_PROTOCOL;
    if (json_integer_value(version) > VERSION)
        return JTG_ERR_UNSUPPORTED;
    return json_integer_value(version) == VERSION ? JTG_OK : JTG_ERR_PROTOCOL;
}

/* Without memory jansson may say so, say nothing, or call the text wrong; but malloc() leaves its
 * mark. It matters: what is none of ours is replaced, and with it all that it remembers. */
static jtg_status parse(const struct source *source, json_t **frame)
{
    json_error_t error = {.line = 0};
    if (!jtgi_alloc_permitted())
        return JTG_ERR_MEMORY;
    errno = 0;
    *frame = json_loadb(source->masked, source->masked_len, JSON_REJECT_DUPLICATES, &error);
    if (*frame != NULL)
        return JTG_OK;
    return errno == ENOMEM || json_error_code(&error) == json_error_out_of_memory ||
                   json_error_code(&error) == json_error_unknown
               ? JTG_ERR_MEMORY
               : JTG_ERR_PROTOCOL;
}

static jtg_status check_frame(const json_t *frame)
{
    if (json_string_length(json_array_get(frame, 0)) != FIRST_BYTES)
        return JTG_ERR_MEMORY;
    return json_array_size(frame) == 2 ? JTG_OK : JTG_ERR_PROTOCOL;
}

static jtg_status read_all(const struct source *source, struct jtgi_tls_document *document)
{
    json_t *frame = NULL;
    jtg_status status = parse(source, &frame);
    if (status == JTG_OK)
        status = check_frame(frame);
    const json_t *root = json_array_get(frame, 1);
    if (status == JTG_OK)
        status = check_head(root);
    if (status == JTG_OK)
        status = read_each(source, root, "tickets", read_ticket, document);
    if (status == JTG_OK)
        status = read_each(source, root, "consumed", read_grave, document);
    if (status == JTG_OK)
        status = read_each(source, root, "pins", read_pin, document);
    if (status == JTG_OK)
        status = jtgi_tls_document_settle(document);
    json_decref(frame);
    return status;
}

jtg_status jtgi_tls_text_read(const struct jtgi_tls_text *text, struct jtgi_tls_document *document)
{
    struct source source = {text, NULL, 0};
    if (text->len == 0)
        return JTG_ERR_PROTOCOL;
    source.masked = jtgi_alloc(text->len + FRAME_BYTES);
    if (source.masked == NULL)
        return JTG_ERR_MEMORY;
    mask(&source);
    jtg_status status = read_all(&source, document);
    jtgi_free_wiped(source.masked, text->len + FRAME_BYTES);
    if (status != JTG_OK)
        jtgi_tls_document_clear(document);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tls/tls_document.h"

#include "core/alloc.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ROOM = 8,
    MS_PER_S = 1000,
    PIN_AGES_MS = 86400 * MS_PER_S, /* written again after a day */
    /* Longer than any ticket, counted from the last time, which may not have been written. */
    PIN_LIVES_MS = JTG_TLS_LIFETIME_S_LIMIT * MS_PER_S + PIN_AGES_MS
};

void jtgi_tls_document_clear(struct jtgi_tls_document *document)
{
    static const struct jtgi_tls_document none;
    for (size_t i = 0; i < document->ticket_count; i++)
        jtgi_tls_entry_free(document->tickets[i]);
    jtgi_free(document->tickets);
    jtgi_free(document->consumed);
    jtgi_free(document->pins);
    *document = none;
}

/* Room for one more; the array moves. NULL: no memory, and the old one is as it was. */
static void *grow(void *array, size_t *room, size_t count, size_t item_size)
{
    if (count < *room)
        return array;
    size_t more = *room == 0 ? FIRST_ROOM : 2 * *room;
    void *grown = jtgi_alloc(more * item_size);
    if (grown == NULL)
        return NULL;
    if (count != 0)
        memcpy(grown, array, count * item_size);
    jtgi_free(array);
    *room = more;
    return grown;
}

/* ---- tickets ---- */

jtg_status jtgi_tls_document_append(struct jtgi_tls_document *document,
                                    struct jtgi_tls_entry *entry)
{
    struct jtgi_tls_entry **tickets = grow(document->tickets, &document->ticket_room,
                                           document->ticket_count, sizeof *document->tickets);
    if (tickets == NULL) {
        jtgi_tls_entry_free(entry);
        return JTG_ERR_MEMORY;
    }
    document->tickets = tickets;
    tickets[document->ticket_count++] = entry;
    return JTG_OK;
}

/* The last one to its place: a ticket that waited in memory may be older than one in the file. */
static void sink_last(struct jtgi_tls_document *document)
{
    struct jtgi_tls_entry **tickets = document->tickets;
    size_t at = document->ticket_count - 1;
    struct jtgi_tls_entry *entry = tickets[at];
    for (; at > 0 && tickets[at - 1]->stored_ms > entry->stored_ms; at--)
        tickets[at] = tickets[at - 1];
    tickets[at] = entry;
}

static struct jtgi_tls_entry *remove_ticket(struct jtgi_tls_document *document, size_t at)
{
    struct jtgi_tls_entry *entry = document->tickets[at];
    document->ticket_count--;
    memmove(document->tickets + at, document->tickets + at + 1,
            (document->ticket_count - at) * sizeof *document->tickets);
    return entry;
}

/* Keep those that a judge keeps, in their order; free the others. Returns how many went. */
static size_t keep(struct jtgi_tls_document *document,
                   bool (*is_kept)(const struct jtgi_tls_entry *entry, const void *context),
                   const void *context)
{
    size_t kept = 0;
    size_t count = document->ticket_count;
    for (size_t i = 0; i < count; i++) {
        struct jtgi_tls_entry *entry = document->tickets[i];
        if (is_kept(entry, context))
            document->tickets[kept++] = entry;
        else
            jtgi_tls_entry_free(entry);
    }
    document->ticket_count = kept;
    return count - kept;
}

static bool is_of(const struct jtgi_tls_entry *entry, const unsigned char *endpoint)
{
    return memcmp(entry->place.endpoint, endpoint, sizeof entry->place.endpoint) == 0;
}

size_t jtgi_tls_document_newest(const struct jtgi_tls_document *document,
                                const unsigned char endpoint[JTGI_ENDPOINT_DIGEST_BYTES],
                                const unsigned char *pin, size_t before)
{
    while (before-- > 0) {
        const struct jtgi_tls_entry *entry = document->tickets[before];
        if (is_of(entry, endpoint) &&
            (pin == NULL || memcmp(entry->pin, pin, sizeof entry->pin) == 0))
            return before;
    }
    return SIZE_MAX;
}

bool jtgi_tls_document_has(const struct jtgi_tls_document *document,
                           const unsigned char id[JTGI_TLS_ID_BYTES])
{
    for (size_t i = 0; i < document->ticket_count; i++)
        if (memcmp(document->tickets[i]->id, id, JTGI_TLS_ID_BYTES) == 0)
            return true;
    return jtgi_tls_document_is_consumed(document, id);
}

size_t jtgi_tls_document_size(const struct jtgi_tls_document *document)
{
    enum { HEAD_BYTES = 256, TICKET_BYTES = 320, GRAVE_TEXT_BYTES = 36, PIN_BYTES = 192 };
    size_t size =
        HEAD_BYTES + GRAVE_TEXT_BYTES * document->consumed_count + PIN_BYTES * document->pin_count;
    for (size_t i = 0; i < document->ticket_count; i++) {
        const struct jtgi_tls_entry *entry = document->tickets[i];
        size += TICKET_BYTES + strlen(entry->place.site) +
                sodium_base64_encoded_len(entry->len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    }
    return size;
}

static void drop_first(struct jtgi_tls_document *document, const unsigned char *endpoint)
{
    for (size_t i = 0; i < document->ticket_count; i++)
        if (endpoint == NULL || is_of(document->tickets[i], endpoint)) {
            jtgi_tls_entry_free(remove_ticket(document, i));
            return;
        }
}

static void keep_to_endpoint(struct jtgi_tls_document *document, const unsigned char *endpoint,
                             size_t most)
{
    size_t count = 0;
    for (size_t i = 0; i < document->ticket_count; i++)
        count += is_of(document->tickets[i], endpoint);
    for (; count > most; count--)
        drop_first(document, endpoint);
}

/* In number, and in what the file may take. */
static void keep_to_whole(struct jtgi_tls_document *document, size_t most)
{
    while (document->ticket_count > most)
        drop_first(document, NULL);
    while (document->ticket_count > 0 && jtgi_tls_document_size(document) > JTG_TLS_FILE_MAX_BYTES)
        drop_first(document, NULL);
}

/* ---- pins ---- */

static struct jtgi_tls_pin *find_pin(const struct jtgi_tls_document *document,
                                     const unsigned char *trust)
{
    for (size_t i = 0; i < document->pin_count; i++)
        if (memcmp(document->pins[i].trust, trust, sizeof document->pins[i].trust) == 0)
            return document->pins + i;
    return NULL;
}

static bool is_not_of_another_pin(const struct jtgi_tls_entry *entry, const void *context)
{
    const struct jtgi_tls_pin *seen = context;
    return memcmp(entry->place.trust, seen->trust, sizeof seen->trust) != 0 ||
           memcmp(entry->pin, seen->pin, sizeof seen->pin) == 0;
}

static void remove_pin(struct jtgi_tls_document *document, size_t at)
{
    document->pin_count--;
    memmove(document->pins + at, document->pins + at + 1,
            (document->pin_count - at) * sizeof *document->pins);
}

/* The pin that was seen longest ago gives way. */
static void drop_oldest_pin(struct jtgi_tls_document *document)
{
    size_t oldest = 0;
    for (size_t i = 1; i < document->pin_count; i++)
        if (document->pins[i].seen_ms < document->pins[oldest].seen_ms)
            oldest = i;
    remove_pin(document, oldest);
}

jtg_status jtgi_tls_document_append_pin(struct jtgi_tls_document *document,
                                        const struct jtgi_tls_pin *pin)
{
    struct jtgi_tls_pin *pins =
        grow(document->pins, &document->pin_room, document->pin_count, sizeof *document->pins);
    if (pins == NULL)
        return JTG_ERR_MEMORY;
    document->pins = pins;
    pins[document->pin_count++] = *pin;
    return JTG_OK;
}

jtg_status jtgi_tls_document_see(struct jtgi_tls_document *document, const struct jtgi_tls_pin *pin,
                                 const struct jtgi_tls_limits *limits, bool *changed)
{
    struct jtgi_tls_pin *known = find_pin(document, pin->trust);
    if (known == NULL) {
        if (jtgi_tls_document_append_pin(document, pin) != JTG_OK)
            return JTG_ERR_MEMORY;
        while (document->pin_count > limits->tickets)
            drop_oldest_pin(document);
        keep_to_whole(document, limits->tickets);
        *changed = true;
    } else if (known->seen_ms > pin->seen_ms) {
        return JTG_OK;
    } else if (memcmp(known->pin, pin->pin, sizeof pin->pin) != 0 ||
               pin->seen_ms - known->seen_ms >= PIN_AGES_MS) {
        *known = *pin;
        *changed = true;
    }
    if (keep(document, is_not_of_another_pin, pin) != 0)
        *changed = true;
    return JTG_OK;
}

void jtgi_tls_document_discard(struct jtgi_tls_document *document,
                               const unsigned char id[JTGI_TLS_ID_BYTES])
{
    for (size_t i = 0; i < document->ticket_count; i++)
        if (memcmp(document->tickets[i]->id, id, JTGI_TLS_ID_BYTES) == 0) {
            jtgi_tls_entry_free(remove_ticket(document, i));
            return;
        }
}

void jtgi_tls_document_unsee(struct jtgi_tls_document *document, const struct jtgi_tls_pin *pin)
{
    const struct jtgi_tls_pin *known = find_pin(document, pin->trust);
    if (known != NULL && known->seen_ms == pin->seen_ms &&
        memcmp(known->pin, pin->pin, sizeof pin->pin) == 0)
        remove_pin(document, (size_t)(known - document->pins));
}

jtg_status jtgi_tls_document_put(struct jtgi_tls_document *document, struct jtgi_tls_entry *entry,
                                 const struct jtgi_tls_limits *limits, jtg_tls_fate *fate)
{
    const struct jtgi_tls_pin *known = find_pin(document, entry->place.trust);
    unsigned char endpoint[JTGI_ENDPOINT_DIGEST_BYTES];
    *fate = jtgi_tls_document_has(document, entry->id)              ? JTG_TLS_DUPLICATE
            : known != NULL && !is_not_of_another_pin(entry, known) ? JTG_TLS_OLD_PIN
                                                                    : JTG_TLS_STORED;
    if (*fate != JTG_TLS_STORED) {
        jtgi_tls_entry_free(entry);
        return JTG_OK;
    }
    memcpy(endpoint, entry->place.endpoint, sizeof endpoint);
    jtg_status status = jtgi_tls_document_append(document, entry);
    if (status != JTG_OK) {
        *fate = JTG_TLS_NOT_STORED;
        return status;
    }
    sink_last(document);
    keep_to_endpoint(document, endpoint, limits->per_endpoint);
    keep_to_whole(document, limits->tickets);
    return JTG_OK;
}

/* ---- what is used up ---- */

static int by_id(const void *a, const void *b)
{
    return memcmp(a, b, JTGI_TLS_ID_BYTES); /* the first member of a tombstone */
}

bool jtgi_tls_document_is_consumed(const struct jtgi_tls_document *document,
                                   const unsigned char id[JTGI_TLS_ID_BYTES])
{
    return document->consumed_count != 0 &&
           bsearch(id, document->consumed, document->consumed_count, sizeof *document->consumed,
                   by_id) != NULL;
}

jtg_status jtgi_tls_document_append_consumed(struct jtgi_tls_document *document,
                                             const struct jtgi_tls_tombstone *tombstone)
{
    struct jtgi_tls_tombstone *consumed = grow(document->consumed, &document->consumed_room,
                                               document->consumed_count, sizeof *consumed);
    if (consumed == NULL)
        return JTG_ERR_MEMORY;
    document->consumed = consumed;
    consumed[document->consumed_count++] = *tombstone;
    return JTG_OK;
}

static struct jtgi_tls_tombstone tombstone_of(const struct jtgi_tls_entry *entry)
{
    struct jtgi_tls_tombstone tombstone;
    int64_t end_ms = jtgi_tls_entry_end_ms(entry, JTG_TLS_LIFETIME_S_LIMIT);
    memcpy(tombstone.id, entry->id, sizeof tombstone.id);
    tombstone.end_s = (end_ms + MS_PER_S - 1) / MS_PER_S;
    return tombstone;
}

/* No id of a ticket is among them. */
static jtg_status bury(struct jtgi_tls_document *document, const struct jtgi_tls_entry *entry,
                       const struct jtgi_tls_limits *limits)
{
    struct jtgi_tls_tombstone tombstone = tombstone_of(entry);
    if (document->consumed_count >= limits->consumed)
        return JTG_ERR_FULL;
    if (jtgi_tls_document_append_consumed(document, &tombstone) != JTG_OK)
        return JTG_ERR_MEMORY;
    struct jtgi_tls_tombstone *consumed = document->consumed;
    size_t at = document->consumed_count - 1;
    for (; at > 0 && by_id(consumed + at - 1, &tombstone) > 0; at--)
        consumed[at] = consumed[at - 1];
    consumed[at] = tombstone;
    return JTG_OK;
}

jtg_status jtgi_tls_document_use_up(struct jtgi_tls_document *document, size_t at,
                                    const struct jtgi_tls_limits *limits,
                                    struct jtgi_tls_entry **entry)
{
    jtg_status status = bury(document, document->tickets[at], limits);
    *entry = status == JTG_OK ? remove_ticket(document, at) : NULL;
    return status;
}

void jtgi_tls_document_drop(struct jtgi_tls_document *document, size_t at)
{
    jtgi_tls_entry_free(remove_ticket(document, at));
    document->unreadable++;
}

struct burial {
    struct jtgi_tls_document *document;
    const char *site;
    const struct jtgi_tls_limits *limits;
};

static bool is_elsewhere(const struct jtgi_tls_entry *entry, const void *context)
{
    const struct burial *burial = context;
    if (strcmp(entry->place.site, burial->site) != 0)
        return true;
    (void)bury(burial->document, entry, burial->limits);
    return false;
}

/* So that none of the burials to come fails for want of memory. */
static bool reserve_graves(struct jtgi_tls_document *document, size_t more)
{
    while (document->consumed_room - document->consumed_count < more) {
        struct jtgi_tls_tombstone *consumed = grow(document->consumed, &document->consumed_room,
                                                   document->consumed_room, sizeof *consumed);
        if (consumed == NULL)
            return false;
        document->consumed = consumed;
    }
    return true;
}

jtg_status jtgi_tls_document_invalidate(struct jtgi_tls_document *document, const char *site,
                                        const struct jtgi_tls_limits *limits)
{
    struct burial burial = {document, site, limits};
    size_t count = 0;
    for (size_t i = 0; i < document->ticket_count; i++)
        count += strcmp(document->tickets[i]->place.site, site) == 0;
    if (!reserve_graves(document, count))
        return JTG_ERR_MEMORY;
    return keep(document, is_elsewhere, &burial) != 0 ? JTG_OK : JTG_NOT_FOUND;
}

/* ---- reading ---- */

struct listed {
    struct jtgi_tls_entry *entry;
    size_t at; /* makes the order of equals that in which they came */
};

static int by_place(const struct listed *left, const struct listed *right)
{
    return left->at < right->at ? -1 : left->at > right->at;
}

static int by_ticket_id(const void *a, const void *b)
{
    const struct listed *left = a;
    const struct listed *right = b;
    int order = memcmp(left->entry->id, right->entry->id, JTGI_TLS_ID_BYTES);
    return order != 0 ? order : by_place(left, right);
}

static int by_age(const void *a, const void *b)
{
    const struct listed *left = a;
    const struct listed *right = b;
    if (left->entry->stored_ms != right->entry->stored_ms)
        return left->entry->stored_ms < right->entry->stored_ms ? -1 : 1;
    return by_place(left, right);
}

static size_t drop_doubles(struct jtgi_tls_document *document, struct listed *list, size_t count)
{
    size_t kept = 0;
    qsort(list, count, sizeof *list, by_ticket_id);
    for (size_t i = 0; i < count; i++) {
        struct jtgi_tls_entry *entry = list[i].entry;
        if (jtgi_tls_document_is_consumed(document, entry->id) ||
            (kept > 0 && memcmp(list[kept - 1].entry->id, entry->id, sizeof entry->id) == 0)) {
            jtgi_tls_entry_free(entry);
            document->unreadable++;
        } else {
            list[kept++] = list[i];
        }
    }
    return kept;
}

jtg_status jtgi_tls_document_settle(struct jtgi_tls_document *document)
{
    size_t count = document->ticket_count;
    if (document->consumed_count != 0)
        qsort(document->consumed, document->consumed_count, sizeof *document->consumed, by_id);
    if (count == 0)
        return JTG_OK;
    struct listed *list = jtgi_alloc(count * sizeof *list);
    if (list == NULL)
        return JTG_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        list[i] = (struct listed){document->tickets[i], i};
    count = drop_doubles(document, list, count);
    qsort(list, count, sizeof *list, by_age);
    for (size_t i = 0; i < count; i++)
        document->tickets[i] = list[i].entry;
    document->ticket_count = count;
    jtgi_free(list);
    return JTG_OK;
}

struct moment {
    int64_t now_ms;
    const struct jtgi_tls_limits *limits;
};

static bool is_live(const struct jtgi_tls_entry *entry, const void *context)
{
    const struct moment *moment = context;
    return jtgi_tls_entry_is_live(entry, moment->now_ms, moment->limits->max_age_s);
}

static bool is_sealed(const struct jtgi_tls_entry *entry, const void *context)
{
    (void)context;
    return entry->is_sealed;
}

static void forget_consumed(struct jtgi_tls_document *document, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < document->consumed_count; i++)
        if (document->consumed[i].end_s > now_ms / MS_PER_S)
            document->consumed[kept++] = document->consumed[i];
    document->consumed_count = kept;
}

/* A pin that is dated later than now, for the clock was set back, must not stay for longer than
 * others, and gives way to whatever is seen from now on: it ages by the day after which it is
 * written again. */
static void forget_pins(struct jtgi_tls_document *document, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < document->pin_count; i++) {
        struct jtgi_tls_pin pin = document->pins[i];
        if (pin.seen_ms > now_ms)
            pin.seen_ms = now_ms > PIN_AGES_MS ? now_ms - PIN_AGES_MS : 0;
        if (now_ms - pin.seen_ms < PIN_LIVES_MS)
            document->pins[kept++] = pin;
    }
    document->pin_count = kept;
}

void jtgi_tls_document_forget(struct jtgi_tls_document *document, int64_t now_ms,
                              const struct jtgi_tls_limits *limits)
{
    struct moment moment = {now_ms, limits};
    document->ended += (uint32_t)keep(document, is_live, &moment);
    if (limits->sealed_only)
        document->unreadable += (uint32_t)keep(document, is_sealed, NULL);
    forget_consumed(document, now_ms);
    forget_pins(document, now_ms);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The file is the truth: a call that changes something locks it, reads it, changes what it holds
 * and replaces it. Nothing of it is kept in memory from one call to the next, so that there is
 * nothing by which a ticket that another process has used up could come back. */
#include "tokens/tls/tls_file.h"
#include "tokens/tls/tls_options.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/log.h"
#include "core/object.h"
#include "core/options.h"

#include <pthread.h>
#include <string.h>

/* The sizes of the first release; a shorter struct was never ours. */
#define TICKET_OLDEST_SIZE sizeof(jtg_tls_ticket)
#define STATE_OLDEST_SIZE  sizeof(jtg_tls_tickets_state)

struct jtg_tls_tickets {
    struct jtgi_object base;
    struct jtgi_tls_file file;
    struct jtgi_tls_limits limits;
    uint32_t lock_wait_ms;
    bool is_writing_through;
    bool is_disabled;
    struct jtgi_tls_keys *keys; /* in locked memory */
    bool has_mutex;
    pthread_mutex_t mutex;
    struct jtgi_tls_document
        unsaved; /* under the mutex: tickets and pins that wait to be written */
};

static const jtg_tls_ticket no_ticket = JTG_TLS_TICKET_INIT;

/* ---- a ticket ---- */

/* A caller's struct may be one of an older release, and shorter. */
static bool is_ticket(const jtg_tls_ticket *ticket)
{
    return ticket != NULL && jtgi_struct_size_ok(ticket->struct_size, TICKET_OLDEST_SIZE);
}

static void give_ticket(jtg_tls_ticket *ticket, const jtg_tls_ticket *made)
{
    jtgi_struct_give(ticket, made, sizeof *made);
}

void jtg_tls_ticket_clear(jtg_tls_ticket *ticket)
{
    if (!is_ticket(ticket))
        return;
    jtgi_free_wiped(ticket->storage, ticket->storage_len);
    give_ticket(ticket, &no_ticket);
}

/* ---- life ---- */

static jtg_status set_file(jtg_tls_tickets *tickets, const char *path, jtg_error *err)
{
    if (path != NULL)
        return jtgi_tls_file_set(&tickets->file, path, err);
    char *standard = jtgi_alloc(JTG_TLS_PATH_MAX_BYTES + 1);
    if (standard == NULL)
        return JTG_ERR_MEMORY;
    jtg_status status = jtg_tls_tickets_default_path(standard, JTG_TLS_PATH_MAX_BYTES + 1, err);
    if (status == JTG_OK)
        status = jtgi_tls_file_set(&tickets->file, standard, err);
    jtgi_free(standard);
    return status;
}

/* What a cache needs that is not switched off. */
static jtg_status set_up_working(jtg_tls_tickets *tickets, const char *path,
                                 const jtg_tls_tickets_options *options, jtg_error *err)
{
    tickets->keys = jtgi_secret_alloc(sizeof *tickets->keys);
    if (tickets->keys == NULL)
        return JTG_ERR_MEMORY;
    jtg_status status = jtgi_tls_options_keys(tickets->keys, options, err);
    if (status == JTG_OK)
        status = set_file(tickets, path, err);
    if (status != JTG_OK)
        return status;
    if (!jtgi_alloc_permitted() || pthread_mutex_init(&tickets->mutex, NULL) != 0)
        return JTG_ERR_MEMORY;
    tickets->has_mutex = true;
    return JTG_OK;
}

static jtg_status set_up(jtg_tls_tickets *tickets, const char *path,
                         const jtg_tls_tickets_options *given, jtg_error *err)
{
    jtg_tls_tickets_options options;
    jtg_status status = jtgi_tls_options_read(&options, given, err);
    if (status == JTG_OK)
        status = jtgi_object_begin(&tickets->base, options.clock, options.logger, 0, err);
    if (status != JTG_OK)
        return status;
    tickets->limits = jtgi_tls_options_limits(&options);
    tickets->lock_wait_ms = options.lock_wait_ms;
    tickets->is_writing_through = options.write_through != 0;
    tickets->is_disabled = jtg_tls_tickets_is_disabled();
    return tickets->is_disabled ? JTG_OK : set_up_working(tickets, path, &options, err);
}

jtg_status jtg_tls_tickets_open(jtg_tls_tickets **tickets, const char *path,
                                const jtg_tls_tickets_options *options, jtg_error *err)
{
    jtgi_error_begin(err);
    if (tickets == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the tickets");
    *tickets = NULL;
    jtg_tls_tickets *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtgi_error_end(JTG_ERR_MEMORY, err);
    jtg_status status = set_up(made, path, options, err);
    if (status == JTG_OK)
        *tickets = made;
    else
        jtg_tls_tickets_free(made);
    return jtgi_error_end(status, err);
}

void jtg_tls_tickets_free(jtg_tls_tickets *tickets)
{
    if (tickets == NULL)
        return;
    jtgi_tls_document_clear(&tickets->unsaved);
    if (tickets->has_mutex)
        (void)pthread_mutex_destroy(&tickets->mutex);
    jtgi_tls_file_clear(&tickets->file);
    jtgi_secret_free(tickets->keys);
    jtgi_free(tickets);
}

/* ---- what every call begins with ---- */

static jtg_status begin(const jtg_tls_tickets *tickets, jtg_error *err)
{
    jtgi_error_begin(err);
    if (tickets == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "tickets is NULL");
    return jtgi_object_check(&tickets->base, "the tickets were", err);
}

static jtg_status begin_at(const jtg_tls_tickets *tickets, const jtg_endpoint *given,
                           struct jtgi_tls_place *place, jtg_error *err)
{
    static const struct jtgi_tls_keys no_keys;
    jtg_endpoint endpoint;
    jtg_status status = begin(tickets, err);
    if (status == JTG_OK)
        status = jtgi_endpoint_read(&endpoint, given, err);
    if (status != JTG_OK)
        return status;
    return jtgi_tls_place_find(tickets->is_disabled ? &no_keys : tickets->keys, &endpoint, place,
                               err);
}

/* ---- the document of one call ---- */

/* What the file holds and what waits to be written, together. Start from WORK_INIT. */
struct work {
    struct jtgi_tls_hold hold;
    struct jtgi_tls_document document;
    int64_t now_ms;
    bool is_corrupt; /* the file is none of ours */
    bool is_changed; /* the document differs from the file by more than what has ended */
    bool is_set_aside;
    bool is_written;
    unsigned char (*ids)[JTGI_TLS_ID_BYTES]; /* of the tickets that waited */
    size_t id_count;
    struct jtgi_tls_pin *pins; /* that waited */
    size_t pin_count;
};

#define WORK_INIT                                                                                  \
    {                                                                                              \
        .hold = JTGI_TLS_HOLD_INIT                                                                 \
    }

static jtg_status end_work(const jtg_tls_tickets *tickets, struct work *work, jtg_status status,
                           jtg_error *err)
{
    jtgi_tls_file_release(&work->hold);
    if (work->is_set_aside)
        jtgi_log(&tickets->base.logger, JTG_LOG_WARNING,
                 "tls tickets: the file was none of ours; it is kept beside");
    if (work->is_written && work->document.unreadable != 0)
        jtgi_log(&tickets->base.logger, JTG_LOG_WARNING,
                 "tls tickets: %u entries were none of ours, or not authentic; they are gone",
                 (unsigned)work->document.unreadable);
    jtgi_tls_document_clear(&work->document);
    jtgi_free(work->ids);
    jtgi_free(work->pins);
    return jtgi_error_end(status, err);
}

static jtg_status read_file(const jtg_tls_tickets *tickets, struct work *work, jtg_error *err)
{
    struct jtgi_tls_text text = {NULL, 0, 0};
    jtg_status status = jtgi_tls_file_read(&tickets->file, &work->hold, &text, err);
    if (status == JTG_NOT_FOUND)
        return JTG_OK;
    if (status == JTG_OK)
        status = jtgi_tls_text_read(&text, &work->document);
    jtgi_tls_text_clear(&text);
    work->is_corrupt = status == JTG_ERR_PROTOCOL;
    if (status == JTG_ERR_UNSUPPORTED)
        return jtg_error_set(err, status, 0, "the file is of a newer version");
    return work->is_corrupt ? JTG_OK : status;
}

/* Under the mutex, and by a clock that is read under it: nothing that came before is dated later,
 * unless the clock was set back. */
static void forget_waiting(jtg_tls_tickets *tickets)
{
    jtgi_tls_document_forget(&tickets->unsaved, jtgi_clock_wall_ms(&tickets->base.clock),
                             &tickets->limits);
}

/* Under the mutex. */
static jtg_status merge_locked(const jtg_tls_tickets *tickets, struct work *work)
{
    const struct jtgi_tls_document *unsaved = &tickets->unsaved;
    jtg_status status = JTG_OK;
    if (unsaved->ticket_count + unsaved->pin_count == 0)
        return JTG_OK;
    work->ids = jtgi_alloc((unsaved->ticket_count + 1) * sizeof *work->ids);
    work->pins = jtgi_alloc((unsaved->pin_count + 1) * sizeof *work->pins);
    if (work->ids == NULL || work->pins == NULL)
        return JTG_ERR_MEMORY;
    for (size_t i = 0; status == JTG_OK && i < unsaved->pin_count; i++) {
        work->pins[work->pin_count++] = unsaved->pins[i];
        status = jtgi_tls_document_see(&work->document, unsaved->pins + i, &tickets->limits,
                                       &work->is_changed);
    }
    for (size_t i = 0; status == JTG_OK && i < unsaved->ticket_count; i++) {
        jtg_tls_fate fate = JTG_TLS_NOT_STORED;
        struct jtgi_tls_entry *copy = jtgi_tls_entry_copy(unsaved->tickets[i]);
        memcpy(work->ids[work->id_count++], unsaved->tickets[i]->id, JTGI_TLS_ID_BYTES);
        status = copy == NULL
                     ? JTG_ERR_MEMORY
                     : jtgi_tls_document_put(&work->document, copy, &tickets->limits, &fate);
        work->is_changed = work->is_changed || fate == JTG_TLS_STORED;
    }
    return status;
}

static void forget(const jtg_tls_tickets *tickets, struct work *work)
{
    work->now_ms = jtgi_clock_wall_ms(&tickets->base.clock);
    jtgi_tls_document_forget(&work->document, work->now_ms, &tickets->limits);
}

/* What has ended goes before others are counted beside it. The clock is read after what it judges,
 * so that a ticket which is put at this moment is not dated later than now. */
static jtg_status fill(jtg_tls_tickets *tickets, struct work *work, jtg_error *err)
{
    jtg_status status = work->hold.folder >= 0 ? read_file(tickets, work, err) : JTG_OK;
    if (status != JTG_OK)
        return status;
    forget(tickets, work);
    (void)pthread_mutex_lock(&tickets->mutex);
    forget_waiting(tickets);
    status = merge_locked(tickets, work);
    (void)pthread_mutex_unlock(&tickets->mutex);
    forget(tickets, work);
    return status;
}

/* To look, without the lock: a file that is only ever replaced is whole. */
static jtg_status look(jtg_tls_tickets *tickets, struct work *work, jtg_error *err)
{
    jtg_status status = jtgi_tls_file_look(&tickets->file, &work->hold, err);
    return status == JTG_OK || status == JTG_NOT_FOUND ? fill(tickets, work, err) : status;
}

/* To change something. */
static jtg_status grasp(jtg_tls_tickets *tickets, struct work *work, jtg_error *err)
{
    jtg_status status = jtgi_tls_file_lock(&tickets->file, tickets->lock_wait_ms, &work->hold, err);
    return status == JTG_OK ? fill(tickets, work, err) : status;
}

/* Under the mutex. */
static void settle_locked(jtg_tls_tickets *tickets, const struct work *work)
{
    for (size_t i = 0; i < work->id_count; i++)
        jtgi_tls_document_discard(&tickets->unsaved, work->ids[i]);
    for (size_t i = 0; i < work->pin_count; i++)
        jtgi_tls_document_unsee(&tickets->unsaved, work->pins + i);
}

/* Write the document. What waited to be written no longer does once the file is in its place. */
static jtg_status commit(jtg_tls_tickets *tickets, struct work *work, jtg_error *err)
{
    struct jtgi_tls_text text = {NULL, 0, 0};
    bool moved = false;
    jtg_status status = jtgi_tls_text_write(&work->document, &text);
    if (status == JTG_OK && work->is_corrupt) {
        status = jtgi_tls_file_set_aside(&tickets->file, &work->hold, err);
        work->is_set_aside = status == JTG_OK;
    }
    if (status == JTG_OK)
        status = jtgi_tls_file_replace(&tickets->file, &work->hold, &text, &moved, err);
    jtgi_tls_text_clear(&text);
    work->is_written = moved;
    if (moved) {
        (void)pthread_mutex_lock(&tickets->mutex);
        settle_locked(tickets, work);
        (void)pthread_mutex_unlock(&tickets->mutex);
    }
    return status;
}

/* Could another call write it? Then what could not be written waits for that. */
static bool may_come_later(jtg_status status)
{
    return status == JTG_ERR_UNAVAILABLE || status == JTG_ERR_SYSTEM || status == JTG_ERR_UNSAFE ||
           status == JTG_ERR_UNSUPPORTED;
}

/* ---- putting ---- */

static jtg_status check_ticket(const jtg_tls_ticket *given, jtg_tls_ticket *ticket, jtg_error *err)
{
    *ticket = no_ticket;
    if (given == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "ticket is NULL");
    jtg_status status =
        jtg_struct_read(ticket, sizeof *ticket, TICKET_OLDEST_SIZE, given, "ticket", err);
    if (status != JTG_OK)
        return status;
    if (ticket->ticket == NULL || ticket->ticket_len == 0 ||
        ticket->ticket_len > JTG_TLS_TICKET_MAX_BYTES)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "ticket does not have 1 to %d bytes",
                             JTG_TLS_TICKET_MAX_BYTES);
    if ((ticket->identity == NULL && ticket->identity_len != 0) ||
        ticket->identity_len > JTG_TLS_TICKET_MAX_BYTES || ticket->reserved != 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "ticket: a field is out of its range");
    return JTG_OK;
}

/* entry is taken. */
static jtg_status remember(jtg_tls_tickets *tickets, struct jtgi_tls_entry *entry,
                           jtg_tls_fate *fate)
{
    (void)pthread_mutex_lock(&tickets->mutex);
    jtg_status status = jtgi_tls_document_put(&tickets->unsaved, entry, &tickets->limits, fate);
    (void)pthread_mutex_unlock(&tickets->mutex);
    return status;
}

static jtg_status put_in_file(jtg_tls_tickets *tickets, const struct jtgi_tls_entry *entry,
                              jtg_tls_fate *fate, bool *is_written, jtg_error *err)
{
    struct work work = WORK_INIT;
    jtg_status status = grasp(tickets, &work, err);
    if (status == JTG_OK) {
        struct jtgi_tls_entry *copy = jtgi_tls_entry_copy(entry);
        status = copy == NULL ? JTG_ERR_MEMORY
                              : jtgi_tls_document_put(&work.document, copy, &tickets->limits, fate);
    }
    if (status == JTG_OK && (work.is_changed || *fate == JTG_TLS_STORED))
        status = commit(tickets, &work, err);
    *is_written = work.is_written;
    return end_work(tickets, &work, status, err);
}

/* entry is taken. */
static jtg_status put(jtg_tls_tickets *tickets, struct jtgi_tls_entry *entry, jtg_tls_fate *fate,
                      jtg_error *err)
{
    jtg_tls_fate later = JTG_TLS_NOT_STORED;
    if (!tickets->is_writing_through)
        return remember(tickets, entry, fate);
    bool is_written = false;
    jtg_status status = put_in_file(tickets, entry, fate, &is_written, err);
    if (status != JTG_OK)
        *fate = JTG_TLS_NOT_STORED;
    if (may_come_later(status) && !is_written) /* two copies of it must not wait */
        (void)remember(tickets, entry, &later);
    else
        jtgi_tls_entry_free(entry);
    return status;
}

static jtg_status put_ticket(jtg_tls_tickets *tickets, const struct jtgi_tls_place *place,
                             const jtg_tls_ticket *given, jtg_tls_fate *fate, jtg_error *err)
{
    jtg_tls_ticket ticket;
    struct jtgi_tls_entry *entry = NULL;
    jtg_status status = check_ticket(given, &ticket, err);
    if (status != JTG_OK)
        return status;
    if (ticket.lifetime_s == 0 || tickets->is_disabled) {
        *fate = JTG_TLS_DISCARDED;
        return JTG_OK;
    }
    status = jtgi_tls_entry_make(tickets->keys, place, &ticket,
                                 jtgi_clock_wall_ms(&tickets->base.clock), &entry);
    return status == JTG_OK ? put(tickets, entry, fate, err) : status;
}

jtg_status jtg_tls_tickets_put(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                               const jtg_tls_ticket *ticket, jtg_tls_fate *fate, jtg_error *err)
{
    struct jtgi_tls_place place;
    jtg_tls_fate made = JTG_TLS_NOT_STORED;
    jtg_status status = begin_at(tickets, endpoint, &place, err);
    if (status == JTG_OK)
        status = put_ticket(tickets, &place, ticket, &made, err);
    if (fate != NULL)
        *fate = made;
    return jtgi_error_end(status, err);
}

/* ---- handing out ---- */

/* The newest ticket that can be opened, and its place. One that cannot is none of ours. */
static jtg_status open_newest(const jtg_tls_tickets *tickets, struct work *work,
                              const struct jtgi_tls_place *place, const unsigned char *pin,
                              jtg_tls_ticket *made, size_t *at)
{
    struct jtgi_tls_document *document = &work->document;
    *at = jtgi_tls_document_newest(document, place->endpoint, pin, document->ticket_count);
    while (*at != SIZE_MAX) {
        jtg_status status = jtgi_tls_entry_open(tickets->keys, document->tickets[*at], work->now_ms,
                                                tickets->limits.max_age_s, made);
        if (status != JTG_MISMATCH)
            return status;
        jtgi_tls_document_drop(document, *at);
        *at = jtgi_tls_document_newest(document, place->endpoint, pin, *at);
    }
    return JTG_NOT_FOUND;
}

static jtg_status get(jtg_tls_tickets *tickets, const struct jtgi_tls_place *place,
                      const unsigned char *pin, jtg_tls_ticket *made, jtg_error *err)
{
    size_t at = 0;
    struct work work = WORK_INIT;
    jtg_status status = look(tickets, &work, err);
    if (status == JTG_OK)
        status = open_newest(tickets, &work, place, pin, made, &at);
    return end_work(tickets, &work, status, err);
}

/* Used up on the disk first, and only then in the caller's hands. Whatever fails on the way leaves
 * a ticket unused, or used by nobody. */
static jtg_status use_up(jtg_tls_tickets *tickets, struct work *work, size_t at, jtg_error *err)
{
    struct jtgi_tls_entry *entry = NULL;
    jtg_status status = jtgi_tls_document_use_up(&work->document, at, &tickets->limits, &entry);
    if (status == JTG_OK)
        status = commit(tickets, work, err);
    jtgi_tls_entry_free(entry);
    return status;
}

static jtg_status take(jtg_tls_tickets *tickets, const struct jtgi_tls_place *place,
                       const unsigned char *pin, jtg_tls_ticket *made, jtg_error *err)
{
    size_t at = 0;
    struct work work = WORK_INIT;
    jtg_status status = get(tickets, place, pin, made, err); /* without one, no lock is taken */
    if (status != JTG_OK)
        return status;
    jtg_tls_ticket_clear(made);
    status = grasp(tickets, &work, err);
    if (status == JTG_OK)
        status = open_newest(tickets, &work, place, pin, made, &at);
    if (status == JTG_OK)
        status = use_up(tickets, &work, at, err);
    return end_work(tickets, &work, status, err);
}

typedef jtg_status (*giver)(jtg_tls_tickets *, const struct jtgi_tls_place *, const unsigned char *,
                            jtg_tls_ticket *, jtg_error *);

static jtg_status hand_out(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                           const unsigned char *pin, giver give, jtg_tls_ticket *ticket,
                           jtg_error *err)
{
    struct jtgi_tls_place place;
    unsigned char kept[JTG_TLS_PIN_BYTES];
    jtg_tls_ticket made = no_ticket;
    jtg_status status = begin_at(tickets, endpoint, &place, err);
    if (is_ticket(ticket))
        give_ticket(ticket, &no_ticket);
    else if (status == JTG_OK)
        status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "ticket: struct_size is not set");
    if (status == JTG_OK && tickets->is_disabled)
        status = JTG_NOT_FOUND;
    if (status == JTG_OK && pin != NULL)
        jtgi_tls_pin_find(tickets->keys, pin, kept);
    if (status == JTG_OK)
        status = give(tickets, &place, pin != NULL ? kept : NULL, &made, err);
    if (status == JTG_OK)
        give_ticket(ticket, &made);
    else
        jtg_tls_ticket_clear(&made);
    return jtgi_error_end(status, err);
}

jtg_status jtg_tls_tickets_get(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                               const unsigned char *pin, jtg_tls_ticket *ticket, jtg_error *err)
{
    return hand_out(tickets, endpoint, pin, get, ticket, err);
}

jtg_status jtg_tls_tickets_take(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                                const unsigned char *pin, jtg_tls_ticket *ticket, jtg_error *err)
{
    return hand_out(tickets, endpoint, pin, take, ticket, err);
}

/* ---- pins ---- */

static jtg_status remember_pin(jtg_tls_tickets *tickets, const struct jtgi_tls_pin *pin)
{
    bool changed = false;
    (void)pthread_mutex_lock(&tickets->mutex);
    forget_waiting(tickets);
    jtg_status status = jtgi_tls_document_see(&tickets->unsaved, pin, &tickets->limits, &changed);
    (void)pthread_mutex_unlock(&tickets->mutex);
    return status;
}

/* Does it change what the file says? */
static jtg_status compare_pin(jtg_tls_tickets *tickets, const struct jtgi_tls_pin *pin,
                              bool *is_changed, jtg_error *err)
{
    struct work work = WORK_INIT;
    jtg_status status = look(tickets, &work, err);
    if (status == JTG_OK)
        status = jtgi_tls_document_see(&work.document, pin, &tickets->limits, &work.is_changed);
    *is_changed = work.is_changed;
    return end_work(tickets, &work, status, err);
}

static jtg_status write_pin(jtg_tls_tickets *tickets, const struct jtgi_tls_pin *pin,
                            jtg_error *err)
{
    struct work work = WORK_INIT;
    jtg_status status = grasp(tickets, &work, err);
    if (status == JTG_OK)
        status = jtgi_tls_document_see(&work.document, pin, &tickets->limits, &work.is_changed);
    if (status == JTG_OK && work.is_changed)
        status = commit(tickets, &work, err);
    return end_work(tickets, &work, status, err);
}

static jtg_status see_pin(jtg_tls_tickets *tickets, const struct jtgi_tls_pin *pin, jtg_error *err)
{
    bool is_changed = false;
    if (!tickets->is_writing_through)
        return remember_pin(tickets, pin);
    jtg_status status = compare_pin(tickets, pin, &is_changed, err);
    if (status == JTG_OK && is_changed)
        status = write_pin(tickets, pin, err);
    if (may_come_later(status))
        (void)remember_pin(tickets, pin);
    return status;
}

jtg_status jtg_tls_tickets_pin_seen(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                                    const unsigned char pin[JTG_TLS_PIN_BYTES], jtg_error *err)
{
    struct jtgi_tls_place place;
    struct jtgi_tls_pin seen;
    jtg_status status = begin_at(tickets, endpoint, &place, err);
    if (status != JTG_OK)
        return jtgi_error_end(status, err);
    if (pin == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "pin is NULL");
    if (tickets->is_disabled)
        return jtgi_error_end(JTG_OK, err);
    memcpy(seen.trust, place.trust, sizeof seen.trust);
    jtgi_tls_pin_find(tickets->keys, pin, seen.pin);
    seen.seen_ms = jtgi_clock_wall_ms(&tickets->base.clock);
    return jtgi_error_end(see_pin(tickets, &seen, err), err);
}

/* ---- removing ---- */

/* Without a file there is nothing to lock, and no folder to make. */
static bool has_something(jtg_tls_tickets *tickets, jtg_status *status, jtg_error *err)
{
    struct work work = WORK_INIT;
    *status = look(tickets, &work, err);
    bool has = work.document.ticket_count != 0;
    *status = end_work(tickets, &work, *status, err);
    return *status == JTG_OK && has;
}

static jtg_status invalidate(jtg_tls_tickets *tickets, const char *site, jtg_error *err)
{
    struct work work = WORK_INIT;
    jtg_status status = JTG_OK;
    if (!has_something(tickets, &status, err))
        return status == JTG_OK ? JTG_NOT_FOUND : status;
    status = grasp(tickets, &work, err);
    if (status == JTG_OK)
        status = jtgi_tls_document_invalidate(&work.document, site, &tickets->limits);
    if (status == JTG_OK)
        status = commit(tickets, &work, err);
    return end_work(tickets, &work, status, err);
}

jtg_status jtg_tls_tickets_invalidate(jtg_tls_tickets *tickets, const jtg_endpoint *endpoint,
                                      jtg_error *err)
{
    struct jtgi_tls_place place;
    jtg_status status = begin_at(tickets, endpoint, &place, err);
    if (status == JTG_OK)
        status = tickets->is_disabled ? JTG_NOT_FOUND : invalidate(tickets, place.site, err);
    return jtgi_error_end(status, err);
}

/* ---- the whole ---- */

static jtg_tls_tickets_state state_of(const struct work *work)
{
    const struct jtgi_tls_document *document = &work->document;
    jtg_tls_tickets_state state = JTG_TLS_TICKETS_STATE_INIT;
    state.tickets = (uint32_t)document->ticket_count;
    for (size_t i = 0; i < work->id_count; i++)
        state.unsaved += jtgi_tls_document_has(document, work->ids[i]) &&
                         !jtgi_tls_document_is_consumed(document, work->ids[i]);
    state.consumed = (uint32_t)document->consumed_count;
    state.pins = (uint32_t)document->pin_count;
    state.ended = document->ended;
    state.unreadable = document->unreadable;
    state.is_corrupt = work->is_corrupt;
    return state;
}

static jtg_status load(jtg_tls_tickets *tickets, jtg_tls_tickets_state *made, jtg_error *err)
{
    struct work work = WORK_INIT;
    jtg_status status = look(tickets, &work, err);
    if (status == JTG_OK)
        *made = state_of(&work);
    return end_work(tickets, &work, status, err);
}

jtg_status jtg_tls_tickets_load(jtg_tls_tickets *tickets, jtg_tls_tickets_state *state,
                                jtg_error *err)
{
    jtg_tls_tickets_state made = JTG_TLS_TICKETS_STATE_INIT;
    jtg_status status = begin(tickets, err);
    if (status == JTG_OK && state != NULL &&
        !jtgi_struct_size_ok(state->struct_size, STATE_OLDEST_SIZE))
        return jtgi_error_end(
            jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "state: struct_size is not set"), err);
    if (status == JTG_OK && tickets->is_disabled)
        made.is_disabled = 1;
    else if (status == JTG_OK)
        status = load(tickets, &made, err);
    if (state != NULL && jtgi_struct_size_ok(state->struct_size, STATE_OLDEST_SIZE))
        jtgi_struct_give(state, &made, sizeof made);
    return jtgi_error_end(status, err);
}

size_t jtg_tls_tickets_len(jtg_tls_tickets *tickets)
{
    jtg_tls_tickets_state state = JTG_TLS_TICKETS_STATE_INIT;
    return jtg_tls_tickets_load(tickets, &state, NULL) == JTG_OK ? state.tickets : 0;
}

/* Is there anything to write: what waits, what has ended, a file that is none of ours? */
static bool is_stale(const struct work *work)
{
    return work->is_changed || work->is_corrupt || work->id_count + work->pin_count != 0 ||
           work->document.ended != 0 || work->document.unreadable != 0;
}

static jtg_status save(jtg_tls_tickets *tickets, jtg_error *err)
{
    struct work first = WORK_INIT;
    struct work work = WORK_INIT;
    jtg_status status = look(tickets, &first, err);
    bool stale = is_stale(&first);
    status = end_work(tickets, &first, status, err);
    if (status != JTG_OK || !stale)
        return status;
    status = grasp(tickets, &work, err);
    if (status == JTG_OK && is_stale(&work))
        status = commit(tickets, &work, err);
    return end_work(tickets, &work, status, err);
}

jtg_status jtg_tls_tickets_save(jtg_tls_tickets *tickets, jtg_error *err)
{
    jtg_status status = begin(tickets, err);
    if (status == JTG_OK && !tickets->is_disabled)
        status = save(tickets, err);
    return jtgi_error_end(status, err);
}

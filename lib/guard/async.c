/* SPDX-License-Identifier: Apache-2.0 */
/* The guard for event loops: tickets, each an admission that waits for its store. What is decided
 * before and after is admission.c's; the waiting is the backend's (core/loop.h). */
#include "guard/admission.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/loop.h"

#include <errno.h>
#include <jtiguard/async.h>
#include <jtiguard/status.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PLACES_FIRST = 64, PLACES_MAX = 1 << 20 };

struct ticket {
    struct jtgi_loop_call call;
    struct jtgi_admission admission;
    void *context;
    uint32_t place;  /* among all */
    uint32_t number; /* how often it was used */
    bool under_way;
    struct ticket *next_free;
};

struct jtg_async {
    jtg_guard *guard;                    /* borrowed */
    const struct jtgi_loop_table *table; /* NULL: the store answers at once */
    void *loop;
    int quiet_fd; /* then: a descriptor that is never readable; else -1 */
    struct ticket **tickets;
    uint32_t count;
    uint32_t capacity;
    struct ticket *free;
};

static const jtg_async_result refusal = JTG_ASYNC_RESULT_INIT;

/* ---- life ---- */

static jtg_status open_quiet(jtg_async *async, jtg_error *err)
{
    async->quiet_fd = jtgi_alloc_permitted() ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
    return async->quiet_fd >= 0
               ? JTG_OK
               : jtg_error_set(err, JTG_ERR_SYSTEM, errno, "no descriptor for an event loop");
}

static jtg_status open_loop(jtg_async *async, jtg_error *err)
{
    jtg_cache *cache = async->guard->cache;
    async->table = jtgi_loop_of(cache);
    async->quiet_fd = -1;
    return async->table == NULL ? open_quiet(async, err)
                                : async->table->open(cache, &async->loop, err);
}

jtg_status jtg_async_new(jtg_async **async, jtg_guard *guard, jtg_error *err)
{
    jtgi_error_begin(err);
    if (async == NULL || guard == NULL) {
        if (async != NULL)
            *async = NULL;
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no guard, or no place for the object");
    }
    *async = NULL;
    jtg_status status = jtgi_guard_check_process(guard, err);
    if (status != JTG_OK)
        return status;
    jtg_async *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for an event loop's object");
    made->guard = guard;
    status = open_loop(made, err);
    if (status == JTG_OK)
        *async = made;
    else
        jtgi_free(made);
    return status;
}

static bool is_forked(const jtg_async *async)
{
    return jtgi_object_is_forked(&async->guard->base);
}

/* Each is counted for what it has come to, though nobody asks. */
static void end_all(jtg_async *async)
{
    jtg_async_result unasked;
    jtg_async_cancel(async, JTG_TICKET_ALL);
    while (jtg_async_next(async, &unasked))
        continue;
}

void jtg_async_free(jtg_async *async)
{
    if (async == NULL)
        return;
    bool in_child = is_forked(async);
    if (!in_child)
        end_all(async);
    if (async->table != NULL)
        async->table->close(async->loop, in_child);
    if (async->quiet_fd >= 0)
        (void)close(async->quiet_fd);
    for (uint32_t i = 0; i < async->count; i++)
        jtgi_free(async->tickets[i]);
    jtgi_free(async->tickets);
    jtgi_free(async);
}

/* ---- for the loop ---- */

int jtg_async_fd(const jtg_async *async)
{
    if (async == NULL)
        return -1;
    return async->table == NULL ? async->quiet_fd : async->table->fd(async->loop);
}

int jtg_async_timeout_ms(const jtg_async *async)
{
    return async == NULL || async->table == NULL ? -1 : async->table->timeout_ms(async->loop);
}

void jtg_async_process(jtg_async *async)
{
    if (async != NULL && async->table != NULL && !is_forked(async))
        async->table->process(async->loop);
}

/* ---- tickets ---- */

static bool grow(jtg_async *async)
{
    uint32_t capacity = async->capacity == 0 ? PLACES_FIRST : async->capacity * 2;
    struct ticket **tickets =
        capacity > PLACES_MAX ? NULL : jtgi_alloc(capacity * sizeof(struct ticket *));
    if (tickets == NULL)
        return false;
    if (async->count > 0)
        memcpy(tickets, async->tickets, async->count * sizeof(struct ticket *));
    jtgi_free(async->tickets);
    async->tickets = tickets;
    async->capacity = capacity;
    return true;
}

static struct ticket *take_ticket(jtg_async *async)
{
    struct ticket *taken = async->free;
    if (taken != NULL) {
        async->free = taken->next_free;
        return taken;
    }
    if (async->count == async->capacity && !grow(async))
        return NULL;
    taken = jtgi_alloc(sizeof *taken);
    if (taken == NULL)
        return NULL;
    taken->place = async->count;
    async->tickets[async->count++] = taken;
    return taken;
}

static void put_back(jtg_async *async, struct ticket *ticket)
{
    ticket->under_way = false;
    ticket->next_free = async->free;
    async->free = ticket;
}

/* Neither none nor all, for no place is so high. */
static jtg_ticket number_of(const struct ticket *ticket)
{
    return (uint64_t)ticket->number << 32 | (ticket->place + 1);
}

static struct ticket *find_ticket(const jtg_async *async, jtg_ticket number)
{
    uint32_t place = (uint32_t)number - 1;
    if (place >= async->count || number_of(async->tickets[place]) != number ||
        !async->tickets[place]->under_way)
        return NULL;
    return async->tickets[place];
}

/* ---- the end of one ---- */

static void begin_result(jtg_async_result *result, void *context, bool is_release)
{
    *result = refusal;
    result->context = context;
    result->is_release = is_release;
}

static void decide(jtg_guard *guard, struct jtgi_admission *admission, jtg_reason reason,
                   jtg_async_result *result)
{
    result->admitted = jtgi_admission_decide(guard, admission, reason, &result->decision);
    result->status = result->admitted ? JTG_OK : result->err.status;
}

/* The store has answered. */
static void conclude(jtg_async *async, struct ticket *ticket, jtg_async_result *result)
{
    jtg_status status = jtgi_loop_count(async->guard->cache, &ticket->call);
    result->err = ticket->call.err;
    result->status = status;
    if (!result->is_release)
        decide(async->guard, &ticket->admission,
               jtgi_admission_conclude(async->guard, &ticket->admission, status, &result->err),
               result);
    put_back(async, ticket);
}

bool jtg_async_next(jtg_async *async, jtg_async_result *result)
{
    if (result != NULL)
        *result = refusal;
    if (async == NULL || result == NULL || async->table == NULL || is_forked(async))
        return false;
    struct jtgi_loop_call *call = async->table->next(async->loop);
    if (call == NULL)
        return false;
    struct ticket *ticket = (struct ticket *)(void *)call; /* its first member */
    begin_result(result, ticket->context, call->gives_back);
    result->ticket = number_of(ticket);
    conclude(async, ticket, result);
    return true;
}

void jtg_async_cancel(jtg_async *async, jtg_ticket number)
{
    if (async == NULL || async->table == NULL || is_forked(async))
        return;
    struct ticket *one = number == JTG_TICKET_ALL ? NULL : find_ticket(async, number);
    if (one != NULL)
        async->table->cancel(async->loop, &one->call);
    for (uint32_t i = 0; number == JTG_TICKET_ALL && i < async->count; i++)
        if (async->tickets[i]->under_way)
            async->table->cancel(async->loop, &async->tickets[i]->call);
}

/* ---- submitting ---- */

static jtg_ticket submit(jtg_async *async, struct ticket *ticket, jtg_async_result *result)
{
    ticket->number++;
    ticket->under_way = true;
    ticket->context = result->context;
    if (!async->table->submit(async->loop, &ticket->call))
        return number_of(ticket);
    conclude(async, ticket, result);
    return JTG_TICKET_NONE;
}

/* Of the admission, which is in the ticket. */
static void ask_for(const jtg_async *async, struct ticket *ticket)
{
    const struct jtgi_admission *admission = &ticket->admission;
    bool watches = jtg_cache_watches(async->guard->cache) != 0;
    ticket->call =
        (struct jtgi_loop_call){.key = jtgi_admission_key(admission),
                                .owner = &admission->made.reservation.owner,
                                .ttl_ms = admission->made.ttl_ms,
                                .kept_since_ms = watches ? admission->kept_since_ms : JTG_KEPT_ANY};
}

static jtg_reason no_memory(jtg_error *err)
{
    return jtg_reason_from_status(
        jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a token on its way"));
}

static jtg_ticket admit_later(jtg_async *async, const jtg_claims *claims, jtg_async_result *result)
{
    jtg_guard *guard = async->guard;
    struct jtgi_admission none = {.made = jtgi_undecided};
    jtg_reason reason = jtgi_admission_check(guard, claims, true, &result->err);
    struct ticket *ticket = reason == JTG_REASON_ADMITTED ? take_ticket(async) : NULL;
    struct jtgi_admission *admission = ticket == NULL ? &none : &ticket->admission;
    if (reason == JTG_REASON_ADMITTED && ticket == NULL)
        reason = no_memory(&result->err);
    *admission = none;
    if (reason == JTG_REASON_ADMITTED)
        reason = jtgi_admission_prepare(guard, claims, NULL, admission, &result->err);
    if (reason == JTG_REASON_ADMITTED) {
        ask_for(async, ticket);
        return submit(async, ticket, result);
    }
    decide(guard, admission, reason, result);
    if (ticket != NULL)
        put_back(async, ticket);
    return JTG_TICKET_NONE;
}

jtg_ticket jtg_async_admit(jtg_async *async, const jtg_claims *claims, void *context,
                           jtg_async_result *result)
{
    if (result == NULL)
        return JTG_TICKET_NONE;
    begin_result(result, context, false);
    if (async != NULL && async->table != NULL)
        return admit_later(async, claims, result);
    result->admitted = jtg_guard_admit(async == NULL ? NULL : async->guard, claims,
                                       &result->decision, &result->err);
    result->status = result->admitted ? JTG_OK : result->err.status;
    return JTG_TICKET_NONE;
}

static bool is_reservation(const jtg_reservation *reservation)
{
    return reservation != NULL && reservation->key_len != 0 &&
           reservation->key_len <= JTG_KEY_MAX_BYTES;
}

static jtg_ticket release_later(jtg_async *async, const jtg_reservation *reservation,
                                jtg_async_result *result)
{
    struct ticket *ticket = take_ticket(async);
    if (ticket == NULL) {
        result->status = jtg_error_set(&result->err, JTG_ERR_MEMORY, 0,
                                       "no memory for a reservation on its way");
        return JTG_TICKET_NONE;
    }
    jtg_reservation *kept = &ticket->admission.made.reservation;
    *kept = *reservation;
    ticket->call = (struct jtgi_loop_call){.gives_back = true,
                                           .key = {kept->key, kept->key_len, NULL, 0},
                                           .owner = &kept->owner,
                                           .kept_since_ms = JTG_KEPT_ANY};
    return submit(async, ticket, result);
}

jtg_ticket jtg_async_release(jtg_async *async, const jtg_reservation *reservation, void *context,
                             jtg_async_result *result)
{
    if (result == NULL)
        return JTG_TICKET_NONE;
    begin_result(result, context, true);
    if (async != NULL && async->table != NULL && is_reservation(reservation) && !is_forked(async))
        return release_later(async, reservation, result);
    result->status =
        jtg_guard_release(async == NULL ? NULL : async->guard, reservation, &result->err);
    return JTG_TICKET_NONE;
}

void jtg_async_admit_many(jtg_async *async, jtg_async_call *calls, size_t count)
{
    for (size_t i = 0; calls != NULL && i < count; i++)
        calls[i].ticket =
            jtg_async_admit(async, calls[i].claims, calls[i].context, calls[i].result);
}

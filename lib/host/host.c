/* SPDX-License-Identifier: Apache-2.0 */
/* The host backend: the way to the store as it is now, and the table of operations.
 *
 * A look at the path is at most a second old when an operation begins. The clock for that is read
 * in the operation, after its caller has read his; so a token that this process still admits by an
 * old file is too old for the new one, which has kept everything only since it was a second old,
 * and the other way round it is of the future. tests/model/host_file.pml has the proof by cases.
 *
 * The sweep needs no thread: a caller that finds the next step due does one. */
#include <jtiguard/host.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/log.h"
#include "core/options.h"
#include "core/probe.h"
#include "host/settings.h"
#include "host/since.h"
#include "table/slot.h"

#include <jtiguard/backend.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define STATS_OLDEST_SIZE sizeof(jtg_host_stats)

enum {
    SWEEP_PASS_MS = 5000, /* a whole pass, where calls come often enough */
    SWEEP_STUCK_MS = 10   /* a step that took longer waited for somebody */
};

struct host_cache {
    jtg_cache base;
    struct jtgi_host_settings settings;
    _Atomic(struct jtgi_host_attachment *) current;
    _Atomic uint64_t replaced;
    _Atomic uint32_t opening; /* lock: of the store anew, and of what is older */
};

/* An operation on its way. */
struct visit {
    struct host_cache *host;
    struct jtgi_host_attachment *at;
    int64_t now_ms;
    uint64_t now; /* of the store */
};

static struct host_cache *of(jtg_cache *cache)
{
    return (struct host_cache *)cache;
}

/* ---- the store as it is now ---- */

/* Never under a lock. */
static void report(const struct host_cache *host, const struct jtgi_host_attachment *at)
{
    const jtg_logger *logger = &host->settings.logger;
    if (at->replaced != NULL)
        jtgi_log(logger, JTG_LOG_WARNING, "host store: %s was replaced: %s", at->path,
                 at->replaced);
    else if (at->made)
        jtgi_log(logger, JTG_LOG_INFO, "host store: %s was made", at->path);
    if (at->emptied > 0)
        jtgi_log(logger, JTG_LOG_ERROR, "host store: %llu parts of %s were broken, and emptied",
                 (unsigned long long)at->emptied, at->path);
}

/* Another thread may have been quicker. */
static jtg_status open_anew_locked(struct host_cache *host, struct jtgi_host_attachment *old,
                                   struct jtgi_host_attachment **opened, jtg_error *err)
{
    struct jtgi_host_attachment *now = atomic_load(&host->current);
    if (now != old)
        return JTG_OK;
    jtg_status status =
        host->settings.is_default ? jtgi_host_settings_choose_path(&host->settings, err) : JTG_OK;
    struct jtgi_host_terms terms = host->settings.terms;
    terms.is_in_call = true;
    if (status == JTG_OK)
        status = jtgi_host_attach(opened, &terms, err);
    if (status != JTG_OK)
        return status;
    (*opened)->older = old;
    (*opened)->is_users_own = host->settings.is_users_own;
    if ((*opened)->file.device != old->file.device ||
        (*opened)->file.facts.inode != old->file.facts.inode)
        jtgi_host_file_leave(&old->file);
    atomic_store(&host->current, *opened);
    atomic_fetch_add(&host->replaced, 1);
    return JTG_OK;
}

/* The memory of files that were exchanged, and that no thread is in any more. */
static void give_back_locked(struct host_cache *host)
{
    struct jtgi_host_attachment *at = atomic_load(&host->current)->older;
    for (; at != NULL; at = at->older)
        if (!at->is_retired && jtgi_presence_is_none(&at->presence))
            jtgi_host_attachment_retire(at);
}

/* Of the lock among threads of this process. */
static struct jtgi_lock_party opener(const struct host_cache *host)
{
    return (struct jtgi_lock_party){.word = jtgi_lock_word(1, 0),
                                    .wait_ms = host->settings.terms.lock_wait_ms};
}

static void give_back(struct host_cache *host)
{
    const struct jtgi_lock_party party = opener(host);
    uint32_t nobody = 0;
    if (atomic_load(&host->current)->older == NULL ||
        !atomic_compare_exchange_strong(&host->opening, &nobody, party.word))
        return;
    give_back_locked(host);
    jtgi_lock_leave(&host->opening, &party);
}

static jtg_status open_anew(struct host_cache *host, struct jtgi_host_attachment *old,
                            jtg_error *err)
{
    const struct jtgi_lock_party party = opener(host);
    struct jtgi_host_attachment *opened = NULL;
    if (jtgi_lock_take(&host->opening, &party) == JTGI_LOCK_BLOCKED)
        return jtg_error_set(err, JTG_ERR_BLOCKED, 0, "host store: another thread still opens it");
    jtg_status status = open_anew_locked(host, old, &opened, err);
    give_back_locked(host);
    jtgi_lock_leave(&host->opening, &party);
    if (opened != NULL) {
        jtgi_log(&host->settings.logger, JTG_LOG_WARNING,
                 "host store: another file stands at %s by now: what was kept before it is lost",
                 old->path);
        report(host, opened);
    }
    return status;
}

/* Of this file, which may be exchanged meanwhile by another thread. The look is dated before the
 * path is read. */
static jtg_status look_and_follow(struct host_cache *host, struct jtgi_host_attachment *at,
                                  int64_t now_ms, jtg_error *err)
{
    enum jtgi_host_at_path there = jtgi_host_file_look(&at->file, at->path);
    if (there == JTGI_HOST_AT_PATH_UNSEEN)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "host store: its path is out of reach");
    if (at->is_users_own && jtgi_store_path_is_outdated(&jtgi_store_places_system))
        there = JTGI_HOST_AT_PATH_OTHER;
    if (there != JTGI_HOST_AT_PATH_SAME)
        return open_anew(host, at, err);
    jtgi_host_attachment_note_look(at, now_ms);
    give_back(host);
    return JTG_OK;
}

/* A thread that is cancelled ends after the call: in here it would leave the lock locked, and a
 * place in the store taken. */
static jtg_status look(struct host_cache *host, struct jtgi_host_attachment *at, int64_t now_ms,
                       jtg_error *err)
{
    int cancel = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    jtg_status status = look_and_follow(host, at, now_ms, err);
    (void)pthread_setcancelstate(cancel, NULL);
    return status;
}

/* The store as it is now, with this thread counted in it. */
static struct jtgi_host_attachment *come_in(struct host_cache *host)
{
    for (;;) {
        struct jtgi_host_attachment *at = atomic_load(&host->current);
        jtgi_presence_enter(&at->presence);
        if (atomic_load(&host->current) == at)
            return at;
        jtgi_presence_leave(&at->presence);
    }
}

/* JTG_OK: to be followed by leave(). */
static jtg_status enter(struct visit *visit, jtg_cache *self, jtg_error *err)
{
    struct host_cache *host = of(self);
    visit->host = host;
    visit->now_ms = jtgi_clock_monotonic_ms(&host->settings.clock);
    struct jtgi_host_attachment *at = atomic_load(&host->current);
    if (!jtgi_host_attachment_is_fresh(at, visit->now_ms)) {
        jtg_status status = look(host, at, visit->now_ms, err);
        if (status != JTG_OK)
            return status;
    }
    visit->at = come_in(host);
    visit->now = jtgi_host_now(visit->at, visit->now_ms);
    return JTG_OK;
}

static void leave(struct visit *visit)
{
    jtgi_presence_leave(&visit->at->presence);
}

/* ---- the sweep ---- */

static int64_t sweep_pause_ms(const struct visit *visit)
{
    int64_t steps =
        (int64_t)(visit->at->file.facts.bytes / sizeof(struct jtgi_slot)) / JTGI_SWEEP_SLOTS + 1;
    return steps < SWEEP_PASS_MS ? SWEEP_PASS_MS / steps : 1;
}

/* The part that it stuck at is left for the next pass. */
static void sweep_one(struct visit *visit, struct jtgi_host_header *header)
{
    uint64_t at = atomic_load(&header->sweep_at);
    uint64_t parts = jtgi_table_partitions(visit->at->table);
    bool more =
        jtgi_table_sweep(visit->at->table, (size_t)(at % parts), visit->now, at / parts + 1);
    int64_t end_ms = jtgi_clock_monotonic_ms(&visit->host->settings.clock);
    if (!more || end_ms - visit->now_ms > SWEEP_STUCK_MS)
        (void)atomic_compare_exchange_strong(&header->sweep_at, &at, at + 1);
}

static void sweep_if_due(struct visit *visit)
{
    struct jtgi_host_header *header = visit->at->file.header;
    int64_t due_ms = atomic_load_explicit(&header->sweep_due_ms, memory_order_relaxed);
    if (visit->now_ms >= due_ms &&
        atomic_compare_exchange_strong(&header->sweep_due_ms, &due_ms,
                                       visit->now_ms + sweep_pause_ms(visit)))
        sweep_one(visit, header);
}

/* ---- reservations ---- */

static jtg_status reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err)
{
    struct visit visit;
    jtg_status status = enter(&visit, self, err);
    if (status != JTG_OK)
        return status;
    status = jtgi_table_check_end(visit.now, JTG_TTL_MAX_MS, err);
    if (status == JTG_OK)
        status = jtgi_table_reserve(visit.at->table, key, owner, visit.now, ttl_ms);
    sweep_if_due(&visit);
    leave(&visit);
    return status;
}

static jtg_status release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err)
{
    struct visit visit;
    jtg_status status = enter(&visit, self, err);
    if (status != JTG_OK)
        return status;
    status = jtgi_table_release(visit.at->table, key, owner, visit.now);
    leave(&visit);
    return status;
}

/* ---- what it has kept ---- */

static jtg_status since(const struct visit *visit, int64_t *since_ms)
{
    return jtgi_host_since_read(visit->at->file.header, &visit->at->party,
                                &visit->host->settings.clock, since_ms);
}

static void note_clocks(const struct visit *visit)
{
    const struct jtgi_moment now = {visit->now_ms,
                                    jtgi_clock_wall_ms(&visit->host->settings.clock)};
    jtgi_host_since_note(visit->at->file.header, &now);
}

/* Has everything that may be this key been kept since then? */
static jtg_status check_kept(const struct visit *visit, const jtg_key *key, int64_t kept_since_ms,
                             jtg_error *err)
{
    const struct jtgi_host_header *header = visit->at->file.header;
    int64_t since_ms = 0;
    jtg_status status = since(visit, &since_ms);
    if (status != JTG_OK)
        return status;
    uint64_t lost_at = jtgi_table_lost_at(visit->at->table, key);
    if (lost_at != 0 && header->epoch_ms + (int64_t)lost_at > since_ms)
        since_ms = header->epoch_ms + (int64_t)lost_at;
    if (kept_since_ms >= jtgi_host_since_as_wall(header, since_ms))
        return JTG_OK;
    return jtg_error_set(err, JTG_ERR_CONTINUITY, 0,
                         "host store: it may have forgotten what was used before it was made");
}

/* A replay is the store's word, whatever it has forgotten. Nobody can have this owner, so nothing
 * is released; what somebody holds is asked for, and told from what the caller holds himself. */
static jtg_status judge_forgetful(const struct visit *visit, const jtg_key *key,
                                  const jtg_owner *owner, uint64_t ttl_ms, jtg_error *err)
{
    jtg_owner nobody;
    randombytes_buf(&nobody, sizeof nobody);
    if (jtgi_table_release(visit->at->table, key, &nobody, visit->now) != JTG_NOT_OWNER ||
        jtgi_table_reserve(visit->at->table, key, owner, visit->now, ttl_ms) != JTG_REPLAYED)
        return JTG_ERR_CONTINUITY;
    jtgi_error_begin(err);
    return JTG_REPLAYED;
}

/* Behind a reservation that was stored. Who cannot be told so now may ask again as the same owner;
 * "blocked" would say that nothing was stored, and leave it to nobody. */
static jtg_status check_still_kept(const struct visit *visit, const jtg_key *key,
                                   int64_t kept_since_ms, jtg_error *err)
{
    jtg_status status = check_kept(visit, key, kept_since_ms, err);
    if (status != JTG_ERR_BLOCKED)
        return status;
    return jtg_error_set(err, JTG_ERR_TIMEOUT, 0,
                         "host store: it was stored; what was kept before is not known");
}

/* Before, for what is refused is not stored; and behind, for it may have been lost meanwhile. */
static jtg_status reserve_kept_inside(const struct visit *visit, const jtg_key *key,
                                      const jtg_owner *owner, uint64_t ttl_ms,
                                      int64_t kept_since_ms, jtg_error *err)
{
    jtg_status status = jtgi_table_check_end(visit->now, JTG_TTL_MAX_MS, err);
    if (status == JTG_OK)
        status = check_kept(visit, key, kept_since_ms, err);
    if (status == JTG_ERR_CONTINUITY)
        return judge_forgetful(visit, key, owner, ttl_ms, err);
    if (status == JTG_OK)
        status = jtgi_table_reserve(visit->at->table, key, owner, visit->now, ttl_ms);
    return status == JTG_OK ? check_still_kept(visit, key, kept_since_ms, err) : status;
}

static jtg_status reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                               uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct visit visit;
    jtg_status status = enter(&visit, self, err);
    if (status != JTG_OK)
        return status;
    note_clocks(&visit);
    status = reserve_kept_inside(&visit, key, owner, ttl_ms, kept_since_ms, err);
    sweep_if_due(&visit);
    leave(&visit);
    return status;
}

/* Those for which enough was kept go to the table at once; each of the others gets its answer. */
static size_t sort_out(const struct visit *visit, jtg_reserve_call *const *calls, size_t count,
                       jtg_reserve_call **kept)
{
    size_t number = 0;
    for (size_t i = 0; i < count; i++) {
        jtg_error unasked = JTG_ERROR_INIT;
        jtg_reserve_call *call = calls[i];
        jtg_error *err = call->err != NULL ? call->err : &unasked;
        call->status = call->kept_since_ms == JTG_KEPT_ANY
                           ? JTG_OK
                           : check_kept(visit, &call->key, call->kept_since_ms, err);
        if (call->status == JTG_OK)
            kept[number++] = call;
        else if (call->status == JTG_ERR_CONTINUITY)
            call->status = judge_forgetful(visit, &call->key, call->owner, call->ttl_ms, err);
    }
    return number;
}

static void reserve_sorted(const struct visit *visit, jtg_reserve_call *const *calls, size_t count)
{
    jtg_reserve_call *kept[JTG_MANY_MAX];
    size_t number = sort_out(visit, calls, count, kept);
    if (number > 0)
        jtgi_table_reserve_many(visit->at->table, kept, number, visit->now);
    for (size_t i = 0; i < number; i++)
        if (kept[i]->status == JTG_OK && kept[i]->kept_since_ms != JTG_KEPT_ANY)
            kept[i]->status =
                check_still_kept(visit, &kept[i]->key, kept[i]->kept_since_ms, kept[i]->err);
}

static void reserve_many(jtg_cache *self, jtg_reserve_call *const *calls, size_t count)
{
    struct visit visit;
    jtg_error err = JTG_ERROR_INIT;
    jtg_status status = enter(&visit, self, &err);
    if (status == JTG_OK) {
        note_clocks(&visit);
        status = jtgi_table_check_end(visit.now, JTG_TTL_MAX_MS, &err);
        if (status == JTG_OK)
            reserve_sorted(&visit, calls, count);
        sweep_if_due(&visit);
        leave(&visit);
    }
    for (size_t i = 0; i < count && status != JTG_OK; i++)
        calls[i]->status = jtg_error_set(calls[i]->err, status, err.system_errno, "%s", err.text);
}

static jtg_status kept_since(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err)
{
    struct visit visit;
    int64_t since_ms = 0;
    jtg_status status = enter(&visit, self, err);
    if (status != JTG_OK)
        return status;
    note_clocks(&visit);
    status = since(&visit, &since_ms);
    if (status == JTG_OK)
        *kept_since_ms = jtgi_host_since_as_wall(visit.at->file.header, since_ms);
    leave(&visit);
    return status;
}

/* ---- the store as a whole ---- */

static jtg_status count(jtg_cache *self, uint64_t *counted, jtg_error *err)
{
    struct visit visit;
    jtg_status status = enter(&visit, self, err);
    if (status != JTG_OK)
        return status;
    status = jtgi_table_count(visit.at->table, counted);
    leave(&visit);
    return status;
}

/* Nothing is kept while it goes on; who dies in it leaves the date to the next one. */
static jtg_status lose(const struct visit *visit, bool everything)
{
    struct jtgi_host_header *header = visit->at->file.header;
    int64_t before_ms = 0;
    jtg_status status = jtgi_host_since_begin_loss(header, &visit->at->party, &before_ms);
    if (status != JTG_OK)
        return status;
    if (everything)
        status = jtgi_table_clear(visit->at->table);
    jtgi_host_since_end_loss(header, &visit->at->party, &visit->host->settings.clock, before_ms);
    return status;
}

static jtg_status clear(jtg_cache *self, jtg_error *err)
{
    struct visit visit;
    jtg_status status = enter(&visit, self, err);
    if (status != JTG_OK)
        return status;
    status = lose(&visit, true);
    leave(&visit);
    return status;
}

static jtg_status prune(jtg_cache *self, uint64_t *removed, jtg_error *err)
{
    struct visit visit;
    jtg_status status = enter(&visit, self, err);
    if (status != JTG_OK)
        return status;
    status = jtgi_table_prune(visit.at->table, visit.now, removed);
    leave(&visit);
    return status;
}

/* ---- memory that is lent ---- */

static jtg_status lend(jtg_cache *self, jtg_borrower borrower, void **memory, jtg_error *err)
{
    struct jtgi_host_attachment *at = atomic_load(&of(self)->current);
    if ((unsigned)borrower >= JTG_BORROWER_COUNT)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "nothing is lent to this borrower");
    *memory = at->file.header->pieces[borrower].memory;
    return JTG_OK;
}

static struct jtgi_host_piece *piece_of(void *memory)
{
    unsigned char *at = memory;
    return (struct jtgi_host_piece *)(void *)(at - offsetof(struct jtgi_host_piece, memory));
}

/* It may be one of a file that was exchanged since. */
static const struct jtgi_lock_party *party_of(jtg_cache *self, const void *memory)
{
    const struct jtgi_host_attachment *at = atomic_load(&of(self)->current);
    for (; at->older != NULL; at = at->older) {
        const char *first = (const char *)at->file.header;
        if ((const char *)memory >= first && (const char *)memory < first + at->file.facts.bytes)
            break;
    }
    return &at->party;
}

static jtg_status lock_lent(jtg_cache *self, void *memory, jtg_error *err)
{
    (void)err;
    return jtgi_lock_take(&piece_of(memory)->lock, party_of(self, memory)) == JTGI_LOCK_BLOCKED
               ? JTG_ERR_BLOCKED
               : JTG_OK;
}

static void unlock_lent(jtg_cache *self, void *memory)
{
    jtgi_lock_leave(&piece_of(memory)->lock, party_of(self, memory));
}

/* ---- life ---- */

static void destroy(jtg_cache *self)
{
    struct host_cache *host = of(self);
    bool in_child = self->fork_generation != jtgi_fork_generation();
    struct jtgi_host_attachment *at = atomic_load(&host->current);
    while (at != NULL) {
        struct jtgi_host_attachment *older = at->older;
        jtgi_host_detach(at, in_child);
        at = older;
    }
    jtg_cache_clear_base(self);
    jtgi_free(host);
}

static const jtg_backend backend = {
    .struct_size = sizeof(jtg_backend),
    .name = "host",
    .reserve = reserve,
    .release = release,
    .count = count,
    .clear = clear,
    .ping = jtgi_probe,
    .destroy = destroy,
    .reserve_kept = reserve_kept,
    .kept_since = kept_since,
    .prune = prune,
    .reserve_many = reserve_many,
    .lend = lend,
    .lock_lent = lock_lent,
    .unlock_lent = unlock_lent,
};

static jtg_status open_first(struct host_cache *host, jtg_error *err)
{
    struct jtgi_host_attachment *opened = NULL;
    jtg_status status = jtgi_host_attach(&opened, &host->settings.terms, err);
    if (status != JTG_OK)
        return status;
    opened->is_users_own = host->settings.is_users_own;
    atomic_store(&host->current, opened);
    report(host, opened);
    return JTG_OK;
}

static jtg_status build(struct host_cache *host, const jtg_host_options *options, jtg_error *err)
{
    jtg_status status = jtgi_host_settings_read(&host->settings, options, err);
    if (status == JTG_OK)
        status = jtg_cache_init(&host->base, &backend, err);
    if (status != JTG_OK) {
        jtgi_free(host);
        return status;
    }
    status = open_first(host, err);
    if (status != JTG_OK)
        destroy(&host->base);
    return status;
}

jtg_status jtg_host_new(jtg_cache **cache, const jtg_host_options *options, jtg_error *err)
{
    jtgi_error_begin(err);
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the cache");
    *cache = NULL;
    struct host_cache *host = jtgi_alloc(sizeof *host);
    if (host == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the cache");
    int cancel = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    jtg_status status = build(host, options, err);
    (void)pthread_setcancelstate(cancel, NULL);
    if (status == JTG_OK)
        *cache = &host->base;
    return status;
}

jtg_status jtg_host_new_uri(jtg_cache **cache, const char *uri, jtg_error *err)
{
    static const char scheme[] = "host:";
    jtg_host_options options = JTG_HOST_OPTIONS_INIT;
    jtgi_error_begin(err);
    if (cache != NULL)
        *cache = NULL;
    if (uri == NULL || strncmp(uri, scheme, sizeof scheme - 1) != 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "not a URI of a host store");
    const char *path = uri + sizeof scheme - 1;
    options.path = *path != '\0' ? path : NULL;
    return jtg_host_new(cache, &options, err);
}

/* ---- what only this backend has ---- */

static jtg_status enter_host(struct visit *visit, jtg_cache *cache, jtg_error *err)
{
    jtg_status status = JTG_ERR_ARGUMENT;
    jtgi_error_begin(err);
    if (cache == NULL || cache->backend != &backend)
        (void)jtg_error_set(err, status, 0, "not a host cache");
    else if (cache->fork_generation != jtgi_fork_generation())
        (void)jtg_error_set(err, status = JTG_ERR_FORKED, 0, "the cache was made before fork");
    else
        status = enter(visit, cache, err);
    if (status != JTG_OK)
        (void)jtgi_error_set_status(err, status);
    return status;
}

jtg_status jtg_host_vouch(jtg_cache *cache, int64_t kept_since_ms, jtg_error *err)
{
    struct visit visit;
    jtg_status status = enter_host(&visit, cache, err);
    if (status != JTG_OK)
        return status;
    status = jtgi_host_since_vouch(visit.at->file.header, &visit.at->party,
                                   &visit.host->settings.clock, kept_since_ms, err);
    leave(&visit);
    return jtgi_error_end(status, err);
}

jtg_status jtg_host_lose(jtg_cache *cache, jtg_error *err)
{
    struct visit visit;
    jtg_status status = enter_host(&visit, cache, err);
    if (status != JTG_OK)
        return status;
    status = lose(&visit, false);
    leave(&visit);
    return jtgi_error_end(status, err);
}

struct teller {
    void (*tell)(void *context, uint32_t process_id, const char *name);
    void *context;
};

static void tell_one(void *context, const struct jtgi_place_record *record)
{
    const struct teller *teller = context;
    char name[JTGI_PLACE_NAME_BYTES];
    memcpy(name, record->name, sizeof name);
    name[sizeof name - 1] = '\0';
    teller->tell(teller->context, atomic_load(&record->pid), name);
}

jtg_status jtg_host_processes(jtg_cache *cache,
                              void (*tell)(void *context, uint32_t process_id, const char *name),
                              void *context, jtg_error *err)
{
    struct visit visit;
    struct teller teller = {tell, context};
    if (tell == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "nobody to tell of the processes");
    jtg_status status = enter_host(&visit, cache, err);
    if (status != JTG_OK)
        return status;
    (void)jtgi_place_count(visit.at->place, tell_one, &teller);
    leave(&visit);
    return JTG_OK;
}

static jtg_status fill(jtg_host_stats *stats, const struct visit *visit)
{
    const struct jtgi_host_header *header = visit->at->file.header;
    struct jtgi_table_stats table;
    jtg_status status = jtgi_table_stats_get(visit->at->table, &table);
    if (status != JTG_OK)
        return status;
    (void)snprintf(stats->path, sizeof stats->path, "%.*s", JTG_HOST_PATH_BYTES - 1,
                   visit->at->path);
    stats->bytes = visit->at->file.facts.bytes;
    stats->entries = table.entries;
    stats->max_entries = header->max_entries;
    stats->max_entries_per_group = header->max_entries_per_group;
    stats->groups = table.groups;
    stats->swept = table.swept;
    stats->sweep_passes = atomic_load(&header->sweep_at) / jtgi_table_partitions(visit->at->table);
    stats->repairs = table.repairs;
    stats->emptied = table.losses;
    stats->processes = jtgi_place_count(visit->at->place, NULL, NULL);
    stats->replaced = atomic_load(&visit->host->replaced);
    return JTG_OK;
}

jtg_status jtg_host_stats_get(jtg_cache *cache, jtg_host_stats *stats, jtg_error *err)
{
    struct visit visit;
    jtg_host_stats now = {.struct_size = sizeof now};
    jtgi_error_begin(err);
    if (stats == NULL || !jtgi_struct_size_ok(stats->struct_size, STATS_OLDEST_SIZE))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "stats: struct_size is not set");
    jtg_status status = enter_host(&visit, cache, err);
    if (status != JTG_OK)
        return status;
    status = fill(&now, &visit);
    leave(&visit);
    if (status == JTG_OK)
        status = kept_since(cache, &now.kept_since_ms, err);
    if (status == JTG_OK)
        jtgi_struct_give(stats, &now, sizeof now);
    return jtgi_error_end(status, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "host/visit.h"

#include "core/error.h"
#include "core/fork.h"
#include "core/log.h"
#include "host/heir.h"
#include "host/since.h"

#include <pthread.h>

enum { MOVES = 8 /* that one operation follows; beyond it its caller does */ };

/* ---- the file that is used ---- */

static bool is_moving(const struct jtgi_host_attachment *at)
{
    return atomic_load_explicit(&at->file.header->moving, memory_order_relaxed) != 0;
}

/* Never under a lock. */
static void report(const struct jtgi_host_cache *host, const struct jtgi_host_attachment *at)
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

jtg_status jtgi_host_cache_open(struct jtgi_host_cache *host, jtg_error *err)
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

void jtgi_host_cache_close(struct jtgi_host_cache *host)
{
    bool in_child = host->base.fork_generation != jtgi_fork_generation();
    struct jtgi_host_attachment *at = atomic_load(&host->current);
    while (at != NULL) {
        struct jtgi_host_attachment *older = at->older;
        jtgi_host_detach(at, in_child);
        at = older;
    }
}

/* ---- another file in its place ---- */

/* Another thread may have been quicker. */
static jtg_status open_anew_locked(struct jtgi_host_cache *host, struct jtgi_host_attachment *old,
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
    if (jtgi_host_heir_is_of(*opened, old))
        jtgi_host_since_note_offset((*opened)->file.header,
                                    atomic_load(&old->file.header->offset_ms));
    atomic_store(&host->current, *opened);
    atomic_fetch_add(&host->replaced, 1);
    return JTG_OK;
}

/* Never under a lock. */
static void report_exchange(const struct jtgi_host_cache *host,
                            const struct jtgi_host_attachment *opened,
                            const struct jtgi_host_attachment *old)
{
    const jtg_logger *logger = &host->settings.logger;
    if (jtgi_host_heir_is_of(opened, old))
        jtgi_log(logger, JTG_LOG_INFO, "host store: %s was resized: it holds %llu entries by now",
                 old->path, (unsigned long long)opened->file.header->max_entries);
    else
        jtgi_log(logger, JTG_LOG_WARNING,
                 "host store: another file stands at %s by now: what was kept before it is lost",
                 old->path);
    report(host, opened);
}

/* The memory of files that were exchanged, and that no thread is in any more. */
static void give_back_locked(struct jtgi_host_cache *host)
{
    struct jtgi_host_attachment *at = atomic_load(&host->current)->older;
    for (; at != NULL; at = at->older)
        if (!at->is_retired && jtgi_presence_is_none(&at->presence))
            jtgi_host_attachment_retire(at);
}

/* Of the lock among threads of this process. */
static struct jtgi_lock_party opener(const struct jtgi_host_cache *host)
{
    return (struct jtgi_lock_party){.word = jtgi_lock_word(1, 0),
                                    .wait_ms = host->settings.terms.lock_wait_ms};
}

static void give_back(struct jtgi_host_cache *host)
{
    const struct jtgi_lock_party party = opener(host);
    uint32_t nobody = 0;
    if (atomic_load(&host->current)->older == NULL ||
        !atomic_compare_exchange_strong(&host->opening, &nobody, party.word))
        return;
    give_back_locked(host);
    jtgi_lock_leave(&host->opening, &party);
}

static jtg_status open_anew(struct jtgi_host_cache *host, struct jtgi_host_attachment *old,
                            jtg_error *err)
{
    const struct jtgi_lock_party party = opener(host);
    struct jtgi_host_attachment *opened = NULL;
    if (jtgi_lock_take(&host->opening, &party) == JTGI_LOCK_BLOCKED)
        return jtg_error_set(err, JTG_ERR_BLOCKED, 0, "host store: another thread still opens it");
    jtg_status status = open_anew_locked(host, old, &opened, err);
    give_back_locked(host);
    jtgi_lock_leave(&host->opening, &party);
    if (opened != NULL)
        report_exchange(host, opened, old);
    return status;
}

/* Of this file, which may be exchanged meanwhile by another thread. The look is dated before the
 * path is read. */
static jtg_status look_and_follow(struct jtgi_host_cache *host, struct jtgi_host_attachment *at,
                                  int64_t now_ms, jtg_error *err)
{
    enum jtgi_host_at_path there = jtgi_host_file_look(&at->file, at->path);
    if (there == JTGI_HOST_AT_PATH_UNSEEN)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "host store: its path is out of reach");
    if (at->is_users_own && jtgi_store_path_is_outdated(&jtgi_store_places_system))
        there = JTGI_HOST_AT_PATH_OTHER;
    if (there != JTGI_HOST_AT_PATH_SAME)
        return open_anew(host, at, err);
    if (is_moving(at) && jtgi_host_heir_is_abandoned(at))
        (void)jtgi_host_heir_unmark(at);
    jtgi_host_attachment_note_look(at, now_ms);
    give_back(host);
    return JTG_OK;
}

/* A thread that is cancelled ends after the call: in here it would leave the lock locked, and a
 * place in the store taken. */
static jtg_status look(struct jtgi_host_cache *host, struct jtgi_host_attachment *at,
                       int64_t now_ms, jtg_error *err)
{
    int cancel = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    jtg_status status = look_and_follow(host, at, now_ms, err);
    (void)pthread_setcancelstate(cancel, NULL);
    return status;
}

/* ---- in and out ---- */

/* The store as it is now, with this thread counted in it. */
static struct jtgi_host_attachment *come_in(struct jtgi_host_cache *host)
{
    for (;;) {
        struct jtgi_host_attachment *at = atomic_load(&host->current);
        jtgi_presence_enter(&at->presence);
        if (atomic_load(&host->current) == at)
            return at;
        jtgi_presence_leave(&at->presence);
    }
}

jtg_status jtgi_host_visit_enter(struct jtgi_host_visit *visit, jtg_cache *self, jtg_error *err)
{
    struct jtgi_host_cache *host = jtgi_host_cache_of(self);
    visit->host = host;
    visit->now_ms = jtgi_clock_monotonic_ms(&host->settings.clock);
    struct jtgi_host_attachment *at = atomic_load(&host->current);
    if (!jtgi_host_attachment_is_fresh(at, visit->now_ms) || is_moving(at)) {
        jtg_status status = look(host, at, visit->now_ms, err);
        if (status != JTG_OK)
            return status;
    }
    visit->at = come_in(host);
    visit->now = jtgi_host_now(visit->at, visit->now_ms);
    return JTG_OK;
}

jtg_status jtgi_host_visit_enter_checked(struct jtgi_host_visit *visit, jtg_cache *cache,
                                         jtg_error *err)
{
    jtg_status status = JTG_ERR_ARGUMENT;
    jtgi_error_begin(err);
    if (cache == NULL || cache->backend != &jtgi_host_backend)
        (void)jtg_error_set(err, status, 0, "not a host cache");
    else if (cache->fork_generation != jtgi_fork_generation())
        (void)jtg_error_set(err, status = JTG_ERR_FORKED, 0, "the cache was made before fork");
    else
        status = jtgi_host_visit_enter(visit, cache, err);
    if (status != JTG_OK)
        (void)jtgi_error_set_status(err, status);
    return status;
}

jtg_status jtgi_host_visit_follow(jtg_cache *self, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    if (!is_moving(atomic_load(&jtgi_host_cache_of(self)->current)))
        return JTG_OK;
    jtg_status status = jtgi_host_visit_enter(&visit, self, err);
    if (status == JTG_OK)
        (void)jtgi_host_visit_leave(&visit, status);
    return status;
}

static bool follow_or_unmark(const struct jtgi_host_visit *visit)
{
    enum jtgi_host_at_path there = jtgi_host_file_look(&visit->at->file, visit->at->path);
    if (there == JTGI_HOST_AT_PATH_SAME)
        return jtgi_host_heir_unmark(visit->at);
    return there != JTGI_HOST_AT_PATH_UNSEEN && open_anew(visit->host, visit->at, NULL) == JTG_OK;
}

/* A thread that is cancelled ends after the call, as in look(). */
static bool move_on(const struct jtgi_host_visit *visit)
{
    int cancel = 0;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    bool moved = follow_or_unmark(visit);
    (void)pthread_setcancelstate(cancel, NULL);
    return moved;
}

/* Within it still: the file's memory is not given back meanwhile. */
bool jtgi_host_visit_leave(struct jtgi_host_visit *visit, jtg_status status)
{
    bool again = status == JTG_ERR_BLOCKED && is_moving(visit->at) && visit->moves++ < MOVES &&
                 move_on(visit);
    jtgi_presence_leave(&visit->at->presence);
    return again;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/verify/keys.h"

#include "monotonic.h"
#include "serve/verify/key_source.h"
#include "ticker.h"

#include <errno.h>
#include <jtiguard/status.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER INT64_MIN

/* Shared with the keys that take this one's place in a reload, while both may count: what is read
 * of it never falls. */
struct counts {
    atomic_uint references;
    atomic_uint_fast64_t fetches;
    atomic_uint_fast64_t failures;
    atomic_uint_fast64_t waits;
};

/* What one lock is for stands together. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct keys {
    enum keys_from from;
    enum jwks_owner owner;
    char *issuer;
    char *at;
    char *token_file;
    char *ca_file;
    uint32_t max_bytes;
    int64_t wait_ms;
    int64_t max_age_ms;
    int64_t stale_ms;
    int64_t retry_ms;
    jtg_clock clock;
    jtg_logger logger;
    struct fetcher *fetcher;
    struct counts *counts;
    struct ticker *ticker; /* NULL: of a file */

    /* Held for short copies only, never over a fetch or a log call. */
    pthread_mutex_t lock;
    struct jwks *set; /* NULL: none yet */
    uint64_t sets;    /* how many there were */
    int64_t fetched_ms;
    int64_t fresh_until_ms;
    int64_t usable_until_ms;
    int64_t attempted_ms;  /* start of the last fetch */
    int64_t not_before_ms; /* of the issuer's Retry-After */
    unsigned misses;       /* that brought no key, since one did */
    uint64_t attempts;     /* that have ended */
    bool wanted;
    bool under_way;        /* a fetch is */
    bool late;             /* it takes too long to be waited for */
    int64_t began_real_ms; /* that of CLOCK_MONOTONIC, whatever the injected clock says */
    bool hurried;          /* nobody waits any more */
    bool stopping;
    struct waiters waiters;

    /* The thread's own. */
    char trouble[KEY_ANSWER_WHY_BYTES]; /* of the last fetch; empty: none */
    bool has_tally;
    struct jwks_tally tally; /* that was reported last */
};

static int64_t now_of(const struct keys *keys)
{
    return keys->clock.monotonic_ms(keys->clock.context);
}

JTG_PRINTF(3, 4)
static void report(const jtg_logger *logger, jtg_log_level level, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    /* clang 14 does not see the va_start. NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (logger->write != NULL && level <= logger->max_level)
        logger->write(logger->context, level, line);
}

/* ---- what a set of keys is worth ---- */

static int64_t age_allowed(const struct keys *keys, int64_t max_age_s)
{
    int64_t age_ms = keys->max_age_ms;
    if (max_age_s >= 0 && max_age_s < keys->max_age_ms / 1000)
        age_ms = (max_age_s > KEYS_MIN_AGE_S ? max_age_s : KEYS_MIN_AGE_S) * 1000;
    return age_ms < keys->max_age_ms ? age_ms : keys->max_age_ms;
}

/* Takes the set over. One without a key is old from the start. */
static void install(struct keys *keys, struct jwks *set, int64_t fetched_ms, int64_t max_age_s)
{
    (void)pthread_mutex_lock(&keys->lock);
    struct jwks *old = keys->set;
    keys->set = set;
    keys->sets++;
    keys->fetched_ms = fetched_ms;
    keys->fresh_until_ms = fetched_ms;
    if (jwks_count(set) > 0)
        keys->fresh_until_ms += age_allowed(keys, max_age_s);
    keys->usable_until_ms = keys->fresh_until_ms + keys->stale_ms;
    (void)pthread_mutex_unlock(&keys->lock);
    jwks_release(old);
}

static bool same_tally(const struct jwks_tally *one, const struct jwks_tally *other)
{
    return one->kept == other->kept && one->weak == other->weak &&
           one->private_parts == other->private_parts && one->malformed == other->malformed &&
           one->others == other->others && strcmp(one->malformed_kid, other->malformed_kid) == 0;
}

/* Said once, and not at every fetch. */
static void report_keys(struct keys *keys, const struct jwks_tally *tally)
{
    bool is_odd =
        tally->kept == 0 || tally->weak > 0 || tally->private_parts > 0 || tally->malformed > 0;
    bool is_named = tally->malformed_kid[0] != '\0';
    if (keys->has_tally && same_tally(&keys->tally, tally))
        return;
    keys->has_tally = true;
    keys->tally = *tally;
    report(&keys->logger, is_odd ? JTG_LOG_WARNING : JTG_LOG_INFO,
           "keys of %.200s: %zu in use; left out: %zu weak, %zu symmetric or with a private part, "
           "%zu malformed%s%s%s, %zu of other use",
           keys->issuer, tally->kept, tally->weak, tally->private_parts, tally->malformed,
           is_named ? " (kid " : "", tally->malformed_kid, is_named ? ")" : "", tally->others);
}

static struct key_source source_of(const struct keys *keys)
{
    return (struct key_source){keys->from, keys->issuer, keys->at, keys->token_file, keys->owner};
}

static jtg_status read_file(struct keys *keys, jtg_error *err)
{
    const struct key_source source = source_of(keys);
    struct key_answer answer;
    jtg_status status = key_source_read(&source, keys->max_bytes, &answer, err);
    if (status != JTG_OK)
        return status;
    report_keys(keys, &answer.tally);
    install(keys, answer.set, now_of(keys), -1);
    return JTG_OK;
}

/* ---- by a fetch; all of this runs in the thread ---- */

/* Whether it brought a key. */
static bool take(struct keys *keys, const struct key_answer *answer, int64_t started_ms)
{
    if (answer->set == NULL)
        return false;
    report_keys(keys, &answer->tally);
    install(keys, answer->set, started_ms, answer->max_age_s);
    return answer->tally.kept > 0;
}

/* Said once, and not at every attempt. */
static void report_trouble(struct keys *keys, const struct key_answer *answer, bool is_good)
{
    const char *trouble = is_good ? "" : answer->why;
    if (strcmp(trouble, keys->trouble) == 0)
        return;
    if (is_good)
        report(&keys->logger, JTG_LOG_INFO, "keys of %.200s: fetched again", keys->issuer);
    else
        report(&keys->logger, JTG_LOG_WARNING, "keys of %.200s: not fetched: %s", keys->issuer,
               trouble);
    (void)snprintf(keys->trouble, sizeof keys->trouble, "%s", trouble);
}

static void set_pace_locked(struct keys *keys, const struct key_answer *answer, bool is_good)
{
    int64_t wait_s = answer->retry_after_s;
    keys->misses = is_good ? 0 : keys->misses + 1;
    if (wait_s > KEYS_RETRY_AFTER_MOST_S)
        wait_s = KEYS_RETRY_AFTER_MOST_S;
    keys->not_before_ms = is_good ? NEVER : now_of(keys) + wait_s * 1000;
}

static void attempt(struct keys *keys)
{
    const struct key_source source = source_of(keys);
    int64_t started_ms = now_of(keys);
    struct key_answer answer = key_source_fetch(&source, keys->fetcher);
    bool is_good = take(keys, &answer, started_ms);
    (void)pthread_mutex_lock(&keys->lock);
    bool is_stopping = keys->stopping;
    keys->attempts++;
    (void)atomic_fetch_add(is_good ? &keys->counts->fetches : &keys->counts->failures, 1);
    keys->under_way = false;
    set_pace_locked(keys, &answer, is_good);
    struct waiters woken = waiters_take(&keys->waiters);
    (void)pthread_mutex_unlock(&keys->lock);
    waiters_wake(woken);
    if (!is_stopping)
        report_trouble(keys, &answer, is_good);
}

/* Who waits for a fetch that hangs has waited long enough; and sooner, who began to wait for
 * another one, before a reload. */
static void tick(void *context)
{
    struct keys *keys = context;
    (void)pthread_mutex_lock(&keys->lock);
    int64_t now_ms = monotonic_ms();
    keys->late = keys->late || now_ms - keys->began_real_ms >= keys->wait_ms;
    struct waiters woken =
        keys->late ? waiters_take(&keys->waiters) : waiters_take_due(&keys->waiters, now_ms);
    (void)pthread_mutex_unlock(&keys->lock);
    waiters_wake(woken);
}

static int64_t later(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

/* When somebody may have it done. */
static int64_t allowed_locked(const struct keys *keys)
{
    return later(keys->attempted_ms + keys->retry_ms, keys->not_before_ms);
}

int64_t keys_back_off_ms(int64_t retry_ms, unsigned misses)
{
    const int64_t most_ms = (int64_t)KEYS_BACK_OFF_MOST_S * 1000;
    int64_t pause_ms = retry_ms;
    for (unsigned i = 1; i < misses && pause_ms < most_ms; i++)
        pause_ms *= 2;
    return pause_ms < most_ms ? pause_ms : later(most_ms, retry_ms);
}

static int64_t next_attempt_locked(const struct keys *keys, int64_t now_ms)
{
    if (keys->attempted_ms == NEVER)
        return now_ms;
    if (keys->wanted)
        return allowed_locked(keys);
    int64_t due_ms = keys->fresh_until_ms;
    if (keys->misses > 0)
        due_ms = later(due_ms, keys->attempted_ms + keys_back_off_ms(keys->retry_ms, keys->misses));
    return later(due_ms, allowed_locked(keys));
}

/* Whether it is time; else *wait_ms says in how long. */
static bool take_turn(struct keys *keys, int64_t *wait_ms)
{
    (void)pthread_mutex_lock(&keys->lock);
    int64_t now_ms = now_of(keys);
    *wait_ms = next_attempt_locked(keys, now_ms) - now_ms;
    bool is_turn = *wait_ms <= 0 && !keys->stopping;
    if (is_turn) {
        keys->attempted_ms = now_ms;
        keys->began_real_ms = monotonic_ms();
        keys->wanted = false;
        keys->late = false;
        keys->under_way = true;
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return is_turn;
}

/* Whoever finds the keys old by an injected clock wakes the thread, so that its own sleep in real
 * time need not be right. */
static int64_t keep_fresh(void *context)
{
    struct keys *keys = context;
    int64_t wait_ms = 0;
    while (take_turn(keys, &wait_ms))
        attempt(keys);
    return wait_ms;
}

/* ---- made and ended ---- */

static bool copy_text(char **copy, const char *text)
{
    *copy = text != NULL ? strdup(text) : NULL;
    return text == NULL || *copy != NULL;
}

static bool copy_rules(struct keys *keys, const struct keys_rules *rules)
{
    keys->from = rules->from;
    keys->owner = rules->owner;
    keys->max_bytes = rules->fetch.max_bytes;
    keys->wait_ms = rules->wait_ms;
    keys->max_age_ms = (int64_t)rules->max_age_s * 1000;
    keys->stale_ms = (int64_t)rules->stale_s * 1000;
    keys->retry_ms = (int64_t)rules->retry_s * 1000;
    keys->clock = rules->clock != NULL ? *rules->clock : jtg_clock_system();
    if (rules->logger != NULL)
        keys->logger = *rules->logger;
    return copy_text(&keys->issuer, rules->issuer) && copy_text(&keys->at, rules->at) &&
           copy_text(&keys->token_file, rules->token_file) &&
           copy_text(&keys->ca_file, rules->fetch.ca_file);
}

/* What was fetched before a reload serves on, until the time that it had then. */
static void adopt(struct keys *keys, struct keys *older)
{
    (void)pthread_mutex_lock(&older->lock);
    keys->set = jwks_hold(older->set);
    keys->fetched_ms = older->fetched_ms;
    keys->usable_until_ms = older->usable_until_ms;
    keys->fresh_until_ms = older->fresh_until_ms;
    (void)pthread_mutex_unlock(&older->lock);
}

static jtg_status start_fetching(struct keys *keys, const struct fetch_rules *given, jtg_error *err)
{
    struct fetch_rules rules = *given;
    rules.ca_file = keys->ca_file;
    rules.tick = tick;
    rules.tick_context = keys;
    keys->fetcher = fetcher_new(&rules);
    if (keys->fetcher == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "keys: out of memory");
    keys->ticker = ticker_new(keep_fresh, keys, 0);
    if (keys->ticker == NULL)
        return jtg_error_set(err, JTG_ERR_SYSTEM, errno, "keys: no thread can be started");
    return JTG_OK;
}

static struct counts *counts_hold(struct counts *counts)
{
    (void)atomic_fetch_add(&counts->references, 1);
    return counts;
}

static void counts_release(struct counts *counts)
{
    if (counts != NULL && atomic_fetch_sub(&counts->references, 1) == 1)
        free(counts);
}

static bool take_counts(struct keys *keys, const struct keys *of_row)
{
    if (of_row != NULL)
        keys->counts = counts_hold(of_row->counts);
    else if ((keys->counts = calloc(1, sizeof *keys->counts)) != NULL)
        atomic_init(&keys->counts->references, 1);
    return keys->counts != NULL;
}

static jtg_status start(struct keys *keys, const struct keys_rules *rules,
                        const struct keys_before *before, jtg_error *err)
{
    if (!copy_rules(keys, rules) || !take_counts(keys, before->of_row))
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "keys: out of memory");
    if (keys->from == KEYS_FROM_FILE)
        return read_file(keys, err);
    if (before->of_place != NULL)
        adopt(keys, before->of_place);
    return start_fetching(keys, &rules->fetch, err);
}

jtg_status keys_new(struct keys **keys, const struct keys_rules *rules,
                    const struct keys_before *before, jtg_error *err)
{
    *keys = NULL;
    struct keys *made = calloc(1, sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "keys: out of memory");
    made->attempted_ms = NEVER;
    made->not_before_ms = NEVER;
    made->fresh_until_ms = NEVER;
    (void)pthread_mutex_init(&made->lock, NULL);
    jtg_status status = start(made, rules, before, err);
    if (status == JTG_OK)
        *keys = made;
    else
        keys_free(made);
    return status;
}

const char *keys_issuer(const struct keys *keys)
{
    return keys->issuer;
}

static bool same_text(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

bool keys_are_of(const struct keys *keys, const struct keys_rules *rules)
{
    return keys->from == rules->from && keys->owner == rules->owner &&
           same_text(keys->at, rules->at) && strcmp(keys->issuer, rules->issuer) == 0;
}

bool keys_are_like(const struct keys *keys, const struct keys_rules *rules)
{
    return keys_are_of(keys, rules) && same_text(keys->token_file, rules->token_file) &&
           same_text(keys->ca_file, rules->fetch.ca_file);
}

void keys_stop(struct keys *keys)
{
    if (keys->ticker == NULL)
        return;
    (void)pthread_mutex_lock(&keys->lock);
    keys->stopping = true;
    struct waiters woken = waiters_take(&keys->waiters);
    waiters_mark_moved(&woken);
    (void)pthread_mutex_unlock(&keys->lock);
    waiters_wake(woken);
    fetcher_stop(keys->fetcher);
    ticker_stop(keys->ticker);
}

void keys_free(struct keys *keys)
{
    if (keys == NULL)
        return;
    ticker_free(keys->ticker);
    fetcher_free(keys->fetcher);
    counts_release(keys->counts);
    jwks_release(keys->set);
    (void)pthread_mutex_destroy(&keys->lock);
    free(keys->issuer);
    free(keys->at);
    free(keys->token_file);
    free(keys->ca_file);
    free(keys);
}

/* ---- used ---- */

static bool is_usable_locked(const struct keys *keys, int64_t now_ms)
{
    return keys->set != NULL && (keys->from == KEYS_FROM_FILE || now_ms < keys->usable_until_ms);
}

static bool may_begin_locked(const struct keys *keys, int64_t now_ms)
{
    return keys->from != KEYS_FROM_FILE && !keys->stopping && !keys->under_way &&
           (keys->attempted_ms == NEVER || now_ms >= allowed_locked(keys));
}

static bool want_locked(struct keys *keys, int64_t now_ms)
{
    bool wants = may_begin_locked(keys, now_ms);
    keys->wanted = keys->wanted || wants;
    return wants;
}

struct jwks *keys_get(struct keys *keys, uint64_t *seen)
{
    int64_t now_ms = now_of(keys);
    (void)pthread_mutex_lock(&keys->lock);
    struct jwks *set = is_usable_locked(keys, now_ms) ? jwks_hold(keys->set) : NULL;
    *seen = keys->sets;
    bool wants = now_ms >= keys->fresh_until_ms && want_locked(keys, now_ms);
    (void)pthread_mutex_unlock(&keys->lock);
    if (wants)
        ticker_wake(keys->ticker);
    if (set == NULL || jwks_count(set) > 0)
        return set;
    jwks_release(set);
    return NULL;
}

struct jwks *keys_get_newer(struct keys *keys, uint64_t seen)
{
    int64_t now_ms = now_of(keys);
    (void)pthread_mutex_lock(&keys->lock);
    bool is_newer = keys->sets != seen && is_usable_locked(keys, now_ms);
    struct jwks *set = is_newer ? jwks_hold(keys->set) : NULL;
    bool wants = keys->sets == seen && want_locked(keys, now_ms);
    (void)pthread_mutex_unlock(&keys->lock);
    if (wants)
        ticker_wake(keys->ticker);
    return set;
}

/* A fetch that is about to begin is as good as one that has. */
static bool is_worth_waiting_locked(const struct keys *keys, uint64_t seen)
{
    if (keys->waiters.count == WAITERS_LIMIT)
        return false;
    return keys->sets != seen || (keys->under_way ? !keys->late : keys->wanted);
}

/* Whoever asks keys that a reload has stopped meanwhile is moved on to those in their place, which
 * stand before these are stopped. */
static bool may_wait_locked(const struct keys *keys, uint64_t seen,
                            const struct verify_waiter *waiter)
{
    return !keys->hurried && keys->wait_ms > 0 && monotonic_ms() < waiter->until_ms &&
           (keys->stopping || is_worth_waiting_locked(keys, seen));
}

/* Paused first, for the fetch may end before it stands in the list. */
bool keys_await(struct keys *keys, uint64_t seen, struct verify_waiter *waiter)
{
    waiter->moved = false;
    if (waiter->until_ms == 0)
        waiter->until_ms = monotonic_ms() + keys->wait_ms;
    (void)pthread_mutex_lock(&keys->lock);
    bool waits = may_wait_locked(keys, seen, waiter);
    uint64_t attempts = keys->attempts;
    (void)atomic_fetch_add(&keys->counts->waits, waits);
    (void)pthread_mutex_unlock(&keys->lock);
    if (!waits)
        return false;
    waiter->pause(waiter->context);
    (void)pthread_mutex_lock(&keys->lock);
    waiter->moved = keys->stopping;
    bool stands = !keys->stopping && keys->sets == seen && keys->attempts == attempts &&
                  may_wait_locked(keys, seen, waiter) && waiters_push(&keys->waiters, waiter);
    (void)pthread_mutex_unlock(&keys->lock);
    if (!stands)
        waiter->wake(waiter->context);
    return true;
}

void keys_hurry(struct keys *keys)
{
    (void)pthread_mutex_lock(&keys->lock);
    keys->hurried = true;
    struct waiters woken = waiters_take(&keys->waiters);
    (void)pthread_mutex_unlock(&keys->lock);
    waiters_wake(woken);
}

void keys_status_read(struct keys *keys, struct keys_status *status)
{
    int64_t now_ms = now_of(keys);
    (void)snprintf(status->issuer, sizeof status->issuer, "%s", keys->issuer);
    (void)pthread_mutex_lock(&keys->lock);
    status->keys = is_usable_locked(keys, now_ms) ? jwks_count(keys->set) : 0;
    status->age_ms = keys->set != NULL ? now_ms - keys->fetched_ms : -1;
    status->fetches = atomic_load(&keys->counts->fetches);
    status->fetch_fails = atomic_load(&keys->counts->failures);
    status->waits = atomic_load(&keys->counts->waits);
    (void)pthread_mutex_unlock(&keys->lock);
}

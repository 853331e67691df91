/* SPDX-License-Identifier: Apache-2.0 */
#include "integration/history_rules.h"

#include <stdlib.h>
#include <string.h>

#define MS_NS UINT64_C(1000000)

/* What an answer says about the store. Written from the published numbers of status.h, not from the
 * header itself: a checker that shared the library's table would share its mistakes. */
enum meaning {
    WORKED,
    REPLAY,
    NOTHING_CHANGED,
    GONE, /* of a release: the owner does not hold the key (any more) */
    MAYBE
};

struct answer {
    const char *name;
    enum meaning meaning;
};

static const struct answer statuses[] = {
    {"ok", WORKED},
    {"replayed", REPLAY},
    {"not_found", GONE},
    {"not_owner", GONE},
    {"mismatch", NOTHING_CHANGED},
    {"bad_argument", NOTHING_CHANGED},
    {"out_of_memory", NOTHING_CHANGED},
    {"store_full", NOTHING_CHANGED},
    {"group_full", NOTHING_CHANGED},
    {"store_unavailable", NOTHING_CHANGED},
    {"outcome_unknown", MAYBE},
    {"store_unsafe", NOTHING_CHANGED},
    {"continuity_lost", MAYBE},
    {"store_refused", NOTHING_CHANGED},
    {"store_protocol", NOTHING_CHANGED},
    {"too_few_replicas", MAYBE},
    {"forked", NOTHING_CHANGED},
    {"unsupported", NOTHING_CHANGED},
    {"system", NOTHING_CHANGED},
    {"store_blocked", NOTHING_CHANGED},
};

/* A guard looks at the clock again after the store has answered, so a refusal for the time can have
 * left a reservation. */
static const struct answer reasons[] = {
    {"undecided", NOTHING_CHANGED},
    {"admitted", WORKED},
    {"replayed", REPLAY},
    {"bad_argument", NOTHING_CHANGED},
    {"missing_kind", NOTHING_CHANGED},
    {"missing_jti", NOTHING_CHANGED},
    {"malformed_jti", NOTHING_CHANGED},
    {"jti_too_long", NOTHING_CHANGED},
    {"missing_issuer", NOTHING_CHANGED},
    {"missing_audience", NOTHING_CHANGED},
    {"missing_thumbprint", NOTHING_CHANGED},
    {"malformed_claim", NOTHING_CHANGED},
    {"missing_exp", NOTHING_CHANGED},
    {"missing_iat", NOTHING_CHANGED},
    {"unreasonable_time", NOTHING_CHANGED},
    {"expired", MAYBE},
    {"not_yet_valid", NOTHING_CHANGED},
    {"issued_in_future", NOTHING_CHANGED},
    {"lifetime_too_long", NOTHING_CHANGED},
    {"expires_before_issued", NOTHING_CHANGED},
    {"issued_before_start", MAYBE},
    {"clock_set_back", MAYBE},
    {"store_full", NOTHING_CHANGED},
    {"issuer_share_full", NOTHING_CHANGED},
    {"store_unavailable", NOTHING_CHANGED},
    {"outcome_unknown", MAYBE},
    {"store_unsafe", NOTHING_CHANGED},
    {"continuity_lost", MAYBE},
    {"store_refused", NOTHING_CHANGED},
    {"store_protocol", NOTHING_CHANGED},
    {"too_few_replicas", MAYBE},
    {"out_of_memory", NOTHING_CHANGED},
    {"forked", NOTHING_CHANGED},
    {"internal", MAYBE},
    {"store_unsupported", NOTHING_CHANGED},
    {"store_blocked", MAYBE},
};

#define COUNT_OF(table) (sizeof(table) / sizeof *(table))
_Static_assert(COUNT_OF(statuses) <= HISTORY_STATUSES && COUNT_OF(reasons) <= HISTORY_STATUSES,
               "every answer can be counted");

/* NULL for a number that is no answer. */
static const struct answer *answer_of(enum history_op op, unsigned status)
{
    if (op == HISTORY_ADMIT)
        return status < COUNT_OF(reasons) ? &reasons[status] : NULL;
    return status < COUNT_OF(statuses) ? &statuses[status] : NULL;
}

/* All calls on one key, in the order of their invocation. */
struct group {
    const struct history_record *first;
    const struct history_record *end;
};

struct check {
    const struct history_limits *limits;
    history_tell tell;
    struct history_report *report;
};

const char *history_violation_name(enum history_violation kind)
{
    static const char *const names[HISTORY_VIOLATIONS] = {"double admit", "unexplained replay",
                                                          "unfounded release", "late call"};
    return names[kind];
}

const char *history_answer_name(enum history_op op, unsigned status)
{
    const struct answer *answer = answer_of(op, status);
    return answer == NULL ? "?" : answer->name;
}

static void tell(const struct check *check, enum history_violation kind,
                 const struct history_record *record, const struct history_record *other)
{
    check->report->violations[kind]++;
    if (check->tell != NULL)
        check->tell(kind, record, other);
}

static enum meaning meaning_of(const struct history_record *record)
{
    return record->return_ns == 0 ? MAYBE
                                  : answer_of((enum history_op)record->op, record->status)->meaning;
}

/* A guard's admit is a reserve of the token's key. */
static bool is(const struct history_record *record, enum history_op op, enum meaning meaning)
{
    enum history_op meant = record->op == HISTORY_ADMIT ? HISTORY_RESERVE : record->op;
    return meant == op && meaning_of(record) == meaning;
}

static bool was_sent_twice(const struct history_record *call)
{
    return (call->flags & HISTORY_COPIES) != 0;
}

/* A release that had to be sent twice can be told that nothing is there by its own first try. A
 * reserve of which a copy was given up can be told that another holds the key, and the copy take it
 * when that other's time has ended. */
static bool may_have_worked(const struct history_record *record, enum history_op op)
{
    return is(record, op, WORKED) || is(record, op, MAYBE) ||
           (op == HISTORY_RELEASE && is(record, op, GONE)) ||
           (op == HISTORY_RESERVE && is(record, op, REPLAY) && was_sent_twice(record));
}

/* What was given up, the whole call or one copy of it, can still lie in some buffer. */
static bool may_work_later(const struct history_record *record)
{
    return meaning_of(record) == MAYBE || was_sent_twice(record);
}

/* The last moment at which the store can have carried the call out. */
static uint64_t latest_effect(const struct history_record *record)
{
    return may_work_later(record) ? UINT64_MAX : record->return_ns;
}

static uint64_t ttl_ns(const struct history_record *record)
{
    return record->ttl_ms * MS_NS;
}

/* Whether some release of that reservation can have worked after it and no later than `until`. */
static bool release_fits(const struct group *group, const struct history_record *reserve,
                         uint64_t until)
{
    for (const struct history_record *r = group->first; r < group->end && r->invoke_ns <= until;
         r++)
        if (r->owner == reserve->owner && may_have_worked(r, HISTORY_RELEASE) &&
            latest_effect(r) >= reserve->invoke_ns)
            return true;
    return false;
}

/* Whether the store may have admitted a, let go of it, and then admitted b. */
static bool order_is_legal(const struct check *check, const struct group *group,
                           const struct history_record *a, const struct history_record *b)
{
    if (a->invoke_ns > b->return_ns)
        return false;
    if (b->return_ns + check->limits->clock_slack_ns >= a->invoke_ns + ttl_ns(a))
        return true;
    return release_fits(group, a, b->return_ns);
}

static void check_admit(const struct check *check, const struct group *group,
                        const struct history_record *a)
{
    for (const struct history_record *b = a + 1; b < group->end; b++) {
        if (b->invoke_ns >= a->invoke_ns + ttl_ns(a))
            return;
        if (!is(b, HISTORY_RESERVE, WORKED) || b->owner == a->owner)
            continue;
        if (!order_is_legal(check, group, a, b) && !order_is_legal(check, group, b, a))
            tell(check, HISTORY_DOUBLE_ADMIT, a, b);
    }
}

/* Whether a confirmed release had ended the reservation for certain before `moment`. */
static bool surely_released(const struct group *group, const struct history_record *reserve,
                            uint64_t moment)
{
    for (const struct history_record *r = group->first; r < group->end; r++)
        if (r->owner == reserve->owner && is(r, HISTORY_RELEASE, WORKED) &&
            r->invoke_ns >= reserve->return_ns && r->return_ns < moment)
            return true;
    return false;
}

static bool may_hold(const struct check *check, const struct group *group,
                     const struct history_record *reserve, uint64_t moment)
{
    if (!may_have_worked(reserve, HISTORY_RESERVE))
        return false;
    if (may_work_later(reserve) || check->limits->store_may_forget)
        return true;
    return reserve->return_ns + ttl_ns(reserve) + check->limits->clock_slack_ns >= moment &&
           !surely_released(group, reserve, moment);
}

static void check_replay(const struct check *check, const struct group *group,
                         const struct history_record *replay)
{
    const struct history_record *r = replay;
    while (r + 1 < group->end && r[1].invoke_ns <= replay->return_ns)
        r++;
    for (; r >= group->first; r--)
        if (r->owner != replay->owner && may_hold(check, group, r, replay->invoke_ns))
            return;
    tell(check, HISTORY_UNEXPLAINED_REPLAY, replay, NULL);
}

/* A copy that comes late makes the key its owner's once more, as does a store that goes back. */
static bool may_hold_again(const struct check *check, const struct history_record *reserve)
{
    return was_sent_twice(reserve) || check->limits->store_may_forget;
}

static void check_release(const struct check *check, const struct group *group,
                          const struct history_record *release)
{
    size_t reserves = 0;
    size_t releases = 0;
    for (const struct history_record *r = group->first;
         r < group->end && r->invoke_ns <= release->return_ns; r++) {
        if (r->owner != release->owner)
            continue;
        if (may_have_worked(r, HISTORY_RESERVE)) {
            if (may_hold_again(check, r))
                return;
            reserves++;
        }
        releases += is(r, HISTORY_RELEASE, WORKED) && !was_sent_twice(r) &&
                    r->return_ns <= release->return_ns;
    }
    if (releases > reserves)
        tell(check, HISTORY_UNFOUNDED_RELEASE, release, NULL);
}

static void check_group(const struct check *check, const struct group *group)
{
    for (const struct history_record *r = group->first; r < group->end; r++) {
        if (is(r, HISTORY_RESERVE, WORKED))
            check_admit(check, group, r);
        else if (is(r, HISTORY_RESERVE, REPLAY))
            check_replay(check, group, r);
        else if (is(r, HISTORY_RELEASE, WORKED) && !was_sent_twice(r))
            check_release(check, group, r);
    }
}

static uint64_t at_least(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* How long the call's process, or the thread that made the call, did not run while the call was
 * under way. The two overlap, so they are not added. */
static uint64_t stalled_ns(const struct group *notes, const struct history_record *call)
{
    uint64_t process_ns = 0;
    uint64_t thread_ns = 0;
    for (const struct history_record *s = notes->first; s < notes->end; s++) {
        uint64_t from = at_least(s->invoke_ns, call->invoke_ns);
        uint64_t to = at_most(s->return_ns, call->return_ns);
        if (s->process != call->process || from >= to)
            continue;
        if (s->op == HISTORY_STALL)
            process_ns += to - from;
        else if (s->thread == call->thread && s->invoke_ns == call->invoke_ns)
            thread_ns += to - from;
    }
    return at_least(process_ns, thread_ns);
}

static void check_time(const struct check *check, const struct group *notes,
                       const struct history_record *call)
{
    struct history_report *report = check->report;
    uint64_t took = call->return_ns - call->invoke_ns;
    uint64_t deadline = call->deadline_ms * MS_NS;
    report->longest_call_ns = at_least(report->longest_call_ns, took);
    if (took <= deadline)
        return;
    report->most_overdue_ns = at_least(report->most_overdue_ns, took - deadline);
    if (took - deadline <= check->limits->grace_ns)
        return;
    if (stalled_ns(notes, call) >= took - deadline - check->limits->grace_ns)
        report->excused_late_calls++;
    else
        tell(check, HISTORY_LATE_CALL, call, NULL);
}

static void count(struct history_report *report, const struct history_record *call)
{
    if (call->return_ns != 0)
        report->by_status[call->op][call->status]++;
    report->unknown += meaning_of(call) == MAYBE;
}

static bool makes_sense(const struct history_record *record)
{
    return record->op >= HISTORY_RESERVE && record->op < HISTORY_OPS &&
           answer_of((enum history_op)record->op, record->status) != NULL &&
           (record->return_ns == 0 || record->return_ns >= record->invoke_ns) &&
           (record->owner != 0 || !history_is_call(record)) &&
           (record->flags <= HISTORY_COPIES || record->op == HISTORY_PROBE);
}

/* Notes on the machine first, then key by key, then by time. */
static int compare(const void *left, const void *right)
{
    const struct history_record *a = left;
    const struct history_record *b = right;
    bool a_is_call = history_is_call(a);
    bool b_is_call = history_is_call(b);
    if (a_is_call != b_is_call)
        return a_is_call ? 1 : -1;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return (a->invoke_ns > b->invoke_ns) - (a->invoke_ns < b->invoke_ns);
}

static struct group group_from(const struct history_record *first, const struct history_record *end)
{
    struct group group = {first, first};
    while (group.end < end && history_is_call(group.end) && group.end->key == first->key)
        group.end++;
    return group;
}

static void check_calls(const struct check *check, const struct group *notes,
                        const struct history_record *end)
{
    for (const struct history_record *r = notes->end; r < end; r++) {
        count(check->report, r);
        if (r->return_ns != 0)
            check_time(check, notes, r);
    }
    for (const struct history_record *r = notes->end; r < end;) {
        struct group group = group_from(r, end);
        check->report->keys++;
        check_group(check, &group);
        r = group.end;
    }
}

bool history_check(struct history *history, const struct history_limits *limits, history_tell told,
                   struct history_report *report)
{
    memset(report, 0, sizeof *report);
    for (size_t i = 0; i < history->count; i++)
        if (!makes_sense(&history->records[i]))
            return false;
    if (history->count == 0)
        return true;
    qsort(history->records, history->count, sizeof *history->records, compare);
    const struct history_record *end = history->records + history->count;
    struct group notes = {history->records, history->records};
    for (; notes.end < end && !history_is_call(notes.end); notes.end++)
        report->stalls += notes.end->op == HISTORY_STALL;
    struct check check = {limits, told, report};
    check_calls(&check, &notes, end);
    return true;
}

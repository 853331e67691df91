/* SPDX-License-Identifier: Apache-2.0 */
#include "reliability/report.h"

#include "integration/history_rules.h"
#include "reliability/load.h"

#include <inttypes.h>
#include <jtiguard/guard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS_NS UINT64_C(1000000)
#define NEVER UINT64_MAX

enum {
    CALM = INCIDENT_KINDS, /* the row of what belongs to no incident */
    ROWS,
    TELL_MAX = 5,
    STANDSTILL_MS = LOAD_DEADLINE_MS / 8,
    STANDSTILL_FELT_MS = 2000,
    RECOVERY_LIMIT_MS = 1000,
    AFTERMATH_MS = LOAD_DEADLINE_MS + 200,
    MAP_MS = 1000,
    FIGURES_MAX = INCIDENTS_MAX * WORLD_CLIENTS
};

/* ---- figures ---- */

struct figures {
    unsigned count;
    uint64_t ns[FIGURES_MAX];
};

static void add(struct figures *figures, uint64_t ns)
{
    figures->ns[figures->count++] = ns;
}

static int by_size(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;
    return (*a > *b) - (*a < *b);
}

static void print_figures(struct figures *figures)
{
    if (figures->count == 0) {
        printf(" – |");
        return;
    }
    qsort(figures->ns, figures->count, sizeof *figures->ns, by_size);
    printf(" %" PRIu64 " / %" PRIu64 " |", figures->ns[figures->count / 2] / MS_NS,
           figures->ns[figures->count - 1] / MS_NS);
}

/* ---- how soon it worked again ---- */

/* What is asked of a history: the first call like this. */
struct question {
    enum history_op op;
    uint16_t process;
    uint64_t from_ns; /* invoked no earlier */
    uint32_t parts;
    unsigned of_parts;
    uint16_t more_changes_than; /* of a probe */
    bool any_changes;
};

static bool is_success(const struct history_record *r)
{
    return r->op == HISTORY_ADMIT ? r->status == JTG_REASON_ADMITTED : r->status == JTG_OK;
}

static bool answers(const struct question *question, const struct history_record *r)
{
    if (r->op != question->op || r->process != question->process || !is_success(r) ||
        r->invoke_ns < question->from_ns)
        return false;
    if (r->op == HISTORY_PROBE)
        return (question->parts >> r->key & 1) != 0 &&
               (question->any_changes || r->flags > question->more_changes_than);
    int part = load_part(r->key, question->of_parts);
    return part >= 0 && (question->parts >> part & 1) != 0;
}

/* When the first success returned, counted from from_ns; NEVER if there is none. */
static uint64_t first_success(const struct history *history, const struct question *question)
{
    uint64_t first = NEVER;
    for (size_t i = 0; i < history->count; i++) {
        const struct history_record *r = &history->records[i];
        if (answers(question, r) && r->return_ns < first)
            first = r->return_ns;
    }
    return first == NEVER ? NEVER : first - question->from_ns;
}

/* How often a process had been led to another primary before a moment. */
static uint16_t changes_before(const struct history *history, uint16_t process, uint64_t moment)
{
    uint16_t most = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct history_record *r = &history->records[i];
        if (r->op == HISTORY_PROBE && r->process == process && r->return_ns < moment &&
            r->flags > most)
            most = r->flags;
    }
    return most;
}

/* When a process could work again: after the promotion, or for the one that was cut off after the
 * healing. */
static uint64_t chance_ns(const struct incident *incident, unsigned process)
{
    bool promoted = incident->promoted_ns != 0 && incident->client_apart != (int)process;
    return promoted ? incident->promoted_ns : incident->healed_ns;
}

static struct question question_of(const struct campaign_log *log, const struct incident *incident,
                                   unsigned process)
{
    return (struct question){.op = HISTORY_PROBE,
                             .process = (uint16_t)process,
                             .from_ns = chance_ns(incident, process),
                             .parts = incident->parts,
                             .of_parts = log->topology->parts,
                             .any_changes = true};
}

/* With Sentinels the old primary may go on for seconds, or come back: when was the process led away
 * from it? */
static struct question at_heir(const struct campaign_log *log, const struct incident *incident,
                               const struct history *history, unsigned process)
{
    struct question question = question_of(log, incident, process);
    question.any_changes = false;
    question.more_changes_than = changes_before(history, (uint16_t)process, incident->start_ns);
    return question;
}

/* The longest time between two successful probes of one part and process around an incident. */
static uint64_t longest_gap(const struct history *history, const struct incident *incident)
{
    uint64_t last[WORLD_CLIENTS][WORLD_PARTS_MAX] = {{0}};
    uint64_t gap = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct history_record *r = &history->records[i];
        if (r->process >= WORLD_CLIENTS || r->op != HISTORY_PROBE || !is_success(r) ||
            (incident->parts >> r->key & 1) == 0 || incident->client_apart == r->process)
            continue;
        uint64_t *before = &last[r->process][r->key];
        if (*before != 0 && r->return_ns > incident->start_ns && *before < incident->settled_ns &&
            r->return_ns - *before > gap)
            gap = r->return_ns - *before;
        *before = r->return_ns;
    }
    return gap;
}

struct row {
    unsigned times;
    struct figures promoted;
    struct figures named;
    struct figures reserved;
    struct figures apart; /* of these, by the client that was cut off */
    struct figures led;
    struct figures admitted;
    struct figures gaps;
};

static void print_ns(uint64_t ns)
{
    if (ns == NEVER)
        printf("never");
    else
        printf("%" PRIu64, ns / MS_NS);
}

/* Not more than a second after the clients could know. */
static bool is_late(const struct incident *incident, unsigned process, uint64_t reserved_ns)
{
    return incident->promoted_ns != 0 && incident->client_apart != (int)process &&
           chance_ns(incident, process) + reserved_ns >
               incident->named_ns + RECOVERY_LIMIT_MS * MS_NS;
}

static void judge_process(const struct campaign_log *log, const struct incident *incident,
                          const struct history *history, unsigned process, struct row *row,
                          struct verdict *verdict)
{
    struct question question = question_of(log, incident, process);
    uint64_t reserved = first_success(history, &question);
    question.op = HISTORY_ADMIT;
    uint64_t admitted = first_success(history, &question);
    printf(" ");
    print_ns(reserved);
    printf(" (");
    print_ns(admitted);
    printf(")");
    if (reserved == NEVER || admitted == NEVER) {
        verdict->unrecovered++;
        return;
    }
    add(incident->client_apart == (int)process ? &row->apart : &row->reserved, reserved);
    add(&row->admitted, admitted);
    if (log->topology->sentinels == 0 || incident->promoted_ns == 0)
        return;
    question = at_heir(log, incident, history, process);
    uint64_t led = first_success(history, &question);
    printf(" [");
    print_ns(led);
    printf("]");
    verdict->unrecovered += led == NEVER;
    if (led != NEVER && incident->client_apart != (int)process)
        add(&row->led, led);
    verdict->late += is_late(incident, process, reserved);
}

static void judge_incident(const struct campaign_log *log, unsigned index,
                           const struct history *history, struct row *rows, struct verdict *verdict)
{
    const struct incident *incident = &log->incidents[index];
    struct row *row = &rows[incident->kind];
    uint64_t gap = longest_gap(history, incident);
    row->times++;
    printf("%2u at %.3f ms: %-10s", index + 1, (double)incident->start_ns / 1e6,
           incident_name(incident->kind));
    if (incident->promoted_ns != 0) {
        add(&row->promoted, incident->promoted_ns - incident->start_ns);
        add(&row->named, incident->named_ns - incident->promoted_ns);
        printf(" promoted after %" PRIu64 ", named after %" PRIu64 " more,",
               (incident->promoted_ns - incident->start_ns) / MS_NS,
               (incident->named_ns - incident->promoted_ns) / MS_NS);
    }
    printf(" reserves (admits) [at the new one] again after");
    for (unsigned process = 0; incident->parts != 0 && process < WORLD_CLIENTS; process++)
        judge_process(log, incident, history, process, row, verdict);
    add(&row->gaps, gap);
    printf(", longest gap %" PRIu64 ", whole again after %" PRIu64 " ms\n", gap / MS_NS,
           (incident->settled_ns - incident->start_ns) / MS_NS);
}

static void print_recoveries(struct row *rows)
{
    printf(
        "\n| incident | times | promoted after | named after | reserves again | at the new one | "
        "cut-off side | admits again | longest gap |\n|---|---|---|---|---|---|---|---|---|\n");
    for (unsigned kind = 0; kind < INCIDENT_KINDS; kind++) {
        struct row *row = &rows[kind];
        if (row->times == 0)
            continue;
        printf("| %s | %u |", incident_name((enum incident_kind)kind), row->times);
        print_figures(&row->promoted);
        print_figures(&row->named);
        print_figures(&row->reserved);
        print_figures(&row->led);
        print_figures(&row->apart);
        print_figures(&row->admitted);
        print_figures(&row->gaps);
        printf("\n");
    }
}

/* ---- whether the reasons fit ---- */

#define BIT(reason) (UINT64_C(1) << (reason))

/* A token that is used for the first time, or not, or too late: no trouble of the store. */
static const uint64_t always =
    BIT(JTG_REASON_ADMITTED) | BIT(JTG_REASON_REPLAYED) | BIT(JTG_REASON_EXPIRED);
/* The server is gone, or does not answer, or cannot be told from one that is. */
static const uint64_t gone = BIT(JTG_REASON_STORE_UNAVAILABLE) | BIT(JTG_REASON_OUTCOME_UNKNOWN);

static uint64_t fitting(const struct campaign_log *log, unsigned row)
{
    uint64_t fit = always;
    if (log->continuity)
        fit |= BIT(JTG_REASON_CONTINUITY_LOST);
    if (log->topology->splits)
        return fit | gone; /* each server is a loss for whoever used the other */
    if (row == CALM)
        return fit;
    /* A flush takes nobody away; but thousands of slots of a Cluster are marked anew after it. */
    if (row != INCIDENT_FLUSH || log->topology->parts > 1)
        fit |= gone;
    if (log->replicas && row != INCIDENT_FLUSH)
        fit |= BIT(JTG_REASON_TOO_FEW_REPLICAS);
    return fit;
}

/* How long an incident is felt: a call that began in it may end later; and in a Cluster a client
 * looks for what else has moved no more than once a second. */
static uint64_t aftermath_ms(const struct campaign_log *log)
{
    return AFTERMATH_MS + (log->topology->parts > 1 ? MAP_MS : 0);
}

/* The incident that a call fell into, else NULL; and when the last loss before it can have been. */
static const struct incident *incident_of(const struct campaign_log *log,
                                          const struct history_record *r, uint64_t *loss_ns)
{
    *loss_ns = log->start_ns;
    for (unsigned i = 0; i < log->incident_count; i++) {
        const struct incident *incident = &log->incidents[i];
        if (r->return_ns < incident->start_ns)
            break;
        *loss_ns = incident->settled_ns;
        if (r->invoke_ns <= incident->settled_ns + aftermath_ms(log) * MS_NS)
            return incident;
    }
    return NULL;
}

static int64_t wall_minus_monotonic_ms(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    return (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 -
           (int64_t)(history_now_ns() / MS_NS);
}

/* A token that was issued after the loss and the margin must not be refused for it. */
static bool is_too_new(const struct campaign_log *log, const struct history_record *r,
                       uint64_t loss_ns, int64_t offset_ms)
{
    return load_issued_ms(r->key) >
           (int64_t)(loss_ns / MS_NS) + offset_ms + LOAD_MARGIN_MS + (int64_t)aftermath_ms(log);
}

/* This machine stood still, and the servers with it: a store that does not answer fits, and so does
 * what follows from it, pauses and connections that have to be made and marked anew. */
static bool stood_still(const struct history *history, const struct history_record *r)
{
    for (size_t i = 0; i < history->count; i++) {
        const struct history_record *stall = &history->records[i];
        if (stall->op == HISTORY_STALL &&
            stall->return_ns - stall->invoke_ns > STANDSTILL_MS * MS_NS &&
            stall->invoke_ns < r->return_ns &&
            stall->return_ns + STANDSTILL_FELT_MS * MS_NS > r->invoke_ns)
            return true;
    }
    return false;
}

struct fit {
    const struct campaign_log *log;
    const struct history *history;
    unsigned excused;
    int64_t offset_ms;
    uint64_t counts[ROWS][JTG_REASON_COUNT];
    struct verdict *verdict;
};

static void tell_misfit(struct fit *fit, const struct history_record *r, unsigned row)
{
    if (fit->verdict->misfits++ >= TELL_MAX)
        return;
    printf("DOES NOT FIT: process %u at %.3f ms was answered %s during %s\n", (unsigned)r->process,
           (double)r->invoke_ns / 1e6, jtg_reason_name((jtg_reason)r->status),
           row == CALM ? "calm" : incident_name((enum incident_kind)row));
}

static void judge_reason(struct fit *fit, const struct history_record *r)
{
    uint64_t loss_ns;
    const struct incident *incident = incident_of(fit->log, r, &loss_ns);
    unsigned row = incident == NULL ? CALM : (unsigned)incident->kind;
    fit->counts[row][r->status]++;
    bool fits = (fitting(fit->log, row) & BIT(r->status)) != 0;
    if (r->status == JTG_REASON_CONTINUITY_LOST && incident == NULL &&
        !fit->log->topology->splits && is_too_new(fit->log, r, loss_ns, fit->offset_ms))
        fits = false;
    if (!fits && (gone & BIT(r->status)) != 0 && stood_still(fit->history, r))
        fit->excused++;
    else if (!fits)
        tell_misfit(fit, r, row);
}

static void print_reasons(const struct fit *fit)
{
    printf("\n| answers during |");
    uint64_t sums[JTG_REASON_COUNT] = {0};
    for (unsigned row = 0; row < ROWS; row++)
        for (unsigned reason = 0; reason < JTG_REASON_COUNT; reason++)
            sums[reason] += fit->counts[row][reason];
    for (unsigned reason = 0; reason < JTG_REASON_COUNT; reason++)
        if (sums[reason] != 0)
            printf(" %s |", jtg_reason_name((jtg_reason)reason));
    printf("\n|---|");
    for (unsigned reason = 0; reason < JTG_REASON_COUNT; reason++)
        if (sums[reason] != 0)
            printf("---|");
    for (unsigned row = 0; row < ROWS; row++) {
        uint64_t sum = 0;
        for (unsigned reason = 0; reason < JTG_REASON_COUNT; reason++)
            sum += fit->counts[row][reason];
        if (sum == 0)
            continue;
        printf("\n| %s |", row == CALM ? "calm" : incident_name((enum incident_kind)row));
        for (unsigned reason = 0; reason < JTG_REASON_COUNT; reason++)
            if (sums[reason] != 0)
                printf(" %" PRIu64 " |", fit->counts[row][reason]);
    }
    printf("\n");
}

/* Before the campaign's start a client may find the store not yet marked, which is no incident. */
static void judge_reasons(const struct campaign_log *log, const struct history *history,
                          struct verdict *verdict)
{
    struct fit fit = {
        .log = log, .history = history, .offset_ms = wall_minus_monotonic_ms(), .verdict = verdict};
    for (size_t i = 0; i < history->count; i++) {
        const struct history_record *r = &history->records[i];
        if (r->op == HISTORY_ADMIT && r->invoke_ns >= log->start_ns && r->status < JTG_REASON_COUNT)
            judge_reason(&fit, r);
    }
    print_reasons(&fit);
    printf("refusals excused by a machine that stood still: %u\n", fit.excused);
}

static int by_return(const void *left, const void *right)
{
    const struct history_record *a = left;
    const struct history_record *b = right;
    return (a->return_ns > b->return_ns) - (a->return_ns < b->return_ns);
}

struct verdict report_print(const struct campaign_log *log, struct history *history)
{
    struct verdict verdict = {0};
    struct row *rows = calloc(INCIDENT_KINDS, sizeof *rows);
    if (rows == NULL)
        abort();
    qsort(history->records, history->count, sizeof *history->records, by_return);
    for (unsigned i = 0; i < log->incident_count; i++)
        judge_incident(log, i, history, rows, &verdict);
    print_recoveries(rows);
    free(rows);
    judge_reasons(log, history, &verdict);
    return verdict;
}

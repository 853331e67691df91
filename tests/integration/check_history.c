/* SPDX-License-Identifier: Apache-2.0 */
/* check_history [--slack-ms N] [--grace-ms N] [--may-forget] FILE...
 *
 * Reads the histories that processes recorded and decides whether the store kept the promise; see
 * history_rules.h for the rules. Uses nothing of the library. --may-forget: the store was made to
 * forget, or to go back to what it held before.
 *
 * Exit status: 0 no violation · 1 a violation · 2 no verdict (bad usage, a bad file). */
#include "integration/history_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS UINT64_C(1000000)

enum { SLACK_MS_DEFAULT = 5, GRACE_MS_DEFAULT = 50, TOLD_MAX = 5 };

static unsigned told;

static const char *const op_names[HISTORY_OPS] = {
    [HISTORY_RESERVE] = "reserve", [HISTORY_RELEASE] = "release", [HISTORY_STALL] = "stall",
    [HISTORY_ADMIT] = "admit",     [HISTORY_PROBE] = "probe",     [HISTORY_STARVED] = "starved",
};

static void print_call(const char *role, const struct history_record *call)
{
    printf("  %s process %" PRIu16 " thread %" PRIu16 " key %" PRIu64 " owner %" PRIx64
           " %s %s, %.3f to %.3f ms, ttl %" PRIu32 " ms, deadline %" PRIu32 " ms\n",
           role, call->process, call->thread, call->key, call->owner, op_names[call->op],
           history_answer_name((enum history_op)call->op, call->status),
           (double)call->invoke_ns / 1e6, (double)call->return_ns / 1e6, call->ttl_ms,
           call->deadline_ms);
}

static void print_violation(enum history_violation kind, const struct history_record *record,
                            const struct history_record *other)
{
    if (told++ >= TOLD_MAX)
        return;
    printf("VIOLATION: %s\n", history_violation_name(kind));
    print_call("first ", record);
    if (other != NULL)
        print_call("second", other);
}

static void print_answers(const struct history_report *report, enum history_op op)
{
    uint64_t sum = 0;
    for (unsigned status = 0; status < HISTORY_STATUSES; status++)
        sum += report->by_status[op][status];
    if (sum == 0)
        return;
    printf("%ss: %" PRIu64 "\n", op_names[op], sum);
    for (unsigned status = 0; status < HISTORY_STATUSES; status++)
        if (report->by_status[op][status] != 0)
            printf("  %s: %" PRIu64 "\n", history_answer_name(op, status),
                   report->by_status[op][status]);
}

static uint64_t print_report(const struct history_report *report)
{
    uint64_t sum = 0;
    printf("keys: %" PRIu64 "\n", report->keys);
    for (enum history_op op = HISTORY_RESERVE; op < HISTORY_OPS; op++)
        print_answers(report, op);
    printf("unknown outcomes: %" PRIu64 "\n", report->unknown);
    printf("longest call: %.1f ms, most past its deadline: %.1f ms\n",
           (double)report->longest_call_ns / 1e6, (double)report->most_overdue_ns / 1e6);
    printf("late calls excused by a process or thread that was not run: %" PRIu64
           " (stalls: %" PRIu64 ")\n",
           report->excused_late_calls, report->stalls);
    for (enum history_violation kind = 0; kind < HISTORY_VIOLATIONS; kind++) {
        printf("%s violations: %" PRIu64 "\n", history_violation_name(kind),
               report->violations[kind]);
        sum += report->violations[kind];
    }
    printf("violations: %" PRIu64 "\n", sum);
    return sum;
}

static int refuse(const char *problem)
{
    fprintf(stderr, "check_history: %s\n", problem);
    return 2;
}

static bool parse_ms(const char *text, uint64_t *ns)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value > 3600000)
        return false;
    *ns = value * MS_NS;
    return true;
}

/* Index of the first file; 0 = bad usage. */
static int parse_options(int argc, char **argv, struct history_limits *limits)
{
    int i = 1;
    while (i + 1 < argc && strncmp(argv[i], "--", 2) == 0) {
        if (strcmp(argv[i], "--may-forget") == 0) {
            limits->store_may_forget = true;
            i++;
            continue;
        }
        bool slack = strcmp(argv[i], "--slack-ms") == 0;
        if (!slack && strcmp(argv[i], "--grace-ms") != 0)
            return 0;
        if (!parse_ms(argv[i + 1], slack ? &limits->clock_slack_ns : &limits->grace_ns))
            return 0;
        i += 2;
    }
    return i < argc ? i : 0;
}

static int judge(struct history *history, const struct history_limits *limits)
{
    struct history_report report;
    if (history->count == 0)
        return refuse("no calls: nothing was tested");
    if (!history_check(history, limits, print_violation, &report))
        return refuse("a record makes no sense");
    return print_report(&report) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct history_limits limits = {SLACK_MS_DEFAULT * MS_NS, GRACE_MS_DEFAULT * MS_NS, false};
    struct history history = {NULL, 0};
    char problem[300];
    int first = parse_options(argc, argv, &limits);
    if (first == 0)
        return refuse("usage: check_history [--slack-ms N] [--grace-ms N] [--may-forget] FILE...");
    bool readable = true;
    for (int i = first; i < argc && readable; i++)
        readable = history_read(&history, argv[i], problem, sizeof problem);
    int verdict = readable ? judge(&history, &limits) : refuse(problem);
    history_clear(&history);
    return verdict;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a history must not hold, whatever the order in which the store saw overlapping calls.
 *
 *  double admit        two owners were admitted to one key, and there is no order of their calls in
 *                      which the first one's time had ended or a release of it could have worked
 *                      in between
 *  unexplained replay  refused as a replay although no other owner can have held the key: a token
 *                      burnt by its own first write, or by a call that said it had stored nothing
 *  unfounded release   a release was confirmed more often than its owner can have held the key; one
 *                      that was sent twice, because the first answer was lost, confirms only that
 *                      the key is free, whoever held it
 *  late call           returned more than the grace after its deadline, and the process was not
 *                      without the processor for that long
 *
 * A call whose outcome is unknown may have worked or not, at once or at any time later: what it
 * could explain is no violation. So may a copy of a call that was sent twice, whatever the call was
 * answered in the end: one of a reserve can make the key its owner's (again) after the time or a
 * release had ended what stood there before, also when the answer was that another held it; one of
 * a release can end what the same owner reserved later. It never is an admit. A call of any other
 * refusal has, by its own word, changed nothing, copies or not. So each rule finds only what cannot
 * be explained, and no order of the network's making is called a violation.
 *
 * A store that may forget can also go back to what it held before, and so hold again what was
 * released. A key that was once reserved then explains a replay, and its owner's release, whenever
 * they come. What it forgot excuses nothing: two admits are two admits. */
#ifndef TESTS_INTEGRATION_HISTORY_RULES_H
#define TESTS_INTEGRATION_HISTORY_RULES_H

#include "support/history.h"

enum { HISTORY_STATUSES = 40 };

enum history_violation {
    HISTORY_DOUBLE_ADMIT,
    HISTORY_UNEXPLAINED_REPLAY,
    HISTORY_UNFOUNDED_RELEASE,
    HISTORY_LATE_CALL,
    HISTORY_VIOLATIONS
};

struct history_limits {
    uint64_t clock_slack_ns; /* how far the store's clock may be rounded against ours */
    uint64_t grace_ns;       /* how far past its deadline a call may return */
    bool store_may_forget;
};

struct history_report {
    uint64_t keys;
    uint64_t by_status[HISTORY_OPS][HISTORY_STATUSES]; /* [op][status] */
    uint64_t unknown;
    uint64_t excused_late_calls; /* while the process did not run */
    uint64_t stalls;
    uint64_t longest_call_ns;
    uint64_t most_overdue_ns; /* past its deadline, excused or not */
    uint64_t violations[HISTORY_VIOLATIONS];
};

/* Told of each violation; other is NULL where one record alone is at fault. */
typedef void (*history_tell)(enum history_violation kind, const struct history_record *record,
                             const struct history_record *other);

const char *history_violation_name(enum history_violation kind);
/* What an op was answered. "?" for a number that is no answer. */
const char *history_answer_name(enum history_op op, unsigned status);

/* Sorts the history. False if a record makes no sense (unknown op or status, ends before it
 * begins): then nothing can be said. */
bool history_check(struct history *history, const struct history_limits *limits, history_tell tell,
                   struct history_report *report);

#endif

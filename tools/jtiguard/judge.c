/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include "verdict.h"

#include <stdlib.h>

_Static_assert((int)BATCH_LINES <= (int)JTG_MANY_MAX, "a batch is asked for in one call");

/* A line, and what came of it. */
struct hearing {
    int reason; /* JTG_REASON_UNDECIDED: the guard is asked */
    struct claims_json read;
    jtg_decision decision;
    const jtg_admit_call *call; /* NULL: it is not */
};

struct court {
    struct hearing hearings[BATCH_LINES];
    size_t count;
    jtg_admit_call calls[BATCH_LINES];
    size_t calls_made;
};

static void read_line(const struct judge *judge, const struct batch *batch, const struct line *line,
                      struct hearing *hearing)
{
    const struct claims_json nothing = {.claims = JTG_CLAIMS_INIT};
    hearing->read = nothing;
    hearing->reason = line->too_long
                          ? (int)TOOL_LINE_TOO_LONG
                          : claims_json_read(&hearing->read, batch->text.data + line->offset,
                                             line->len, &judge->rules);
    hearing->call = NULL;
}

static void call_guard(struct court *court, struct hearing *hearing)
{
    static const jtg_decision undecided = JTG_DECISION_INIT;
    jtg_admit_call *call = &court->calls[court->calls_made++];
    hearing->decision = undecided;
    *call = (jtg_admit_call){&hearing->read.claims, &hearing->decision, NULL, false};
    hearing->call = call;
}

/* With --strict, up to the first malformed line: of those behind it the guard is not asked. */
static void read_lines(const struct judge *judge, struct batch *batch, struct court *court)
{
    court->count = 0;
    court->calls_made = 0;
    while (court->count < batch->line_count && !batch->stopped) {
        struct hearing *hearing = &court->hearings[court->count];
        read_line(judge, batch, &batch->lines[court->count++], hearing);
        if (hearing->reason == JTG_REASON_UNDECIDED)
            call_guard(court, hearing);
        batch->stopped = judge->strict && reason_is_malformed(hearing->reason);
    }
}

static int reason_of(const struct hearing *hearing)
{
    if (hearing->call == NULL)
        return hearing->reason;
    if (hearing->call->admitted)
        return JTG_REASON_ADMITTED;
    /* What the guard did not admit is never shown as admitted. */
    return hearing->decision.reason != JTG_REASON_ADMITTED ? (int)hearing->decision.reason
                                                           : JTG_REASON_INTERNAL;
}

static void write_verdicts(const struct judge *judge, struct batch *batch, struct court *court)
{
    for (size_t i = 0; i < court->count; i++) {
        int reason = reason_of(&court->hearings[i]);
        tally_add(&batch->tally, reason);
        if (!judge->quiet &&
            !verdict_write(&batch->output, judge->json, batch->lines[i].number, reason))
            batch->out_of_memory = true;
        claims_json_clear(&court->hearings[i].read);
    }
}

void judge_batch(const struct judge *judge, struct batch *batch)
{
    struct court *court = malloc(sizeof *court);
    if (court == NULL) {
        batch->out_of_memory = true;
        return;
    }
    read_lines(judge, batch, court);
    jtg_guard_admit_many(judge->guard, court->calls, court->calls_made);
    write_verdicts(judge, batch, court);
    free(court);
}

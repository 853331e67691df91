/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"

#include "verdict.h"

static int ask(jtg_guard *guard, const jtg_claims *claims)
{
    jtg_decision decision = JTG_DECISION_INIT;
    if (jtg_guard_admit(guard, claims, &decision, NULL))
        return JTG_REASON_ADMITTED;
    /* What the guard did not admit is never shown as admitted. */
    return decision.reason != JTG_REASON_ADMITTED ? (int)decision.reason : JTG_REASON_INTERNAL;
}

int judge_line(const struct judge *judge, const char *text, size_t text_len)
{
    struct claims_json read;
    int reason = claims_json_read(&read, text, text_len, &judge->rules);
    if (reason == JTG_REASON_UNDECIDED)
        reason = ask(judge->guard, &read.claims);
    claims_json_clear(&read);
    return reason;
}

void judge_batch(const struct judge *judge, struct batch *batch)
{
    for (size_t i = 0; i < batch->line_count && !batch->stopped; i++) {
        const struct line *line = &batch->lines[i];
        int reason = line->too_long ? (int)TOOL_LINE_TOO_LONG
                                    : judge_line(judge, batch->text.data + line->offset, line->len);
        tally_add(&batch->tally, reason);
        if (!judge->quiet && !verdict_write(&batch->output, judge->json, line->number, reason))
            batch->out_of_memory = true;
        batch->stopped = judge->strict && reason_is_malformed(reason);
    }
}

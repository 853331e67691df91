/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnosis.h"

#include "moment.h"

#include <inttypes.h>

enum { PERCENT = 100, NEARLY_FULL_PERCENT = 90 };

static void judge_answer(struct findings *findings, const struct host_facts *facts)
{
    if (facts->answer == JTG_OK)
        findings_add(findings, "reserve", LEVEL_OK, "tokens can be admitted", "",
                     "a probe was reserved and given back");
    else
        findings_add(
            findings, "reserve", LEVEL_FAILURE, "every token is refused",
            "make it: 'jtiguard host create', at boot by packaging/systemd; or see who may "
            "use it (docs/host-store.md)",
            "%s", facts->answer_text);
}

static void judge_since(struct findings *findings, const struct host_facts *facts)
{
    char text[MOMENT_TEXT_BYTES];
    int64_t wait_ms = ((int64_t)facts->future_leeway_s + facts->margin_s) * 1000;
    bool is_young = facts->stats.kept_since_ms + wait_ms > facts->now_s * 1000;
    moment_to_text(facts->stats.kept_since_ms, text);
    if (facts->stats.kept_since_ms <= 0)
        findings_add(findings, "continuity", LEVEL_OK, "somebody has vouched for it", "",
                     "has kept everything");
    else
        findings_add(findings, "continuity", is_young ? LEVEL_WARNING : LEVEL_OK,
                     "tokens that can have been used before are refused (continuity_lost)",
                     is_young ? "wait, or 'jtiguard vouch' if none was used before" : "",
                     "has kept everything since %s", text);
}

static void judge_room(struct findings *findings, const jtg_host_stats *stats)
{
    uint64_t percent = stats->entries * PERCENT / stats->max_entries;
    findings_add(findings, "memory", percent >= NEARLY_FULL_PERCENT ? LEVEL_WARNING : LEVEL_OK,
                 "beyond it new tokens are refused (store_full); nothing live is forgotten",
                 percent >= NEARLY_FULL_PERCENT ? "remove it and make a larger one" : "",
                 "%" PRIu64 " of at most %" PRIu64 " tokens, %" PRIu64 " MiB", stats->entries,
                 stats->max_entries, stats->bytes >> 20);
}

static void judge_repairs(struct findings *findings, const jtg_host_stats *stats)
{
    if (stats->emptied > 0)
        findings_add(findings, "repairs", LEVEL_FAILURE,
                     "a process wrote where it must not: what a part held is forgotten",
                     "find that process: it is one of those that may open the file",
                     "%" PRIu64 " parts were emptied", stats->emptied);
    else
        findings_add(findings, "repairs", LEVEL_OK,
                     "what processes that died inside had left is whole again", "", "%" PRIu64,
                     stats->repairs);
}

void diagnose_host(struct findings *findings, const struct host_facts *facts)
{
    judge_answer(findings, facts);
    if (facts->stats.max_entries == 0)
        return;
    findings_add(findings, "scope", LEVEL_NOTE, "another host admits the same token once more",
                 "use one Redis for all hosts that accept the same tokens", "this host, %s",
                 facts->stats.path);
    findings_add(findings, "persistence", LEVEL_NOTE,
                 "it outlives processes, and ends with the boot: then tokens of before are refused",
                 "", "until the next boot");
    judge_since(findings, facts);
    judge_room(findings, &facts->stats);
    judge_repairs(findings, &facts->stats);
    findings_add(findings, "processes", LEVEL_NOTE, "each of them can fill, break or end the store",
                 "", "%" PRIu64, facts->stats.processes);
}

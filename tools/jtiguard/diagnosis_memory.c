/* SPDX-License-Identifier: Apache-2.0 */
#include "diagnosis.h"
#include "store.h"

#include <inttypes.h>

static void judge_probe(struct findings *findings, jtg_status probe)
{
    if (probe == JTG_OK)
        findings_add(findings, "reserve", LEVEL_OK, "tokens can be admitted", "",
                     "a probe was reserved and given back");
    else
        findings_add(findings, "reserve", LEVEL_FAILURE, "every token is refused",
                     "see that the machine has memory", "%s", jtg_status_text(probe));
}

void diagnose_memory(struct findings *findings, const struct settings *settings, jtg_status probe)
{
    judge_probe(findings, probe);
    findings_add(findings, "scope", LEVEL_NOTE,
                 "another process, also another call of this tool, admits the same token once more",
                 "use one Redis for all processes and hosts that accept the same tokens",
                 "one process");
    findings_add(findings, "persistence", LEVEL_NOTE,
                 "all is forgotten with the process: a token can be used again after a restart",
                 "set --restart-rule (restart_rule of the guard), or use a Redis that persists",
                 "none");
    findings_add(findings, "memory", LEVEL_NOTE,
                 "beyond it new tokens are refused (store_full); nothing live is forgotten",
                 "set --max-entries to the tokens that are alive at once at most",
                 "at most %" PRIu64 " tokens", store_memory_entries(settings));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "findings.h"

#include <stdarg.h>
#include <stdio.h>

void findings_add(struct findings *findings, const char *check, enum finding_level level,
                  const char *meaning, const char *advice, const char *format, ...)
{
    if (findings->count == FINDINGS_MAX)
        return;
    struct finding *finding = &findings->list[findings->count++];
    *finding = (struct finding){check, level, "", meaning, advice};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(finding->value, sizeof finding->value, format, arguments);
    va_end(arguments);
}

enum finding_level findings_worst(const struct findings *findings)
{
    enum finding_level worst = LEVEL_OK;
    for (size_t i = 0; i < findings->count; i++)
        if (findings->list[i].level > worst)
            worst = findings->list[i].level;
    return worst;
}

const char *finding_level_name(enum finding_level level)
{
    static const char *const names[] = {"ok", "note", "warning", "failure"};
    return names[level];
}

const char *findings_verdict(const struct findings *findings)
{
    enum finding_level worst = findings_worst(findings);
    return finding_level_name(worst == LEVEL_NOTE ? LEVEL_OK : worst);
}

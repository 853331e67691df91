/* SPDX-License-Identifier: Apache-2.0 */
#include <jtiguard/breakglass.h>

#define ROW_NAME(symbol, value, name, text) [value] = (name),
#define ROW_TEXT(symbol, value, name, text) [value] = (text),
static const char *const names[JTG_BREAKGLASS_OUTCOME_COUNT] = {
    JTG_BREAKGLASS_OUTCOME_MAP(ROW_NAME)};
static const char *const texts[JTG_BREAKGLASS_OUTCOME_COUNT] = {
    JTG_BREAKGLASS_OUTCOME_MAP(ROW_TEXT)};
static const char *const events[JTG_BREAKGLASS_EVENT_COUNT] = {
    [JTG_BREAKGLASS_ISSUE] = "issue",
    [JTG_BREAKGLASS_LOOKUP] = "lookup",
    [JTG_BREAKGLASS_DELETE] = "delete",
    [JTG_BREAKGLASS_CLEAR] = "clear",
};

const char *jtg_breakglass_event_name(jtg_breakglass_event event)
{
    return (unsigned)event < JTG_BREAKGLASS_EVENT_COUNT ? events[event] : "unknown";
}

const char *jtg_breakglass_outcome_name(jtg_breakglass_outcome outcome)
{
    return (unsigned)outcome < JTG_BREAKGLASS_OUTCOME_COUNT ? names[outcome] : "unknown";
}

const char *jtg_breakglass_outcome_text(jtg_breakglass_outcome outcome)
{
    return (unsigned)outcome < JTG_BREAKGLASS_OUTCOME_COUNT ? texts[outcome] : "unknown";
}

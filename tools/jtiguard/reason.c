/* SPDX-License-Identifier: Apache-2.0 */
#include "reason.h"

struct row {
    bool malformed;
    const char *name;
    const char *text;
};

enum { CLASS_POLICY = false, CLASS_MALFORMED = true };

#define ROW(symbol, class, name, text) {CLASS_##class, (name), (text)},
static const struct row rows[] = {TOOL_REASON_MAP(ROW)};

static const struct row *find_row(int reason)
{
    return reason >= TOOL_REASON_FIRST && reason < TOOL_REASON_END
               ? &rows[reason - TOOL_REASON_FIRST]
               : NULL;
}

const char *reason_name(int reason)
{
    const struct row *row = find_row(reason);
    return row != NULL ? row->name : jtg_reason_name((jtg_reason)reason);
}

const char *reason_text(int reason)
{
    const struct row *row = find_row(reason);
    return row != NULL ? row->text : jtg_reason_text((jtg_reason)reason);
}

jtg_verdict reason_verdict(int reason)
{
    return find_row(reason) != NULL ? JTG_VERDICT_REFUSED : jtg_reason_verdict((jtg_reason)reason);
}

bool reason_is_malformed(int reason)
{
    const struct row *row = find_row(reason);
    return row != NULL && row->malformed;
}

/* Whether the refusal says nothing about the token: the guard or its store could not answer. */
static bool is_trouble(int reason)
{
    switch (reason) {
    case JTG_REASON_UNDECIDED:
    case JTG_REASON_BAD_ARGUMENT:
    case JTG_REASON_CLOCK_SET_BACK:
    case JTG_REASON_STORE_FULL:
    case JTG_REASON_ISSUER_SHARE_FULL:
    case JTG_REASON_STORE_UNAVAILABLE:
    case JTG_REASON_OUTCOME_UNKNOWN:
    case JTG_REASON_STORE_UNSAFE:
    case JTG_REASON_CONTINUITY_LOST:
    case JTG_REASON_STORE_REFUSED:
    case JTG_REASON_STORE_PROTOCOL:
    case JTG_REASON_STORE_UNSUPPORTED:
    case JTG_REASON_STORE_BLOCKED:
    case JTG_REASON_TOO_FEW_REPLICAS:
    case JTG_REASON_OUT_OF_MEMORY:
    case JTG_REASON_FORKED:
    case JTG_REASON_INTERNAL:
        return true;
    default:
        return false;
    }
}

enum exit_code reason_exit_code(int reason)
{
    if (reason == JTG_REASON_ADMITTED)
        return EXIT_ADMITTED;
    if (reason_verdict(reason) == JTG_VERDICT_REPLAYED)
        return EXIT_REPLAYED;
    return is_trouble(reason_at(reason_index(reason))) ? EXIT_TROUBLE : EXIT_INVALID;
}

size_t reason_index(int reason)
{
    if (find_row(reason) != NULL)
        return (size_t)JTG_REASON_COUNT + (size_t)(reason - TOOL_REASON_FIRST);
    if (reason < 0 || reason >= (int)JTG_REASON_COUNT)
        return JTG_REASON_INTERNAL;
    return (size_t)reason;
}

int reason_at(size_t index)
{
    if (index < (size_t)JTG_REASON_COUNT)
        return (int)index;
    return TOOL_REASON_FIRST + (int)(index - (size_t)JTG_REASON_COUNT);
}

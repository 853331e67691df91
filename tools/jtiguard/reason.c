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

static bool is_trouble(int reason)
{
    return find_row(reason) == NULL && jtg_reason_is_trouble((jtg_reason)reason);
}

enum exit_code reason_exit_code(int reason)
{
    if (reason == JTG_REASON_ADMITTED)
        return EXIT_ADMITTED;
    if (reason_verdict(reason) == JTG_VERDICT_REPLAYED)
        return EXIT_REPLAYED;
    return is_trouble(reason) ? EXIT_TROUBLE : EXIT_INVALID;
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

/* SPDX-License-Identifier: Apache-2.0 */
#include <jtiguard/ticket_keys.h>

#define ROW_NAME(symbol, value, name, text) [value] = (name),
#define ROW_TEXT(symbol, value, name, text) [value] = (text),
static const char *const names[JTG_TICKET_REASON_COUNT] = {JTG_TICKET_REASON_MAP(ROW_NAME)};
static const char *const texts[JTG_TICKET_REASON_COUNT] = {JTG_TICKET_REASON_MAP(ROW_TEXT)};

static jtg_ticket_reason known(jtg_ticket_reason reason)
{
    return (unsigned)reason < (unsigned)JTG_TICKET_REASON_COUNT ? reason : JTG_TICKET_INTERNAL;
}

const char *jtg_ticket_reason_name(jtg_ticket_reason reason)
{
    return names[known(reason)];
}

const char *jtg_ticket_reason_text(jtg_ticket_reason reason)
{
    return texts[known(reason)];
}

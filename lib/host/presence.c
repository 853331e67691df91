/* SPDX-License-Identifier: Apache-2.0 */
#include "host/presence.h"

static size_t line_of_this_thread(void)
{
    static atomic_size_t next_line;
    static _Thread_local size_t own_line; /* one more than the line; 0 = not yet drawn */
    if (own_line == 0)
        own_line =
            atomic_fetch_add_explicit(&next_line, 1, memory_order_relaxed) % JTGI_PRESENCE_LINES +
            1;
    return own_line - 1;
}

void jtgi_presence_enter(struct jtgi_presence *presence)
{
    atomic_fetch_add(&presence->lines[line_of_this_thread()].threads, 1);
}

void jtgi_presence_leave(struct jtgi_presence *presence)
{
    atomic_fetch_sub_explicit(&presence->lines[line_of_this_thread()].threads, 1,
                              memory_order_release);
}

bool jtgi_presence_is_none(const struct jtgi_presence *presence)
{
    for (size_t line = 0; line < JTGI_PRESENCE_LINES; line++)
        if (atomic_load(&presence->lines[line].threads) != 0)
            return false;
    return true;
}

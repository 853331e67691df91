/* SPDX-License-Identifier: Apache-2.0 */
/* How many threads of this process are in a mapping now, so that it is given back when none is.
 * Each thread counts on one of a few lines, so that two do not take a line from each other. */
#ifndef JTGI_HOST_PRESENCE_H
#define JTGI_HOST_PRESENCE_H

#include "core/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { JTGI_PRESENCE_LINES = 16 };

struct jtgi_presence {
    struct {
        _Alignas(JTGI_PLACE_BYTES) atomic_size_t threads;
    } lines[JTGI_PRESENCE_LINES];
};

/* Who enters looks afterwards whether the mapping still is the one to be in; whoever has put
 * another in its place looks afterwards whether anybody is in it. One of the two sees the other. */
void jtgi_presence_enter(struct jtgi_presence *presence);
void jtgi_presence_leave(struct jtgi_presence *presence);
bool jtgi_presence_is_none(const struct jtgi_presence *presence);

#endif

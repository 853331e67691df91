/* SPDX-License-Identifier: Apache-2.0 */
/* How often one owner was admitted with one token, lately and here. A proxy asks a few times for
 * one request; an id that a client came to choose would be used for as long as its window is open
 * (owner_window.h), and this bounds how often. It can only refuse, and may forget. The table has
 * nothing else in it. */
#ifndef SERVE_OWNER_TALLY_H
#define SERVE_OWNER_TALLY_H

#include "serve/answer/slots.h"

#include <jtiguard/guard.h>

enum {
    /* At once. More than any documented proxy asks: an internal redirect for each, and instances
     * that died. Within a whole window at most twice as many. */
    OWNER_TIMES = 16,
    OWNER_TALLIES = 65536
};

/* Whose, and under which key the guard remembers what was shown. Not its text: a signature has
 * several spellings that are all good (an ECDSA one two), and a client signs its proof as often as
 * it likes; each would be counted anew. */
struct owned_token {
    jtg_text id;
    jtg_text key;
};

/* One more admission. false: there were too many within window_ms. now_ms is monotonic. */
bool owner_tally_take(struct slots *tally, const struct owned_token *owned, int64_t now_ms,
                      int64_t window_ms);

#endif

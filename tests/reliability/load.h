/* SPDX-License-Identifier: Apache-2.0 */
/* One client process of a campaign: threads that ask a guard to admit tokens that the other
 * processes show too, and threads that probe the store; every call and its answer is recorded.
 *
 * A token is good for TOKEN_LIFE_MS, and the guard's leeways are as small as they can be, so that
 * what is refused after a loss can be judged to the second. */
#ifndef TESTS_RELIABILITY_LOAD_H
#define TESTS_RELIABILITY_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { TOKEN_LIFE_MS = 6000, LOAD_MARGIN_MS = 1000, LOAD_DEADLINE_MS = 400 };

/* What others may see while it runs: when that was asked for which was admitted, or answered as a
 * probe, last; history_now_ns(). */
struct load_board {
    _Atomic uint64_t admitted_ns;
    _Atomic uint64_t answered_ns;
};

struct load {
    const char *uri;
    const char *history_path;
    const char *log_path; /* what the library says */
    uint64_t seed;
    uint16_t process;
    unsigned host;
    unsigned parts; /* probes, one thread each */
    /* Delete the key of a token that was shown again, as a careless release would. Knows only the
     * topology "single". */
    bool break_release;
    bool own_tokens; /* shows tokens that no other of the processes shows */
    struct load_board *board;
    int ready; /* told one byte when a token has been admitted */
    int over;  /* ends the run when its other end is closed */
};

/* For a process of its own, just forked. Returns its exit status. */
int load_run(const struct load *load);

/* The first token that is issued at or just before a time, and when the token of a history's key
 * was issued; wall clock. */
uint64_t load_first_token(int64_t issued_ms);
int64_t load_issued_ms(uint64_t key);
/* The part that it lies in, of so many; -1: in any slot. */
int load_part(uint64_t key, unsigned parts);

#endif

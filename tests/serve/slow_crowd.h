/* SPDX-License-Identifier: Apache-2.0 */
/* Many connections that each send a byte now and then and never finish a request, in one thread.
 * One that is closed connects anew, so that their number stays. */
#ifndef TESTS_SERVE_SLOW_CROWD_H
#define TESTS_SERVE_SLOW_CROWD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SLOW_CROWD_MAX = 2000 };

struct slow_crowd {
    uint16_t port;
    unsigned size;
    atomic_bool *stop;
    /* What came of it. */
    atomic_uint standing; /* open connections */
    atomic_uint closed;   /* by the server */
    atomic_uint answered; /* that got any byte, which none of them has earned */
    int fds[SLOW_CROWD_MAX];
};

/* Work of a thread, of a slow_crowd; until *stop. */
void slow_crowd_run(void *context, unsigned index);

#endif

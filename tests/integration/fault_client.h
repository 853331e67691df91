/* SPDX-License-Identifier: Apache-2.0 */
/* One client process of fault_run: threads that reserve and release overlapping keys, and record
 * every call and its answer. */
#ifndef TESTS_INTEGRATION_FAULT_CLIENT_H
#define TESTS_INTEGRATION_FAULT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

struct fault_client {
    const char *uri;
    const char *history_path;
    uint64_t seed;
    uint64_t end_ns; /* CLOCK_MONOTONIC */
    uint16_t process;
    uint32_t threads;
    uint32_t deadline_ms; /* as the URI says */
    bool many;            /* every other thread reserves many at once */
};

/* For a process of its own, just forked. Returns its exit status. */
int fault_client_run(const struct fault_client *client);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Starts the fault proxy and tells it what to do. For use in a test's own thread: failures assert.
 */
#ifndef TESTS_INTEGRATION_PROXY_CONTROL_H
#define TESTS_INTEGRATION_PROXY_CONTROL_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct proxy_control {
    pid_t pid;
    uint16_t port; /* where it listens, on 127.0.0.1 */
    FILE *orders;
    FILE *answers;
};

void proxy_start(struct proxy_control *proxy, const char *host, uint16_t port);

/* One line of fault_rules.h; in force when it returns. */
void proxy_order(struct proxy_control *proxy, const char *line);

/* Ask how often each fault was set, as one line. */
void proxy_stats(struct proxy_control *proxy, char *line, size_t line_len);

void proxy_stop(struct proxy_control *proxy);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A port of 127.0.0.1 behind which two servers stand: each connection leads to the next one in
 * turn, as a balancer without a thought for state does it. Failures assert. */
#ifndef TESTS_SUPPORT_BALANCER_H
#define TESTS_SUPPORT_BALANCER_H

#include <stdint.h>
#include <sys/types.h>

struct balancer {
    uint16_t port;
    pid_t pid;
};

/* It ends with the test, even one that crashes. */
void balancer_start(struct balancer *balancer, uint16_t first, uint16_t second);
void balancer_stop(struct balancer *balancer);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A call in a child, an instruction at a time, so that a test sees what a kill after each one would
 * leave in memory that they share. */
#ifndef TESTS_SUPPORT_STEPS_H
#define TESTS_SUPPORT_STEPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { STEPS_SKIPPED = 77 /* exit status of a test that cannot trace */ };

typedef void (*steps_call)(uint64_t number);

/* False where nobody may trace a child. */
bool steps_may_trace(void);

/* A child that stands before the call. */
pid_t steps_start(steps_call call, uint64_t number);

/* One instruction. False when the child is over. */
bool steps_go(pid_t child);

/* Kill it where it stands. */
void steps_end(pid_t child);

#endif

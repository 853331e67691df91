/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that wakes every few milliseconds and records when it was late: then this machine, and
 * not the library, kept the process from running. On a busy machine one thread can wait for a
 * processor while the others run, so each thread that makes calls is witnessed, too. */
#ifndef TESTS_INTEGRATION_WITNESS_H
#define TESTS_INTEGRATION_WITNESS_H

#include "support/history.h"

#include <pthread.h>
#include <stdatomic.h>

struct witness {
    const struct history_file *file;
    uint16_t process;
    pthread_t id;
    atomic_bool over;
    atomic_bool failed;
};

/* file borrowed until witness_stop(). False: no thread. */
bool witness_start(struct witness *witness, const struct history_file *file, uint16_t process);
/* False if a record could not be written. */
bool witness_stop(struct witness *witness);

/* What the kernel counts of the thread that makes calls: how long it was ready to run and was given
 * no processor. Without such counts (a kernel built without them) nothing is excused. */
struct witness_caller {
    int counts;
    uint64_t before_ns;
};

/* Of the calling thread, which alone may use it. */
void witness_caller_start(struct witness_caller *caller);
void witness_caller_stop(struct witness_caller *caller);
/* At once before the call. */
void witness_call_begins(struct witness_caller *caller);
/* After the call, with its record filled in. False if a record could not be written. */
bool witness_call_ended(const struct witness_caller *caller, const struct history_file *file,
                        const struct history_record *call);

#endif

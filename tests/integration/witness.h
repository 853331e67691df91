/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that wakes every few milliseconds and records when it was late: then this machine, and
 * not the library, kept the process from running. */
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

#endif

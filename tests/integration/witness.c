/* SPDX-License-Identifier: Apache-2.0 */
#include "integration/witness.h"

#include "integration/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAUSE_MS = 5 };
#define MS_NS UINT64_C(1000000)

static void *watch(void *context)
{
    struct witness *witness = context;
    while (!atomic_load(&witness->over)) {
        struct history_record stall = {.op = HISTORY_STALL, .process = witness->process};
        uint64_t due_ns = history_now_ns() + PAUSE_MS * MS_NS;
        store_sleep_ms(PAUSE_MS);
        stall.invoke_ns = due_ns;
        stall.return_ns = history_now_ns();
        if (stall.return_ns > due_ns + PAUSE_MS * MS_NS && !history_append(witness->file, &stall))
            atomic_store(&witness->failed, true);
    }
    return NULL;
}

bool witness_start(struct witness *witness, const struct history_file *file, uint16_t process)
{
    witness->file = file;
    witness->process = process;
    atomic_init(&witness->over, false);
    atomic_init(&witness->failed, false);
    return pthread_create(&witness->id, NULL, watch, witness) == 0;
}

bool witness_stop(struct witness *witness)
{
    atomic_store(&witness->over, true);
    (void)pthread_join(witness->id, NULL);
    return !atomic_load(&witness->failed);
}

void witness_caller_start(struct witness_caller *caller)
{
    caller->counts = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
}

void witness_caller_stop(struct witness_caller *caller)
{
    if (caller->counts >= 0)
        close(caller->counts);
}

/* The second number of the file: nanoseconds in the queue of a processor. */
static uint64_t starved_ns(const struct witness_caller *caller)
{
    char text[100];
    char *rest;
    ssize_t len = pread(caller->counts, text, sizeof text - 1, 0);
    if (len <= 0)
        return 0;
    text[len] = '\0';
    (void)strtoull(text, &rest, 10);
    return strtoull(rest, NULL, 10);
}

void witness_call_begins(struct witness_caller *caller)
{
    caller->before_ns = starved_ns(caller);
}

bool witness_call_ended(const struct witness_caller *caller, const struct history_file *file,
                        const struct history_record *call)
{
    uint64_t starved = starved_ns(caller) - caller->before_ns;
    struct history_record note = {.op = HISTORY_STARVED,
                                  .process = call->process,
                                  .thread = call->thread,
                                  .invoke_ns = call->invoke_ns,
                                  .return_ns = call->invoke_ns + starved};
    return starved <= PAUSE_MS * MS_NS || history_append(file, &note);
}

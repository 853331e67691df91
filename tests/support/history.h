/* SPDX-License-Identifier: Apache-2.0 */
/* What a process asked of a store and what it was told, one record a call, in a file of its own.
 *
 * The layout is the only thing that writer and checker share: neither this nor check_history
 * includes a header of the library, so that a mistake there cannot hide itself here. Records are
 * appended with one write(2) each, so that threads need no lock and a process that is killed loses
 * no call that has returned. Files are for the machine that wrote them (byte order, clock). */
#ifndef TESTS_SUPPORT_HISTORY_H
#define TESTS_SUPPORT_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum history_op {
    HISTORY_RESERVE = 1,
    HISTORY_RELEASE = 2,
    /* The process did not run from invoke_ns to return_ns: no call, but an excuse for late ones. */
    HISTORY_STALL = 3,
    /* A guard was asked to admit the token `key`; ttl_ms is how long the token is still good. */
    HISTORY_ADMIT = 4,
    /* A reserve of a key that nobody else asks for, to see whether the store works; `key` says
     * which part of it, `flags` how often the cache had been led to another primary. */
    HISTORY_PROBE = 5,
    /* In the call of this thread that began at invoke_ns the thread was ready to run and was given
     * no processor, for return_ns - invoke_ns in all: an excuse for that one call. */
    HISTORY_STARVED = 6,
    HISTORY_OPS = 7
};

/* The call may have been sent more than once, e.g. again on a new connection: a copy that was given
 * up can still arrive after the answer to the other. */
enum { HISTORY_COPIES = 1 };

/* Times are CLOCK_MONOTONIC, which all processes of a machine share. */
struct history_record {
    uint64_t invoke_ns;
    uint64_t return_ns; /* 0 = the call never returned */
    uint64_t key;
    uint64_t owner; /* unique in the run, never 0 */
    uint32_t ttl_ms;
    uint32_t deadline_ms;
    uint16_t process;
    uint16_t flags; /* HISTORY_COPIES; see HISTORY_PROBE */
    uint16_t thread;
    uint8_t op;     /* enum history_op */
    uint8_t status; /* as the library numbers its answers; of HISTORY_ADMIT, its reasons */
};

/* A call, and no note on the machine. */
static inline bool history_is_call(const struct history_record *record)
{
    return record->op != HISTORY_STALL && record->op != HISTORY_STARVED;
}

struct history_file {
    int descriptor;
};

/* Make the file anew. False with errno. */
bool history_create(struct history_file *file, const char *path);
bool history_append(const struct history_file *file, const struct history_record *record);
void history_close(struct history_file *file);

uint64_t history_now_ns(void);

/* All records of some files. */
struct history {
    struct history_record *records;
    size_t count;
};

/* Add a file's records. False with one line in problem. */
bool history_read(struct history *history, const char *path, char *problem, size_t problem_len);
void history_clear(struct history *history);

#endif

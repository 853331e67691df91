/* SPDX-License-Identifier: Apache-2.0 */
/* What every object of the library has, and how it is born: a source of randomness that works, a
 * clock, a logger, the mark of the process that it belongs to, counters. */
#ifndef JTGI_CORE_OBJECT_H
#define JTGI_CORE_OBJECT_H

#include "core/clock.h"
#include "core/counters.h"

#include <jtiguard/log.h>
#include <jtiguard/status.h>
#include <stdbool.h>

/* What is all zero was not born, and may be ended. */
struct jtgi_object {
    jtg_clock clock;
    jtg_logger logger;
    uint64_t fork_generation;
    struct jtgi_counters *counters; /* NULL where it counts nothing */
};

/* clock and logger are the caller's: NULL is the system's, and one that writes nothing. counters:
 * how many. On failure there is nothing to end.
 * Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY · JTG_ERR_SYSTEM (no source of randomness) */
jtg_status jtgi_object_begin(struct jtgi_object *object, const jtg_clock *clock,
                             const jtg_logger *logger, size_t counters, jtg_error *err);
void jtgi_object_end(struct jtgi_object *object);

bool jtgi_object_is_forked(const struct jtgi_object *object);

/* what: its name in the error, "the guard was".
 * Returns: JTG_OK · JTG_ERR_FORKED */
jtg_status jtgi_object_check(const struct jtgi_object *object, const char *what, jtg_error *err);

#endif

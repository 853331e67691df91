/* SPDX-License-Identifier: Apache-2.0 */
/* What the histories of a campaign say about each incident: how soon the store worked again for
 * each process, and whether every refusal had a reason that fits what went on. Whether a token was
 * admitted twice is check_history's to say. */
#ifndef TESTS_RELIABILITY_REPORT_H
#define TESTS_RELIABILITY_REPORT_H

#include "reliability/incident.h"
#include "support/history.h"

enum { INCIDENTS_MAX = 64 };

struct campaign_log {
    const struct topology *topology;
    uint64_t start_ns; /* every client had been admitted something */
    bool continuity;   /* the guards watch */
    bool replicas;     /* the guards ask for replicas */
    unsigned incident_count;
    struct incident incidents[INCIDENTS_MAX];
};

struct verdict {
    unsigned misfits;     /* refusals with a reason that does not fit */
    unsigned late;        /* processes that got through more than a second after a failover by
                             Sentinel was known to the clients */
    unsigned unrecovered; /* processes that never came back after an incident */
};

/* Prints it all, the tables in the form of docs/reliability.md. Sorts the history. */
struct verdict report_print(const struct campaign_log *log, struct history *history);

#endif

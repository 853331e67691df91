/* SPDX-License-Identifier: Apache-2.0 */
/* What facts about this host's store mean for the promise. No I/O: doctor_host.c asks. */
#ifndef TOOL_DIAGNOSIS_HOST_H
#define TOOL_DIAGNOSIS_HOST_H

#include "findings.h"

#include <jtiguard/host.h>
#include <sys/types.h>

struct host_facts {
    char path[JTG_HOST_PATH_BYTES];
    bool is_default; /* Nobody named it. */

    jtg_status opened; /* What opening it answered; nothing is made, */
    int opened_errno;
    char opened_text[JTG_ERROR_TEXT_BYTES]; /* and the detail. Where it is JTG_OK also: */
    bool counted;
    jtg_host_stats stats;
    jtg_status probe; /* Whether a reserve works now. */
    char probe_text[JTG_ERROR_TEXT_BYTES];
    jtg_status ready; /* What a guard says of a token that is issued now: jtg_guard_ping(). */
    char ready_text[JTG_ERROR_TEXT_BYTES];

    bool folder_found;
    unsigned folder_mode;
    uid_t folder_owner;
    bool on_tmpfs; /* The file, or where there is none its folder. */
    bool file_found;
    unsigned file_mode; /* With its type. */
    uid_t file_owner;
    gid_t file_group;
    uint32_t file_links;
    bool file_is_mounted; /* By itself, into a container. */

    uid_t user;
    bool other_clock;      /* This process is in a time namespace with a clock of its own. */
    uint64_t memory_limit; /* Of its control group, bytes; 0: none. */
    bool has_systemd;
    bool has_boot_unit;

    uint64_t future_leeway_s; /* As of a Redis (diagnosis.h). */
    uint64_t margin_s;
    uint64_t max_lifetime_s;
    int64_t now_s;
};

void diagnose_host(struct findings *findings, const struct host_facts *facts);

#endif

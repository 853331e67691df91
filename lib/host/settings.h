/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a host cache, read and checked: where its store is, and on which terms. */
#ifndef JTGI_HOST_SETTINGS_H
#define JTGI_HOST_SETTINGS_H

#include "host/attachment.h"
#include "host/store_path.h"

#include <jtiguard/host.h>
#include <limits.h>

struct jtgi_host_settings {
    jtg_clock clock;
    jtg_logger logger;
    struct jtgi_host_terms terms; /* leads to the clock and the path of these settings */
    char path[PATH_MAX];
    bool is_default;   /* nobody named a path */
    bool is_users_own; /* and it is not the host's: see store_path.h */
};

/* Read into where they stay. Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_UNAVAILABLE (no place) */
jtg_status jtgi_host_settings_read(struct jtgi_host_settings *settings,
                                   const jtg_host_options *options, jtg_error *err);

/* A default path, chosen anew. Returns: JTG_OK · JTG_ERR_UNAVAILABLE */
jtg_status jtgi_host_settings_choose_path(struct jtgi_host_settings *settings, jtg_error *err);

#endif

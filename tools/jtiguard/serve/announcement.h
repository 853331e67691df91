/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says when the service has started: which version, on which store, for whom, where.
 * Without secrets. */
#ifndef SERVE_ANNOUNCEMENT_H
#define SERVE_ANNOUNCEMENT_H

#include "serve/answer/service_log.h"
#include "serve/http/http_server.h"
#include "serve/settings/service_settings.h"

struct announced {
    struct service_log *log;
    const struct service_settings *settings;
    jtg_cache *cache;
    struct http_server *const *servers;
    size_t server_count;
};

void announcement_log(const struct announced *announced);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the log says when the service has started: which version, on which store, for whom, where.
 * Without secrets. */
#ifndef SERVE_ANNOUNCEMENT_H
#define SERVE_ANNOUNCEMENT_H

#include "service.h"

void announcement_log(const struct service *service, const struct service_settings *settings);

#endif

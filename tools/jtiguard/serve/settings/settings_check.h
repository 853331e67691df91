/* SPDX-License-Identifier: Apache-2.0 */
/* What of the settings does not go together. */
#ifndef SERVE_SETTINGS_CHECK_H
#define SERVE_SETTINGS_CHECK_H

#include "serve/settings/problem.h"
#include "serve/settings/service_settings.h"

/* Before the store is settled; and once it is known how long that may take: then a default that
 * would be too long is shortened. */
bool settings_check_together(const struct service_settings *settings,
                             struct settings_problem *problem);
bool settings_check_times(struct service_settings *settings, struct settings_problem *problem);

#endif

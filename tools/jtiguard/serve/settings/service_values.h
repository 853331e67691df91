/* SPDX-License-Identifier: Apache-2.0 */
/* How a value of the merged sources is read into the settings. */
#ifndef SERVE_SERVICE_VALUES_H
#define SERVE_SERVICE_VALUES_H

#include "serve/settings/service_options.h"
#include "serve/settings/service_settings.h"

/* NULL, or what is wrong with the value, without the value. It stays the sources': strings and
 * lists of the settings point into it. */
const char *service_value_read(const struct service_row *row, json_t *value,
                               struct service_settings *settings);

#endif

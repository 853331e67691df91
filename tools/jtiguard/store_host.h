/* SPDX-License-Identifier: Apache-2.0 */
/* The store of this host, as the tool opens it. */
#ifndef TOOL_STORE_HOST_H
#define TOOL_STORE_HOST_H

#include "settings.h"

#include <jtiguard/host.h>

/* What the settings ask of it. A path that is not an absolute one is refused by the library.
 * settings: borrowed for as long as the options are used. */
jtg_host_options store_host_options(const struct settings *settings);

/* Whether the name of a store means this host's, and its path: NULL, the default one. */
bool store_host_is_named(const char *store);
const char *store_host_path(const char *store);

/* What to do when it could not be opened; NULL where nobody knows. */
const char *store_host_advice(jtg_status status, const jtg_error *err);

/* What was asked for and is not so, since the store was made before, in words; else an empty
 * text. */
enum { STORE_HOST_DIFFERENCE_BYTES = 192 };
void store_host_difference(const struct settings *settings, jtg_cache *cache,
                           char text[STORE_HOST_DIFFERENCE_BYTES]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* From the name of a store to a cache. The one place that knows which stores there are. */
#ifndef TOOL_STORE_H
#define TOOL_STORE_H

#include "exit_code.h"
#include "settings.h"

/* Open settings->store. EXIT_ADMITTED and *cache, which the caller frees; else the reason was
 * said on stderr. clock may be NULL. */
enum exit_code store_open(jtg_cache **cache, const struct settings *settings,
                          const jtg_clock *clock);

/* Whether what is stored outlives this process. */
bool store_is_lasting(const struct settings *settings);

#endif

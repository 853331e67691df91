/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "message.h"

#include <string.h>

static bool is_memory(const struct settings *settings)
{
    return strcmp(settings->store, "memory") == 0;
}

static enum exit_code open_memory(jtg_cache **cache, const struct settings *settings,
                                  const jtg_clock *clock)
{
    jtg_error err = JTG_ERROR_INIT;
    jtg_memory_options options = settings->memory;
    options.clock = clock;
    jtg_status status = jtg_memory_new(cache, &options, &err);
    if (status == JTG_OK)
        return EXIT_ADMITTED;
    complain("cannot open the store: %s", err.text[0] != '\0' ? err.text : jtg_status_text(status));
    return status == JTG_ERR_ARGUMENT ? EXIT_USAGE : EXIT_TROUBLE;
}

enum exit_code store_open(jtg_cache **cache, const struct settings *settings,
                          const jtg_clock *clock)
{
    if (is_memory(settings))
        return open_memory(cache, settings, clock);
    /* Its name is not shown: a store's address may hold a password. */
    complain("this build has no such store; it has: memory");
    return EXIT_USAGE;
}

bool store_is_lasting(const struct settings *settings)
{
    return !is_memory(settings);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From the name of a store to a cache. The one place that knows which stores there are. */
#ifndef TOOL_STORE_H
#define TOOL_STORE_H

#include "exit_code.h"
#include "settings.h"

#include <jtiguard/host.h>
#include <jtiguard/redis.h>

/* Whether this build has that backend, and what is said where it has not. */
bool store_has_redis(void);
#define STORE_WITHOUT_REDIS "this build has no Redis: it was made with -DJTIGUARD_REDIS=OFF"

/* Where nobody has named a store, and there is one of this host that can be opened: that. */
void store_prefer_host(struct settings *settings);

/* Is it the store of this host? */
bool store_is_host(const struct settings *settings);

/* What the name of a host store and the options say of it. */
jtg_host_options store_host_options(const struct settings *settings);

/* Read what the store's name says into the settings, and refuse what does not go together. Asks
 * no server. EXIT_ADMITTED, or the reason was said on stderr; end with store_forget() either
 * way. */
enum exit_code store_settle(struct settings *settings);
void store_forget(struct settings *settings);

/* Open settings->store. EXIT_ADMITTED and *cache, which the caller frees; else the reason was
 * said on stderr. clock may be NULL; both clock and settings outlive the cache. */
enum exit_code store_open(jtg_cache **cache, const struct settings *settings,
                          const jtg_clock *clock);

/* A Redis that is settled, with a prefix of the caller's choice, and without continuity, which
 * would mark the store under that prefix. */
enum exit_code store_open_unwatched(jtg_cache **cache, const struct settings *settings,
                                    const char *prefix);

/* Whether what is stored outlives this process. */
bool store_is_lasting(const struct settings *settings);

/* The longest time of one call to it, once it is settled; 0: it waits for nobody. */
uint32_t store_timeout_ms(const struct settings *settings);

/* Which store it is, for people: memory, redis://host:6379/0?prefix=app:, … Without user and
 * password. */
enum { STORE_NAME_BYTES = 256 };
void store_name(const struct settings *settings, char text[STORE_NAME_BYTES]);

/* The guard's part of every key's start. */
const char *store_guard_prefix(const struct settings *settings);

#endif

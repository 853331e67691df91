/* SPDX-License-Identifier: Apache-2.0 */
/* From the name of a store to a cache. The one place that knows which stores there are. */
#ifndef TOOL_STORE_H
#define TOOL_STORE_H

#include "exit_code.h"
#include "settings.h"

#include <jtiguard/redis.h>

/* Whether this build has that backend, and what is said where it has not. */
bool store_has_redis(void);
#define STORE_WITHOUT_REDIS "this build has no Redis: it was made with -DJTIGUARD_REDIS=OFF"

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

/* Which one the settings mean. Where nobody named one it may be either of two, until it is open:
 * then the cache says (jtg_cache_backend()). */
enum store_kind { STORE_MEMORY, STORE_HOST, STORE_EITHER, STORE_REDIS };
enum store_kind store_kind(const struct settings *settings);

/* Most tokens that a memory store holds at once. */
uint64_t store_memory_entries(const struct settings *settings);

/* The longest time of one call to it, once it is settled; 0: it waits for nobody. */
uint32_t store_timeout_ms(const struct settings *settings);

/* Which store it is, for people: memory, host:/run/jtiguard-host/store,
 * redis://host:6379/0?prefix=app:, … Without user and password. cache: the store, opened. */
enum { STORE_NAME_BYTES = 272 };
void store_name(const struct settings *settings, jtg_cache *cache, char text[STORE_NAME_BYTES]);

/* Say on stderr which store is in use where nobody named one, and of a memory store always that it
 * forgets; or only where nobody named one. */
void store_note(const char *command, const struct settings *settings, jtg_cache *cache);
void store_note_default(const char *command, const struct settings *settings, jtg_cache *cache);

/* The guard's part of every key's start. */
const char *store_guard_prefix(const struct settings *settings);

#endif

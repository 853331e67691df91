/* SPDX-License-Identifier: Apache-2.0 */
/* All that the tool asks of the Redis backend. store_redis_absent.c answers in a build without. */
#ifndef TOOL_STORE_REDIS_H
#define TOOL_STORE_REDIS_H

#include "exit_code.h"
#include "settings.h"

#include <jtiguard/redis.h>

bool store_redis_is_built(void);

/* Read the URI into settings->uri, and what it says of keys into the settings.
 *
 * The same URI must lead to the same keys in every program, or two of them would each admit a
 * token. So `prefix` is what it is to jtg_redis_new_uri(), the start of every key in the store,
 * and the guard's own prefix (--prefix) follows; but with plain keys, which are spelled exactly
 * prefix + jti, there is one prefix: it becomes the guard's.
 *
 * An option that contradicts the URI is refused, for no guess between the two is safe. */
enum exit_code store_redis_settle(struct settings *settings);
void store_redis_forget(struct settings *settings);

/* As store_open(), with a prefix of the caller's choice; NULL: none. */
enum exit_code store_redis_open(jtg_cache **cache, const struct settings *settings,
                                const char *prefix, const jtg_clock *clock);

/* The same without continuity, which would mark the store under that prefix. */
enum exit_code store_redis_open_unwatched(jtg_cache **cache, const struct settings *settings,
                                          const char *prefix);

/* As store_name(). */
void store_redis_name(const struct settings *settings, char *text, size_t size);

/* What the URI says. */
const jtg_redis_options *store_redis_options(const struct settings *settings);

/* As jtg_redis_server_get(). */
jtg_status store_redis_describe(jtg_cache *cache, jtg_redis_server *server, jtg_error *err);

/* As jtg_redis_stats_get() and jtg_redis_vouch(). */
jtg_status store_redis_count(jtg_cache *cache, jtg_redis_stats *stats, jtg_error *err);
jtg_status store_redis_vouch(jtg_cache *cache, int64_t since_ms, jtg_error *err);

/* As jtg_redis_loss_name(). */
const char *store_redis_loss_name(jtg_redis_loss loss);

/* As jtg_redis_acl_commands(); NULL in a build without. */
const char *store_redis_acl_commands(void);

#endif

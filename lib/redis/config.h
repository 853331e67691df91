/* SPDX-License-Identifier: Apache-2.0 */
/* The checked options of a Redis cache, with every string our own. */
#ifndef JTGI_REDIS_CONFIG_H
#define JTGI_REDIS_CONFIG_H

#include <jtiguard/redis.h>
#include <stdbool.h>

enum { JTGI_SENTINEL_PORT_DEFAULT = 26379 };

struct jtgi_redis_config {
    jtg_redis_options options; /* strings owned */
    size_t prefix_len;
    jtg_clock clock;
    jtg_logger logger;
};

/* Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY. On failure config holds nothing. options may
 * be NULL. No file is read. */
jtg_status jtgi_redis_config_read(struct jtgi_redis_config *config,
                                  const jtg_redis_options *options, jtg_error *err);
void jtgi_redis_config_clear(struct jtgi_redis_config *config);

bool jtgi_config_is_cluster(const struct jtgi_redis_config *config);

/* Is the server with the keys named by Sentinels, or by the nodes of a Cluster? */
bool jtgi_config_is_named_by_others(const struct jtgi_redis_config *config);

/* Is continuity on? */
bool jtgi_config_watches(const struct jtgi_redis_config *config);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The checked options of a Redis cache, with every string our own. */
#ifndef JTGI_REDIS_CONFIG_H
#define JTGI_REDIS_CONFIG_H

#include "redis/say/slots/slots.h"

#include <jtiguard/redis.h>
#include <stdbool.h>

enum { JTGI_SENTINEL_PORT_DEFAULT = 26379 };

/* Who says which server holds the keys. */
enum jtgi_topology {
    JTGI_TOPOLOGY_SINGLE, /* the options */
    JTGI_TOPOLOGY_SENTINELS,
    JTGI_TOPOLOGY_CLUSTER /* its nodes, slot by slot */
};

struct jtgi_redis_config {
    jtg_redis_options options; /* strings owned */
    size_t prefix_len;
    enum jtgi_topology topology;
    unsigned slots; /* that the keys are spread over: 1, or JTGI_SLOTS */
    jtg_clock clock;
    jtg_logger logger;
};

/* Returns: JTG_OK · JTG_ERR_ARGUMENT · JTG_ERR_MEMORY. On failure config holds nothing. options may
 * be NULL. No file is read. */
jtg_status jtgi_redis_config_read(struct jtgi_redis_config *config,
                                  const jtg_redis_options *options, jtg_error *err);
void jtgi_redis_config_clear(struct jtgi_redis_config *config);

/* Is continuity on? */
bool jtgi_config_watches(const struct jtgi_redis_config *config);

#endif

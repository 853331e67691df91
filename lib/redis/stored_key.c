/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/stored_key.h"

#include "redis/slots.h"
#include "redis/store.h"

#include <string.h>

static void append(struct jtgi_stored_key *stored, const void *data, size_t len)
{
    memcpy(stored->bytes + stored->len, data, len);
    stored->len += len;
}

static void store(struct jtgi_stored_key *stored, const struct jtgi_redis *redis, const char *mark,
                  const jtg_key *key)
{
    stored->len = 0;
    append(stored, redis->config.options.prefix, redis->config.prefix_len);
    append(stored, mark, strlen(mark));
    append(stored, key->data, key->data_len);
    stored->slot =
        jtgi_config_is_cluster(&redis->config) ? jtgi_slot_of(stored->bytes, stored->len) : 0;
}

void jtgi_stored_reservation(struct jtgi_stored_key *stored, const struct jtgi_redis *redis,
                             const jtg_key *key)
{
    bool marked = *(const unsigned char *)key->data == 0xff;
    store(stored, redis, marked ? "\xffr:" : "", key);
}

void jtgi_stored_values(struct jtgi_stored_key *stored, const struct jtgi_redis *redis,
                        const jtg_key *key)
{
    store(stored, redis, "\xffv:", key);
}

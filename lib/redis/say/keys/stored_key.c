/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/keys/stored_key.h"

#include "redis/say/slots/slots.h"

#include <string.h>

static void append(struct jtgi_stored_key *stored, const void *data, size_t len)
{
    memcpy(stored->bytes + stored->len, data, len);
    stored->len += len;
}

uint16_t jtgi_stored_slot(const struct jtgi_redis_config *config, const void *key, size_t key_len)
{
    return config->slots > 1 ? jtgi_slot_of(key, key_len) : 0;
}

static void store(struct jtgi_stored_key *stored, const struct jtgi_redis_config *config,
                  const char *mark, const jtg_key *key)
{
    stored->len = 0;
    append(stored, config->options.prefix, config->prefix_len);
    append(stored, mark, strlen(mark));
    append(stored, key->data, key->data_len);
    stored->slot = jtgi_stored_slot(config, stored->bytes, stored->len);
}

void jtgi_stored_reservation(struct jtgi_stored_key *stored, const struct jtgi_redis_config *config,
                             const jtg_key *key)
{
    bool marked = *(const unsigned char *)key->data == 0xff;
    store(stored, config, marked ? "\xffr:" : "", key);
}

void jtgi_stored_values(struct jtgi_stored_key *stored, const struct jtgi_redis_config *config,
                        const jtg_key *key)
{
    store(stored, config, "\xffv:", key);
}

void jtgi_stored_bitmap(struct jtgi_stored_key *stored, const struct jtgi_redis_config *config,
                        const jtg_key *key)
{
    store(stored, config, "\xffm:", key);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/say/keys/share.h"

#include "core/digest.h"

#include <string.h>

static const unsigned char mark = 'g';

/* Reservations fall on the slots at random: with a mean of m a slot goes beyond m + 9 sqrt(m) with
 * a probability below 1e-15. If it ever did, it would refuse. */
uint64_t jtgi_share_of_slot(uint64_t most, unsigned parts)
{
    uint64_t mean = most / parts + 1;
    uint64_t root = 1;
    while (root * root < mean)
        root++;
    uint64_t share = mean + 9 * root;
    return share < most ? share : most;
}

jtg_status jtgi_shares_init(struct jtgi_shares *shares, const struct jtgi_redis_config *config,
                            const struct jtgi_marker_keys *watched, jtg_error *err)
{
    memset(shares, 0, sizeof *shares);
    uint64_t limit = config->options.max_entries_per_group;
    if (limit == 0)
        return JTG_OK;
    shares->beside = watched;
    if (watched == NULL) {
        jtg_status status = jtgi_marker_keys_init(&shares->own, config, err);
        if (status != JTG_OK)
            return status;
        shares->beside = &shares->own;
    }
    bool many = shares->beside->numbers != NULL;
    shares->limit = many ? jtgi_share_of_slot(limit, JTGI_SLOTS) : limit;
    return JTG_OK;
}

void jtgi_shares_clear(struct jtgi_shares *shares)
{
    jtgi_marker_keys_clear(&shares->own);
    shares->limit = 0;
}

static void name(unsigned char to[JTGI_SHARE_NAME_BYTES], const char *label, const void *data,
                 size_t data_len)
{
    unsigned char digest[JTGI_DIGEST_BYTES];
    jtgi_digest_labelled(label, data, data_len, digest);
    memcpy(to, digest, JTGI_SHARE_NAME_BYTES);
}

static void build_key(struct jtgi_share *share, const struct jtgi_shares *shares, uint16_t slot)
{
    size_t len = jtgi_marker_key(shares->beside, slot, share->key);
    share->key[len++] = mark;
    memcpy(share->key + len, share->group, sizeof share->group);
    share->key_len = len + sizeof share->group;
}

void jtgi_share_of(struct jtgi_share *share, const struct jtgi_shares *shares, const jtg_key *key,
                   const struct jtgi_stored_key *stored)
{
    share->key_len = 0;
    if (shares->limit == 0)
        return;
    name(share->member, "jtiguard share member", stored->bytes, stored->len);
    if (key->group_len == 0)
        return;
    name(share->group, "jtiguard share group", key->group, key->group_len);
    build_key(share, shares, stored->slot);
}

bool jtgi_share_rename(struct jtgi_share *share, const struct jtgi_shares *shares, uint16_t slot,
                       const void *group, size_t group_len)
{
    if (group_len != sizeof share->group)
        return false;
    memcpy(share->group, group, group_len);
    build_key(share, shares, slot);
    return true;
}

bool jtgi_share_is_key(const struct jtgi_redis_config *config, const void *key, size_t key_len)
{
    const unsigned char *bytes = key;
    enum { TAIL_BYTES = 1 + JTGI_SHARE_NAME_BYTES };
    return key_len > TAIL_BYTES && bytes[key_len - TAIL_BYTES] == mark &&
           jtgi_marker_is_key(config, key, key_len - TAIL_BYTES);
}

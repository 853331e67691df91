/* SPDX-License-Identifier: Apache-2.0 */
#include "table/hash.h"

uint32_t jtgi_hash_group(struct jtgi_table *table, const jtg_key *key)
{
    if (table->groups == NULL || key->group_len == 0)
        return JTGI_GROUP_NONE;
    uint64_t fingerprint = jtgi_siphash64(table->keys.group, key->group, key->group_len, 2, 4);
    return jtgi_groups_id(table->groups, fingerprint == 0 ? 1 : fingerprint);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "host/parts.h"

void jtgi_host_parts_plan(struct jtgi_host_parts *parts, uint64_t max_values,
                          uint64_t max_value_bytes)
{
    jtgi_value_plan(&parts->values, max_values, max_value_bytes);
    parts->values_at = JTGI_HOST_TABLE_AT + (uint64_t)parts->table.bytes;
    parts->bytes = parts->values_at + parts->values.bytes;
}

void jtgi_host_parts_note(const struct jtgi_host_parts *parts, struct jtgi_host_header *header)
{
    header->max_entries = parts->table.max_entries;
    header->max_entries_per_group = parts->table.max_entries_per_group;
    header->partitions = parts->table.partitions;
    header->max_values = parts->values.max_values;
    header->max_value_bytes = parts->values.max_bytes;
}

static bool is_number_of_partitions(uint64_t number)
{
    return number != 0 && number <= (uint64_t)JTGI_PARTITIONS_MAX && (number & (number - 1)) == 0;
}

/* None is greater than the file has room for, so that no sum overflows. */
static bool are_believable(const struct jtgi_host_header *header, uint64_t bytes)
{
    uint64_t most = bytes / sizeof(uint64_t);
    return header->max_entries != 0 && header->max_entries <= most &&
           header->max_entries_per_group <= header->max_entries &&
           is_number_of_partitions(header->partitions) && header->max_values != 0 &&
           header->max_values <= most && header->max_value_bytes != 0 &&
           header->max_value_bytes <= bytes;
}

bool jtgi_host_parts_read(struct jtgi_host_parts *parts, const struct jtgi_host_header *header,
                          uint64_t bytes)
{
    if (!are_believable(header, bytes))
        return false;
    jtgi_table_plan_like(&parts->table, header->max_entries, header->max_entries_per_group,
                         (uint32_t)header->partitions);
    jtgi_host_parts_plan(parts, header->max_values, header->max_value_bytes);
    return parts->bytes == bytes;
}

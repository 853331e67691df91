/* SPDX-License-Identifier: Apache-2.0 */
/* What lies where in the file of a store: the header, the table of reservations, the values. */
#ifndef JTGI_HOST_PARTS_H
#define JTGI_HOST_PARTS_H

#include "host/header.h"
#include "host/value_area.h"
#include "table/table.h"

struct jtgi_host_parts {
    struct jtgi_table_plan table;
    struct jtgi_value_plan values;
    uint64_t values_at; /* offset in the file */
    uint64_t bytes;     /* of the file */
};

/* parts->table is set. */
void jtgi_host_parts_plan(struct jtgi_host_parts *parts, uint64_t max_values,
                          uint64_t max_value_bytes);

/* Write into the header what was asked for. */
void jtgi_host_parts_note(const struct jtgi_host_parts *parts, struct jtgi_host_header *header);

/* Those of a file of so many bytes, by its header. False: they do not fit it, and nothing of it can
 * be believed. */
bool jtgi_host_parts_read(struct jtgi_host_parts *parts, const struct jtgi_host_header *header,
                          uint64_t bytes);

static inline void *jtgi_host_table_of(struct jtgi_host_header *header)
{
    return (char *)header + JTGI_HOST_TABLE_AT;
}

static inline void *jtgi_host_values_of(const struct jtgi_host_parts *parts,
                                        struct jtgi_host_header *header)
{
    return (char *)header + parts->values_at;
}

#endif

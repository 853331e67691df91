/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of a partition by their fingerprints, as a test wants them. */
#ifndef TESTS_SUPPORT_TABLE_ENTRIES_H
#define TESTS_SUPPORT_TABLE_ENTRIES_H

#include "support/table_memory.h"
#include "table/segment.h"

/* A visit to partition 0, without its lock. */
struct jtgi_visit table_visit(struct table_memory *memory, uint64_t now);

enum jtgi_found table_find(struct table_memory *memory, uint64_t fingerprint, uint64_t owner_tag,
                           uint64_t now);

/* Put an entry in where it belongs, growing as a reserve would; false where there is no room. */
bool table_insert(struct table_memory *memory, const struct jtgi_slot *entry, uint64_t now);

/* Spread over all fingerprints. */
uint64_t table_fingerprint(uint64_t number);

#endif

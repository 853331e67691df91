/* SPDX-License-Identifier: Apache-2.0 */
/* A table that another of a different size takes the place of, while others use it.
 *
 * Who moves it takes the locks of all partitions, and keeps them while he copies; then he marks
 * each as moved, makes the other table known, and lets the locks go. A marked partition is not
 * entered by anybody (partition.h). If he dies on the way the locks go to whoever waits, and the
 * marks say nothing: whether the other table is known by now is seen where it is made known. Then
 * they are believed, or taken away.
 *
 * The other table has the same keys, and as many partitions: a slot does not tell the hash from
 * which its partition was chosen. So the slots are copied in their order. */
#ifndef JTGI_TABLE_TRANSFER_H
#define JTGI_TABLE_TRANSFER_H

#include "table/table.h"

/* Take all locks. False: one is blocked, or marked; none is held. */
bool jtgi_table_hold(struct jtgi_table *table);
void jtgi_table_let_go_locked(struct jtgi_table *table);

/* Of a table that is held. */
void jtgi_table_mark_locked(struct jtgi_table *table, bool moved);

/* Take the marks away. Only while nobody can be about to move the table. False: one is blocked. */
bool jtgi_table_unmark(struct jtgi_table *table);

/* What `from`, which is held, holds at `now`, into `to`: an empty table that nobody else sees, made
 * with as many partitions, without growth, and with a share if from has one.
 * Returns: JTG_OK · JTG_ERR_FULL (it is more than `to` may hold) */
jtg_status jtgi_table_copy_locked(struct jtgi_table *to, struct jtgi_table *from, uint64_t now);

#endif

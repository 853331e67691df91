/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit: any number of threads share one connection.
 *
 * Callers put their commands, mostly one, into the open batch. One of them drives it: sends it, and
 * later receives its replies. While a batch is on its way the next one fills; several can be in
 * flight. There is no thread of its own: whoever leaves a role hands it to a caller who waits.
 *
 *      open ──(driver connects if need be, seals, sends)──> in flight ──(turn, receive)──> done
 *
 * Roles. One thread at a time connects or sends (`sending`); one at a time receives: the driver
 * of the oldest batch in flight on a connection. A driver whose own deadline passes hands its batch
 * to another of its callers, and breaks the connection when there is none.
 *
 * Lock. `lock` guards the lists and every batch's roles; it is held for short copies and never
 * across a wait. Waiters sleep on the word of their batch, so that one system call wakes
 * all of them. */
#ifndef JTGI_REDIS_PIPELINE_H
#define JTGI_REDIS_PIPELINE_H

#include "redis/flow/schedule.h"

void jtgi_pipeline_init(struct jtgi_pipeline *pipeline, const struct jtgi_pipeline_hooks *hooks);

/* No call may be under way. Neither locks nor talks. */
void jtgi_pipeline_clear(struct jtgi_pipeline *pipeline);

/* The same in a child of fork(). What threads of the parent may have been changing at that moment
 * is left as it is, but for its descriptor. */
void jtgi_pipeline_clear_in_child(struct jtgi_pipeline *pipeline);

/* Send one command or several, all in one batch, and wait for their replies, until the deadline at
 * most. It is one call, whatever it asks: it stands beside others as one that asks for less.
 *
 * ANSWERED: the answers say what came. Else err says why, with the status that fits:
 * JTG_ERR_TIMEOUT for UNKNOWN, the cause for NOT_SENT. */
enum jtgi_fate jtgi_pipeline_call(struct jtgi_pipeline *pipeline, struct jtgi_exchange *first,
                                  int64_t deadline_ns, jtg_error *err);

/* Let go of the connection, if there is one: its next user connects anew. */
void jtgi_pipeline_retire(struct jtgi_pipeline *pipeline);

#endif

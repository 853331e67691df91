/* SPDX-License-Identifier: Apache-2.0 */
/* A driver's work: choose the connection, send the batch, receive its replies. */
#ifndef JTGI_REDIS_FLIGHT_H
#define JTGI_REDIS_FLIGHT_H

#include "redis/flow/schedule.h"

/* Under the lock, by who has just become the sender: take the connection, and take off at once
 * where nobody needs to be asked whether it may still be used. */
void jtgi_flight_board_locked(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch);

/* Then: connect if need be, and send. True: its turn has come, and the thread goes on to receive.
 * False: it drives the batch no more, which has ended or waits for its turn. */
bool jtgi_flight_launch(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                        int64_t deadline_ns);

/* Receive the replies of a batch whose turn it is. Afterwards the thread drives nothing: it has
 * ended, or the deadline has passed and another goes on with it. */
void jtgi_flight_land(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                      int64_t deadline_ns);

#endif

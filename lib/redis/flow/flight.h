/* SPDX-License-Identifier: Apache-2.0 */
/* A driver's work: connect if need be, send the batch, receive its replies. */
#ifndef JTGI_REDIS_FLIGHT_H
#define JTGI_REDIS_FLIGHT_H

#include "redis/flow/pipeline.h"

/* Go on with a batch whose driver the calling thread is, until it has ended, its turn has not
 * come, or the deadline has passed. Afterwards the thread drives nothing. */
void jtgi_flight_drive(struct jtgi_pipeline *pipeline, struct jtgi_batch *batch,
                       int64_t deadline_ns);

#endif

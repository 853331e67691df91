/* SPDX-License-Identifier: Apache-2.0 */
/* Batches through worker threads and out again in the order in which they went in.
 *
 * A ring of batches. The caller fills the next free one and submits it; workers take submitted
 * ones in order and judge them at the same time; the caller gets them back in order. Only the
 * caller's one thread may use these functions. */
#ifndef TOOL_PIPELINE_H
#define TOOL_PIPELINE_H

#include "judge.h"

struct pipeline;

/* NULL when memory or threads cannot be had. judge is borrowed until the end. */
struct pipeline *pipeline_new(const struct judge *judge, unsigned threads);

/* The batch to fill next, empty or as filled so far; NULL while all are under way. */
struct batch *pipeline_next_free(struct pipeline *pipeline);
void pipeline_submit(struct pipeline *pipeline);

/* Wait for the oldest batch under way; NULL when there is none. It is read by the caller and
 * then given back. */
struct batch *pipeline_oldest_done(struct pipeline *pipeline);
void pipeline_give_back(struct pipeline *pipeline);

/* Batches that no worker has begun are dropped. NULL does nothing. */
void pipeline_free(struct pipeline *pipeline);

#endif

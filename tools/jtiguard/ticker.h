/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that does one thing again and again until it is told to stop. It takes no signals, which
 * are for whoever started it. */
#ifndef TOOL_TICKER_H
#define TOOL_TICKER_H

#include <stdint.h>

struct ticker;

/* Called under no lock. In how many milliseconds to do it next; 0: at once. */
typedef int64_t ticker_work(void *context);

/* First in first_ms. NULL when memory or a thread cannot be had. */
struct ticker *ticker_new(ticker_work *work, void *context, int64_t first_ms);

/* Do it now, or once more when it is being done. Any thread, also after ticker_stop(). */
void ticker_wake(struct ticker *ticker);

/* Waits until it is done, where it is being done, and never again is. Not by its own thread. Twice
 * is as good as once. NULL does nothing. */
void ticker_stop(struct ticker *ticker);

/* The same, and frees it. */
void ticker_free(struct ticker *ticker);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The waiter of callers that block: poll(2), and futex(2). */
#ifndef JTGI_REDIS_BLOCKING_H
#define JTGI_REDIS_BLOCKING_H

#include "redis/line/waiter.h"

extern const struct jtgi_waiter jtgi_blocking;

#endif

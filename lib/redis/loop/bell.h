/* SPDX-License-Identifier: Apache-2.0 */
/* The one descriptor of a front for event loops: readable when there is something to do. Inside are
 * what it waits for, each until it has happened once, and a timer. */
#ifndef JTGI_REDIS_BELL_H
#define JTGI_REDIS_BELL_H

#include "redis/line/waiter.h"

struct jtgi_bell {
    struct jtgi_waiter waiter; /* one that does not wait: what it was asked for rings the bell */
    int epoll_fd;
    int timer_fd;
    int64_t armed_ns;  /* when the timer rings; 0: never */
    short also_wanted; /* events of the line, beside those that are asked for */
};

/* It must stay where it is. Returns: JTG_OK · JTG_ERR_SYSTEM; then it holds nothing */
jtg_status jtgi_bell_init(struct jtgi_bell *bell, jtg_error *err);
void jtgi_bell_clear(struct jtgi_bell *bell);

/* What has rung is heard: from here on only what happens now rings. */
void jtgi_bell_hear(struct jtgi_bell *bell);

/* It rings at this moment at the latest; a moment that has passed is now. INT64_MAX: never. Whoever
 * is rung for too early looks again. */
void jtgi_bell_ring_at(struct jtgi_bell *bell, int64_t at_ns);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A list whose links lie in what it lists, so that adding and taking out never fails. */
#ifndef JTGI_REDIS_CHAIN_H
#define JTGI_REDIS_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

struct jtgi_chain {
    struct jtgi_chain *next;
    struct jtgi_chain *before;
};

/* Of a list, or of something that is in none. */
static inline void jtgi_chain_init(struct jtgi_chain *chain)
{
    chain->next = chain->before = chain;
}

static inline bool jtgi_chain_is_empty(const struct jtgi_chain *list)
{
    return list->next == list;
}

static inline void jtgi_chain_take_out(struct jtgi_chain *link)
{
    link->before->next = link->next;
    link->next->before = link->before;
    jtgi_chain_init(link);
}

/* Behind the others; it is taken out of where it was. */
static inline void jtgi_chain_append(struct jtgi_chain *list, struct jtgi_chain *link)
{
    jtgi_chain_take_out(link);
    link->before = list->before;
    link->next = list;
    list->before->next = link;
    list->before = link;
}

/* All of `from` to `into`, which is made anew. */
static inline void jtgi_chain_move_all(struct jtgi_chain *into, struct jtgi_chain *from)
{
    jtgi_chain_init(into);
    if (jtgi_chain_is_empty(from))
        return;
    *into = *from;
    into->next->before = into->before->next = into;
    jtgi_chain_init(from);
}

/* What a link lies in. */
#define JTGI_CHAIN_OF(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

#endif

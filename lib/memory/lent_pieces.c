/* SPDX-License-Identifier: Apache-2.0 */
/* No thread dies alone, so a mutex of the C library does. It is taken when the clock was set; the
 * memory is read in every decision by all threads, and nothing else is written beside it. */
#include "memory/lent_pieces.h"

#include "core/alloc.h"

#include <pthread.h>

struct jtgi_lent_pieces {
    unsigned char memory[JTG_BORROWER_COUNT][JTG_LENT_BYTES]; /* first: it begins at a line */
    pthread_mutex_t locks[JTG_BORROWER_COUNT];
};

struct jtgi_lent_pieces *jtgi_lent_pieces_new(void)
{
    struct jtgi_lent_pieces *pieces = jtgi_alloc_apart(sizeof *pieces);
    for (size_t i = 0; pieces != NULL && i < JTG_BORROWER_COUNT; i++)
        (void)pthread_mutex_init(&pieces->locks[i], NULL);
    return pieces;
}

void jtgi_lent_pieces_free(struct jtgi_lent_pieces *pieces, bool in_child)
{
    if (pieces == NULL)
        return;
    for (size_t i = 0; !in_child && i < JTG_BORROWER_COUNT; i++)
        (void)pthread_mutex_destroy(&pieces->locks[i]);
    jtgi_free(pieces);
}

void *jtgi_lent_pieces_find(struct jtgi_lent_pieces *pieces, jtg_borrower borrower)
{
    return (unsigned)borrower < JTG_BORROWER_COUNT ? pieces->memory[borrower] : NULL;
}

static pthread_mutex_t *lock_of(struct jtgi_lent_pieces *pieces, const void *memory)
{
    const unsigned char *at = memory;
    return &pieces->locks[(size_t)(at - pieces->memory[0]) / JTG_LENT_BYTES];
}

void jtgi_lent_pieces_lock(struct jtgi_lent_pieces *pieces, const void *memory)
{
    (void)pthread_mutex_lock(lock_of(pieces, memory));
}

void jtgi_lent_pieces_unlock(struct jtgi_lent_pieces *pieces, const void *memory)
{
    (void)pthread_mutex_unlock(lock_of(pieces, memory));
}

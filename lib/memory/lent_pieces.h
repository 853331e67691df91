/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces that a memory cache lends to those who use it: backend.h says what for. */
#ifndef JTGI_MEMORY_LENT_PIECES_H
#define JTGI_MEMORY_LENT_PIECES_H

#include <jtiguard/backend.h>
#include <stdbool.h>

struct jtgi_lent_pieces;

/* NULL: out of memory. */
struct jtgi_lent_pieces *jtgi_lent_pieces_new(void);
/* in_child: of a fork; the locks may be held by threads that are not there. */
void jtgi_lent_pieces_free(struct jtgi_lent_pieces *pieces, bool in_child);

/* NULL: no such borrower. */
void *jtgi_lent_pieces_find(struct jtgi_lent_pieces *pieces, jtg_borrower borrower);

void jtgi_lent_pieces_lock(struct jtgi_lent_pieces *pieces, const void *memory);
void jtgi_lent_pieces_unlock(struct jtgi_lent_pieces *pieces, const void *memory);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages for memory that is in full use.
 *
 * A search goes to a random place of a large table: with small pages it pays for the address
 * translation about as much as for the data. Asking for huge pages up front would make a stripe use
 * up to 2 MiB that it does not need; so a piece is turned into a huge page when the table
 * has grown over all of it. */
#ifndef JTGI_MEMORY_HUGE_H
#define JTGI_MEMORY_HUGE_H

#include <stdbool.h>
#include <stddef.h>

/* Size and alignment of a huge page. */
#define JTGI_HUGE_BYTES ((size_t)1 << 21)

/* Turn the JTGI_HUGE_BYTES at `at`, aligned and touched, into one huge page. The contents stay, and
 * other threads may use them meanwhile: they wait for the copy, a fraction of a millisecond. The
 * kernel may first have to make room, so only the sweeper calls it. False if it cannot be done, now
 * or ever: nothing has changed. */
bool jtgi_huge_collapse(void *at);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A file that takes the place of another with all that it holds (resize.c), where whoever makes it
 * may be killed on the way.
 *
 * The two are exchanged by one call of the kernel, while nobody can change the old one: all its
 * locks are held, and its partitions are marked. Before the call the old one is the store, behind
 * it the new one. So the marks count if the path leads elsewhere, and else are taken away by who
 * meets them.
 *
 * The new one is doubted until somebody has seen what it took the place of: if the path led to a
 * third file by then, that one may have admitted what the heir knows nothing of. Behind the call
 * the file that stood there has the heir's other name: is it the right one, and no time has passed
 * in which any other could have admitted something, the heir has kept what the old one had. Else
 * it is dated as a new file is. */
#ifndef JTGI_HOST_HEIR_H
#define JTGI_HOST_HEIR_H

#include "host/attachment.h"

/* Of a file in which this process has just taken its place: end the doubt, one way or the other.
 * Returns: JTG_OK · JTG_ERR_BLOCKED (somebody else is about to, and was stopped) */
jtg_status jtgi_host_heir_prove(struct jtgi_host_attachment *heir,
                                const struct jtgi_lock_party *party, const jtg_clock *clock);

/* Of any file that was opened, before anything is written to it: was it moved since it was put
 * where it stands? */
bool jtgi_host_heir_was_moved(const struct jtgi_host_attachment *heir);

/* Of a file that is marked: take the marks away if the path still leads to it. False: whoever set
 * them lives, or a lock is blocked. */
bool jtgi_host_heir_unmark(struct jtgi_host_attachment *old);

/* Of a file that is marked: nobody is about to move it any more. */
bool jtgi_host_heir_is_abandoned(const struct jtgi_host_attachment *old);

/* Is one an heir of the other? */
bool jtgi_host_heir_is_of(const struct jtgi_host_attachment *heir,
                          const struct jtgi_host_attachment *old);

#endif

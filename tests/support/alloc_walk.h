/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the n-th acquisition of the library fail: memory, pages, a thread. */
#ifndef TESTS_SUPPORT_ALLOC_WALK_H
#define TESTS_SUPPORT_ALLOC_WALK_H

#include <stdbool.h>

/* From now on the n-th acquisition fails, once; counted from 1. */
void alloc_walk_fail_nth(unsigned nth);

/* From now on every acquisition fails. */
void alloc_walk_fail_all(void);

/* No more failures. Returns whether one was asked for since. */
bool alloc_walk_end(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "support/alloc_walk.h"

#include "core/alloc.h"

#include <stdatomic.h>

static atomic_uint acquired;
static atomic_uint failing_nth; /* 0 = each one */
static atomic_bool has_failed;

static bool should_fail(void)
{
    unsigned nth = atomic_load(&failing_nth);
    unsigned now = atomic_fetch_add(&acquired, 1) + 1;
    if (nth != 0 && now != nth)
        return false;
    atomic_store(&has_failed, true);
    return true;
}

static void begin(unsigned nth)
{
    atomic_store(&acquired, 0);
    atomic_store(&failing_nth, nth);
    atomic_store(&has_failed, false);
    jtgi_alloc_set_failure(should_fail);
}

void alloc_walk_fail_nth(unsigned nth)
{
    begin(nth);
}

void alloc_walk_fail_all(void)
{
    begin(0);
}

bool alloc_walk_end(void)
{
    jtgi_alloc_set_failure(NULL);
    return atomic_load(&has_failed);
}

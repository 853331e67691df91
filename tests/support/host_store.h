/* SPDX-License-Identifier: Apache-2.0 */
/* A host store for a test: a folder of its own, a clock that is moved by hand, and the short way to
 * ask it. There is one, `store`. */
#ifndef TESTS_SUPPORT_HOST_STORE_H
#define TESTS_SUPPORT_HOST_STORE_H

#include "support/host_folder.h"
#include "support/test_clock.h"

#include <jtiguard/host.h>
#include <sys/types.h>

enum { HOST_STORE_LIFE_MS = 100000, HOST_STORE_LOCK_WAIT_MS = 60 };

struct host_store {
    struct host_folder folder;
    struct test_clock hands;
    jtg_clock clock;
    jtg_host_options options; /* of the next that is opened */
};
extern struct host_store store;

/* Before and after each case. */
int host_store_begin(void **state);
int host_store_end(void **state);

jtg_cache *host_store_open(void);
jtg_status host_store_reserve(jtg_cache *cache, const char *text, unsigned owner);
jtg_status host_store_reserve_kept(jtg_cache *cache, const char *text, unsigned owner,
                                   int64_t kept_since_ms);
int64_t host_store_kept_since(jtg_cache *cache);
jtg_host_stats host_store_stats(jtg_cache *cache);

/* Until a child ends, as it should. */
void host_store_await(pid_t child, int expected);

#endif

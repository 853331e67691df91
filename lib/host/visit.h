/* SPDX-License-Identifier: Apache-2.0 */
/* A cache of a host store, and an operation on its way in and out of the file as it is now.
 *
 * A look at the path is at most a second old when an operation begins. The clock for that is read
 * in the operation, after its caller has read his; so a token that this process still admits by an
 * old file is too old for the new one, which has kept everything only since it was a second old,
 * and the other way round it is of the future. tests/model/host_file.pml has the proof by cases. */
#ifndef JTGI_HOST_VISIT_H
#define JTGI_HOST_VISIT_H

#include "host/settings.h"

#include <jtiguard/backend.h>

struct jtgi_host_cache {
    jtg_cache base;
    struct jtgi_host_settings settings;
    _Atomic(struct jtgi_host_attachment *) current;
    _Atomic uint64_t replaced;
    _Atomic uint32_t opening; /* lock: of the store anew, and of what is older */
};

/* Its table of operations (host.c). */
extern const jtg_backend jtgi_host_backend;

static inline struct jtgi_host_cache *jtgi_host_cache_of(jtg_cache *cache)
{
    return (struct jtgi_host_cache *)cache;
}

/* Open the store that the settings name. Returns: as jtgi_host_attach() */
jtg_status jtgi_host_cache_open(struct jtgi_host_cache *host, jtg_error *err);

/* Leave every file that it was in. Also in a child of fork, and where none was opened. */
void jtgi_host_cache_close(struct jtgi_host_cache *host);

struct jtgi_host_visit {
    struct jtgi_host_cache *host;
    struct jtgi_host_attachment *at;
    int64_t now_ms;
    uint64_t now;   /* of the store */
    unsigned moves; /* that it has met */
};

#define JTGI_HOST_VISIT_INIT                                                                       \
    {                                                                                              \
        .moves = 0                                                                                 \
    }

/* Into the store as it is now; the visit is one of JTGI_HOST_VISIT_INIT, or comes once more. Where
 * another file stands at the path, that is opened first. Returns: JTG_OK, to be followed by leave ·
 * JTG_ERR_UNAVAILABLE (the path is out of reach) · JTG_ERR_BLOCKED (another thread still opens it)
 * · as jtgi_host_attach() */
jtg_status jtgi_host_visit_enter(struct jtgi_host_visit *visit, jtg_cache *self, jtg_error *err);

/* The same for a function that only this backend has: also JTG_ERR_ARGUMENT (no host cache) and
 * JTG_ERR_FORKED; err tells. */
jtg_status jtgi_host_visit_enter_checked(struct jtgi_host_visit *visit, jtg_cache *cache,
                                         jtg_error *err);

/* Out again, with what the operation was answered. True: it is to be done once more, for nothing
 * was done: its JTG_ERR_BLOCKED came from a file that an heir takes the place of (heir.h). */
bool jtgi_host_visit_leave(struct jtgi_host_visit *visit, jtg_status status);

/* For who needs the file as it is now and makes no visit: to an heir at once, and not when the next
 * look is due. Returns: as enter */
jtg_status jtgi_host_visit_follow(jtg_cache *self, jtg_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A process's way to a store: its file, its place in it, and the table and the values behind the
 * header.
 *
 * A file of another layout or boot, a truncated one and a copy are replaced by a new one, if nobody
 * uses them; what is something else is never touched. */
#ifndef JTGI_HOST_ATTACHMENT_H
#define JTGI_HOST_ATTACHMENT_H

#include "core/clock.h"
#include "host/file.h"
#include "host/place.h"
#include "host/presence.h"
#include "host/value_area.h"
#include "table/lock.h"
#include "table/table.h"

/* What is asked of a store. The first four are those of whoever makes it; the file's hold after. */
struct jtgi_host_terms {
    uint64_t max_entries;
    uint64_t max_entries_per_group;
    uint64_t max_values;
    uint64_t max_value_bytes;
    struct jtgi_host_spot spot;
    uint32_t lock_wait_ms;
    bool must_exist;
    bool is_in_call;        /* and does not wait for longer than a call may; else as a start may */
    const jtg_clock *clock; /* borrowed */
};

struct jtgi_host_attachment {
    struct jtgi_host_attachment *older; /* that it took the place of, in this process */
    char *path;
    bool is_users_own; /* see store_path.h */
    struct jtgi_host_file file;
    struct jtgi_place *place;
    struct jtgi_lock_party party;
    struct jtgi_table *table;
    struct jtgi_value_area *values;
    _Atomic int64_t looked_ms; /* the path led to this file then: it says nothing of another */
    const char *replaced;      /* why the file that stood there was replaced, or NULL */
    bool made;                 /* by this process */
    bool is_noted;             /* in the header, as one that has come */
    uint64_t emptied;          /* parts that a stray write had broken */
    bool is_retired;           /* its memory was given back */
    struct jtgi_presence presence;
};

/* terms: borrowed, with all that they lead to.
 * Returns: JTG_OK · JTG_ERR_UNSAFE · JTG_ERR_UNAVAILABLE · JTG_ERR_MEMORY · JTG_ERR_BLOCKED ·
 * JTG_ERR_SYSTEM */
jtg_status jtgi_host_attach(struct jtgi_host_attachment **attachment,
                            const struct jtgi_host_terms *terms, jtg_error *err);

/* Did the path lead to it at most a second ago? And: it did, at looked_ms. */
bool jtgi_host_attachment_is_fresh(const struct jtgi_host_attachment *attachment, int64_t now_ms);
void jtgi_host_attachment_note_look(struct jtgi_host_attachment *attachment, int64_t looked_ms);

/* Another file stands at the path by now, and no thread is in this one: its memory is given back.
 * Empty pages take the place of it, for what was lent stays readable and writable; and what that
 * says stays as it is. */
void jtgi_host_attachment_retire(struct jtgi_host_attachment *attachment);

/* in_child: of a fork, which did not get the mapping. */
void jtgi_host_detach(struct jtgi_host_attachment *attachment, bool in_child);

/* Ms since the store was made, at least 1. */
static inline uint64_t jtgi_host_now(const struct jtgi_host_attachment *attachment, int64_t now_ms)
{
    int64_t elapsed_ms = now_ms - attachment->file.header->epoch_ms;
    return elapsed_ms < 0 ? 1 : (uint64_t)elapsed_ms + 1;
}

#endif

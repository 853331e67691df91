/* SPDX-License-Identifier: Apache-2.0 */
/* Another size for a store that is in use: a new file takes the place of the old one, with all that
 * it holds. heir.h says why a kill on the way leaves one or the other.
 *
 * Calls wait meanwhile, for as long as the copy takes; those that cannot wait for so long are
 * answered as blocked, and nothing of them is stored. */
#include "core/error.h"
#include "host/heir.h"
#include "host/parts.h"
#include "host/since.h"
#include "host/visit.h"
#include "table/transfer.h"

#include <errno.h>
#include <jtiguard/host.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; older kernels answer EINVAL */
#endif

/* A move on its way. */
struct move {
    struct jtgi_host_attachment *old;
    const jtg_clock *clock;
    uint64_t max_entries;
    struct jtgi_host_parts parts;
    struct jtgi_host_file file; /* the new one */
    struct jtgi_table *table;   /* in it */
};

/* ---- the new file, before anybody waits for it ---- */

/* As the old one has them. Who is not its owner cannot make it so that the others still trust it.
 */
static jtg_status find_spot(struct jtgi_host_spot *spot, const struct jtgi_host_attachment *old,
                            jtg_error *err)
{
    struct stat about;
    if (stat(old->path, &about) != 0)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, errno, "host store: %s: %s", old->path,
                             strerror(errno));
    if (geteuid() != 0 && geteuid() != about.st_uid)
        return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                             "host store: only its owner or root may resize it");
    bool has_group = (about.st_mode & S_IRWXG) != 0;
    *spot = (struct jtgi_host_spot){
        .path = old->path, .owner = about.st_uid, .group = has_group ? about.st_gid : (gid_t)-1};
    return JTG_OK;
}

static uint64_t share_of(const struct move *move)
{
    uint64_t share = move->old->file.header->max_entries_per_group;
    return share < move->max_entries ? share : move->max_entries;
}

/* What does not change any more. */
static void fill_header(struct move *move)
{
    struct jtgi_host_header *header = move->file.header;
    const struct jtgi_host_attachment *old = move->old;
    header->epoch_ms = old->file.header->epoch_ms;
    jtgi_host_parts_note(&move->parts, header);
    atomic_store(&header->heir_of, old->file.facts.inode);
    atomic_store(&header->is_doubted, 1);
}

static jtg_status open_table(struct move *move, jtg_error *err)
{
    void *memory = jtgi_host_table_of(move->file.header);
    jtgi_table_format(memory, &move->parts.table);
    move->table = jtgi_table_open(memory, &move->parts.table, &move->old->party);
    return move->table != NULL
               ? JTG_OK
               : jtg_error_set(err, JTG_ERR_MEMORY, 0, "host store: no memory for a handle");
}

/* Its pages are had now, while nobody waits. */
static jtg_status make(struct move *move, jtg_error *err)
{
    struct jtgi_host_spot spot;
    struct jtgi_host_identity identity;
    const struct jtgi_host_header *header = move->old->file.header;
    jtgi_table_plan_like(&move->parts.table, move->max_entries, share_of(move),
                         (uint32_t)jtgi_table_partitions(move->old->table));
    jtgi_host_parts_plan(&move->parts, header->max_values, header->max_value_bytes);
    jtg_status status = find_spot(&spot, move->old, err);
    if (status == JTG_OK)
        status = jtgi_host_identity_read(&identity, "/proc", err);
    if (status == JTG_OK)
        status = jtgi_host_file_make(&move->file, &spot, move->parts.bytes, &identity, err);
    if (status != JTG_OK)
        return status;
    (void)madvise(move->file.header, move->file.facts.bytes, MADV_POPULATE_WRITE);
    fill_header(move);
    return open_table(move, err);
}

/* Of the new file, which nobody else has. */
static void unmake(struct move *move)
{
    if (move->table != NULL)
        jtgi_table_close(move->table);
    jtgi_host_file_close(&move->file, false);
}

/* ---- under every lock of the old one ---- */

static jtg_status hold(struct move *move)
{
    struct jtgi_host_attachment *old = move->old;
    jtg_status status = jtgi_host_since_hold(old->file.header, &old->party);
    if (status != JTG_OK)
        return status;
    if (jtgi_table_hold(old->table)) {
        if (jtgi_value_area_hold(old->values))
            return JTG_OK;
        jtgi_table_let_go_locked(old->table);
    }
    jtgi_lock_leave(&old->file.header->dating, &old->party);
    return JTG_ERR_BLOCKED;
}

static void let_go_locked(const struct move *move)
{
    struct jtgi_host_attachment *old = move->old;
    jtgi_value_area_let_go_locked(old->values);
    jtgi_table_let_go_locked(old->table);
    jtgi_lock_leave(&old->file.header->dating, &old->party);
}

/* What was lent is the guards'. */
static jtg_status copy_pieces_locked(const struct move *move)
{
    for (size_t i = 0; i < JTG_BORROWER_COUNT; i++) {
        struct jtgi_host_piece *from = &move->old->file.header->pieces[i];
        if (jtgi_lock_take(&from->lock, &move->old->party) == JTGI_LOCK_BLOCKED)
            return JTG_ERR_BLOCKED;
        memcpy(move->file.header->pieces[i].memory, from->memory, sizeof from->memory);
        jtgi_lock_leave(&from->lock, &move->old->party);
    }
    return JTG_OK;
}

static jtg_status copy_table_locked(const struct move *move, jtg_error *err)
{
    uint64_t now = jtgi_host_now(move->old, jtgi_clock_monotonic_ms(move->clock));
    jtg_status status = jtgi_table_copy_locked(move->table, move->old->table, now);
    return status == JTG_ERR_FULL
               ? jtg_error_set(err, status, 0,
                               "host store: what it holds would not fit into that size")
               : status;
}

/* Since when it has kept everything comes last: what was lent, and the table, date from before. */
static jtg_status copy_locked(const struct move *move, jtg_error *err)
{
    struct jtgi_host_header *to = move->file.header;
    const struct jtgi_host_header *from = move->old->file.header;
    jtg_status status = copy_table_locked(move, err);
    if (status == JTG_OK)
        status = copy_pieces_locked(move);
    jtgi_value_area_copy_locked(move->old->values,
                                jtgi_host_values_of(&move->parts, move->file.header));
    atomic_store(&to->sweep_at, atomic_load(&from->sweep_at));
    atomic_store(&to->sweep_due_ms, atomic_load(&from->sweep_due_ms));
    atomic_store(&to->offset_ms, atomic_load(&from->offset_ms));
    atomic_store(&to->since_ms, atomic_load(&from->since_ms));
    return status;
}

static void mark_locked(const struct move *move, bool moved)
{
    struct jtgi_host_header *header = move->old->file.header;
    if (moved)
        atomic_store(&header->moving, 1);
    jtgi_table_mark_locked(move->old->table, moved);
    jtgi_value_area_mark_locked(move->old->values, moved);
    if (!moved)
        atomic_store(&header->moving, 0);
}

static jtg_status say_exchanged(jtg_error *err)
{
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0,
                         "host store: another file came to stand at its path meanwhile");
}

/* Others may have come into the new one already, and have seen it. */
static bool is_followed(const struct move *move)
{
    const struct jtgi_host_header *header = move->file.header;
    uint64_t inode = move->old->file.facts.inode;
    return jtgi_host_file_was_exchanged(&move->file, move->old->path, inode) ||
           (atomic_load(&header->is_doubted) == 0 && atomic_load(&header->heir_of) == inode);
}

/* The time is noted before the look: whoever proves the heir goes by it. */
static jtg_status exchange_locked(const struct move *move, jtg_error *err)
{
    struct jtgi_host_attachment *old = move->old;
    move->file.header->named_ms = jtgi_clock_monotonic_ms(move->clock);
    if (jtgi_host_file_look(&old->file, old->path) != JTGI_HOST_AT_PATH_SAME)
        return say_exchanged(err);
    mark_locked(move, true);
    jtg_status status = jtgi_host_file_exchange(&move->file, old->path, err);
    if (status != JTG_OK) {
        mark_locked(move, false);
        return status;
    }
    jtgi_host_file_leave(&old->file);
    return is_followed(move) ? JTG_OK : say_exchanged(err);
}

static jtg_status move_all(struct move *move, jtg_error *err)
{
    jtg_status status = make(move, err);
    if (status == JTG_OK)
        status = hold(move);
    if (status != JTG_OK)
        return status;
    status = copy_locked(move, err);
    if (status == JTG_OK)
        status = exchange_locked(move, err);
    let_go_locked(move);
    return status;
}

/* ---- as a whole ---- */

static jtg_status resize_here(const struct jtgi_host_visit *visit, uint64_t max_entries,
                              jtg_error *err)
{
    struct move move = {.old = visit->at,
                        .clock = &visit->host->settings.clock,
                        .max_entries = max_entries,
                        .file = JTGI_HOST_FILE_NONE};
    if (visit->at->file.header->max_entries == max_entries)
        return JTG_OK;
    jtg_status status = move_all(&move, err);
    unmake(&move);
    return status;
}

/* Whoever proved the heir may have had no right to remove the old file. */
static void remove_old(const struct jtgi_host_attachment *heir)
{
    uint64_t old = atomic_load(&heir->file.header->heir_of);
    if (old != 0 && jtgi_host_file_was_exchanged(&heir->file, heir->path, old))
        jtgi_host_file_remove_exchanged(heir->path);
}

/* Its own process is the first to come into the new one, or nearly so, and proves it. */
static jtg_status resize(jtg_cache *cache, uint64_t max_entries, jtg_error *err)
{
    struct jtgi_host_visit visit = JTGI_HOST_VISIT_INIT;
    jtg_status status;
    do {
        status = jtgi_host_visit_enter_checked(&visit, cache, err);
        if (status != JTG_OK)
            return status;
        status = resize_here(&visit, max_entries, err);
    } while (jtgi_host_visit_leave(&visit, status));
    if (status != JTG_OK)
        return status;
    status = jtgi_host_visit_enter_checked(&visit, cache, err);
    if (status != JTG_OK)
        return status;
    remove_old(visit.at);
    (void)jtgi_host_visit_leave(&visit, status);
    return status;
}

jtg_status jtg_host_resize(jtg_cache *cache, uint64_t max_entries, jtg_error *err)
{
    int cancel = 0;
    jtgi_error_begin(err);
    if (max_entries < 1 || max_entries > JTG_HOST_MAX_ENTRIES_LIMIT)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "max_entries is out of its range");
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    jtg_status status = resize(cache, max_entries, err);
    (void)pthread_setcancelstate(cancel, NULL);
    return jtgi_error_end(status, err);
}

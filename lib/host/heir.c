/* SPDX-License-Identifier: Apache-2.0 */
#include "host/heir.h"

#include "host/since.h"
#include "table/transfer.h"

/* The exchange has left the sign of a move (file.h), which is taken away. The clock is read behind
 * all that: a move that was one is not overlooked. */
static bool is_proven(const struct jtgi_host_attachment *heir, const jtg_clock *clock)
{
    const struct jtgi_host_header *header = heir->file.header;
    if (!jtgi_host_file_was_exchanged(&heir->file, heir->path, atomic_load(&header->heir_of)))
        return false;
    jtgi_host_file_forget_move(&heir->file);
    return jtgi_clock_monotonic_ms(clock) - header->named_ms <= JTGI_HOST_LOOK_MS;
}

static void prove_locked(struct jtgi_host_attachment *heir, const jtg_clock *clock)
{
    struct jtgi_host_header *header = heir->file.header;
    if (atomic_load(&header->is_doubted) == 0)
        return; /* another was quicker */
    uint64_t old = atomic_load(&header->heir_of);
    if (!is_proven(heir, clock)) {
        atomic_store(&header->heir_of, 0);
        atomic_store(&header->since_ms, JTGI_HOST_UNDATED);
        jtgi_host_file_stay(&heir->file);
        jtgi_host_since_date(header, jtgi_clock_monotonic_ms(clock));
    }
    atomic_store(&header->is_doubted, 0);
    if (jtgi_host_file_was_exchanged(&heir->file, heir->path, old))
        jtgi_host_file_remove_exchanged(heir->path);
}

jtg_status jtgi_host_heir_prove(struct jtgi_host_attachment *heir,
                                const struct jtgi_lock_party *party, const jtg_clock *clock)
{
    struct jtgi_host_header *header = heir->file.header;
    if (atomic_load(&header->is_doubted) == 0)
        return JTG_OK;
    if (jtgi_lock_take(&header->dating, party) == JTGI_LOCK_BLOCKED)
        return JTG_ERR_BLOCKED;
    prove_locked(heir, clock);
    jtgi_lock_leave(&header->dating, party);
    return JTG_OK;
}

/* What is done to one that is doubted the proof judges. The sign that it has then is noted before
 * anything is written to it, which may take it away: others have seen it, and see it judged. */
bool jtgi_host_heir_was_moved(const struct jtgi_host_attachment *heir)
{
    struct jtgi_host_header *header = heir->file.header;
    if (heir->file.moved_ns == 0)
        return false;
    if (atomic_load(&header->is_doubted) == 0)
        return heir->file.moved_ns != atomic_load(&header->exchanged_ns);
    atomic_store(&header->exchanged_ns, heir->file.moved_ns);
    return false;
}

/* Whoever moves a file holds this lock from the first mark to the last step: who has it, and sees
 * that the path leads here, knows that nobody has moved it and nobody is about to. */
bool jtgi_host_heir_unmark(struct jtgi_host_attachment *old)
{
    struct jtgi_host_header *header = old->file.header;
    bool done = true;
    if (jtgi_lock_take(&header->dating, &old->party) == JTGI_LOCK_BLOCKED)
        return false;
    if (jtgi_host_file_look(&old->file, old->path) == JTGI_HOST_AT_PATH_SAME) {
        done = jtgi_table_unmark(old->table) && jtgi_value_area_unmark(old->values);
        if (done)
            atomic_store(&header->moving, 0);
    }
    jtgi_lock_leave(&header->dating, &old->party);
    return done;
}

bool jtgi_host_heir_is_abandoned(const struct jtgi_host_attachment *old)
{
    uint32_t holder = atomic_load(&old->file.header->dating) & ~JTGI_LOCK_WAITERS;
    return holder == 0 || old->party.is_dead(old->party.context, holder);
}

bool jtgi_host_heir_is_of(const struct jtgi_host_attachment *heir,
                          const struct jtgi_host_attachment *old)
{
    return heir->file.device == old->file.device &&
           atomic_load(&heir->file.header->heir_of) == old->file.facts.inode;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/key_set.h"

#include "core/alloc.h"

#include <string.h>

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- life ---- */

struct jtgi_key_set *jtgi_key_set_new(void)
{
    struct jtgi_key_set *set = jtgi_alloc(sizeof *set);
    if (set != NULL)
        atomic_init(&set->holders, 1);
    return set;
}

struct jtgi_key_set *jtgi_key_set_copy(const struct jtgi_key_set *set)
{
    struct jtgi_key_set *copy = jtgi_key_set_new();
    if (copy == NULL)
        return NULL;
    memcpy(copy->epoch, set->epoch, sizeof copy->epoch);
    copy->version = set->version;
    copy->revoked_ms = set->revoked_ms;
    copy->anchor = set->anchor;
    copy->count = set->count;
    for (size_t i = 0; i < set->count; i++) {
        copy->entries[i] = set->entries[i];
        (void)jtgi_ticket_key_hold(copy->entries[i].key);
    }
    return copy;
}

struct jtgi_key_set *jtgi_key_set_hold(struct jtgi_key_set *set)
{
    (void)atomic_fetch_add_explicit(&set->holders, 1, memory_order_relaxed);
    return set;
}

void jtgi_key_set_drop(struct jtgi_key_set *set)
{
    if (set == NULL || atomic_fetch_sub_explicit(&set->holders, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        jtgi_ticket_key_drop(set->entries[i].key);
    jtgi_free(set);
}

/* ---- looking ---- */

bool jtgi_key_set_same_epoch(const struct jtgi_key_set *a, const struct jtgi_key_set *b)
{
    return memcmp(a->epoch, b->epoch, sizeof a->epoch) == 0;
}

/* The monotonic clock stands still while a machine is suspended, and the wall clock may be set: the
 * later one counts for ends. Nothing but the monotonic clock counts for a beginning. */
struct jtgi_set_time jtgi_key_set_time(const struct jtgi_key_set *set, int64_t monotonic_ms,
                                       int64_t wall_ms)
{
    const struct jtgi_set_anchor *anchor = &set->anchor;
    int64_t least = later(monotonic_ms - anchor->answered_monotonic_ms, 0);
    int64_t most =
        later(monotonic_ms - anchor->asked_monotonic_ms, wall_ms - anchor->asked_wall_ms);
    struct jtgi_set_time now = {anchor->set_ms + least, anchor->set_ms + later(least, most)};
    return now;
}

const struct jtgi_set_entry *jtgi_key_set_find(const struct jtgi_key_set *set,
                                               const unsigned char name[JTG_TICKET_NAME_BYTES])
{
    for (size_t i = set->count; i-- > 0;) /* the newest are asked for most */
        if (memcmp(set->entries[i].key->name, name, JTG_TICKET_NAME_BYTES) == 0)
            return &set->entries[i];
    return NULL;
}

const struct jtgi_set_entry *jtgi_key_set_sealing(const struct jtgi_key_set *set,
                                                  const struct jtgi_set_time *now,
                                                  jtg_ticket_reason *why)
{
    *why = JTG_TICKET_NOT_YET;
    for (size_t i = set->count; i-- > 0;) {
        const struct jtgi_set_entry *entry = &set->entries[i];
        if (now->low_ms < entry->not_before_ms)
            continue;
        if (now->high_ms < entry->encrypt_until_ms)
            return entry;
        *why = JTG_TICKET_KEYS_ENDED;
    }
    return NULL;
}

int64_t jtgi_key_set_end(const struct jtgi_key_set *set)
{
    int64_t end = 0;
    for (size_t i = 0; i < set->count; i++)
        end = later(end, set->entries[i].decrypt_until_ms);
    return end;
}

/* ---- changing ---- */

void jtgi_key_set_add(struct jtgi_key_set *set, const struct jtgi_set_entry *entry)
{
    size_t at = set->count++;
    for (; at > 0 && set->entries[at - 1].not_before_ms > entry->not_before_ms; at--)
        set->entries[at] = set->entries[at - 1];
    set->entries[at] = *entry;
}

void jtgi_key_set_prune(struct jtgi_key_set *set, const struct jtgi_key_schedule *schedule,
                        int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (set->entries[i].decrypt_until_ms + schedule->margin_ms > now_ms)
            set->entries[kept++] = set->entries[i];
        else
            jtgi_ticket_key_drop(set->entries[i].key);
    }
    set->count = kept;
}

void jtgi_key_set_revoke(struct jtgi_key_set *set, int64_t until_ms)
{
    size_t kept = 0;
    set->revoked_ms = until_ms;
    for (size_t i = 0; i < set->count; i++) {
        if (set->entries[i].published_ms > until_ms)
            set->entries[kept++] = set->entries[i];
        else
            jtgi_ticket_key_drop(set->entries[i].key);
    }
    set->count = kept;
}

bool jtgi_key_set_lacks_next(const struct jtgi_key_set *set, int64_t now_ms)
{
    return set->count == 0 || set->entries[set->count - 1].not_before_ms <= now_ms;
}

jtg_status jtgi_key_set_publish(struct jtgi_key_set *set, const struct jtgi_key_schedule *schedule,
                                struct jtgi_span zone, int64_t now_ms)
{
    struct jtgi_set_entry entry = {.published_ms = now_ms};
    if (set->count == JTG_TICKET_KEYS_MAX)
        return JTG_ERR_FULL;
    entry.not_before_ms = now_ms + schedule->lead_ms;
    if (set->count != 0)
        entry.not_before_ms =
            later(entry.not_before_ms,
                  set->entries[set->count - 1].not_before_ms + schedule->rotation_ms);
    entry.encrypt_until_ms = entry.not_before_ms + 2 * schedule->rotation_ms;
    entry.decrypt_until_ms = entry.encrypt_until_ms + schedule->lifetime_ms + schedule->margin_ms;
    jtg_status status = jtgi_ticket_key_draw(&entry.key, zone);
    if (status == JTG_OK)
        jtgi_key_set_add(set, &entry);
    return status;
}

/* Only not_before moves: an instance that has not heard of it yet may seal until the old
 * encrypt_until. */
bool jtgi_key_set_hurry(struct jtgi_key_set *set, const struct jtgi_key_schedule *schedule,
                        int64_t now_ms)
{
    if (jtgi_key_set_lacks_next(set, now_ms))
        return false;
    struct jtgi_set_entry *next = &set->entries[set->count - 1];
    int64_t before_ms = next->not_before_ms;
    next->not_before_ms = earlier(before_ms, later(now_ms, next->published_ms + schedule->lead_ms));
    return next->not_before_ms != before_ms;
}

static bool may_take_in(const struct jtgi_key_set *set, const struct jtgi_set_entry *moved,
                        int64_t now_ms)
{
    return moved->decrypt_until_ms > now_ms && moved->published_ms > set->revoked_ms &&
           jtgi_key_set_find(set, moved->key->name) == NULL;
}

/* A store that went back to an older copy, or somebody who began another set, does not know of the
 * revocation. */
static bool take_over_revocation(struct jtgi_key_set *set, const struct jtgi_key_set *other,
                                 int64_t shift_ms)
{
    int64_t until_ms = later(other->revoked_ms + shift_ms, 1);
    if (other->revoked_ms == 0 || until_ms <= set->revoked_ms)
        return false;
    jtgi_key_set_revoke(set, until_ms);
    return true;
}

bool jtgi_key_set_merge(struct jtgi_key_set *set, const struct jtgi_key_set *other, int64_t now_ms,
                        int64_t shift_ms)
{
    /* How long ago the keys of another epoch were published is only as sure as the clocks of this
     * machine, which may have slept through the revocation. */
    bool takes_keys = set->revoked_ms == 0 || jtgi_key_set_same_epoch(set, other);
    bool changed = take_over_revocation(set, other, shift_ms);
    if (!takes_keys)
        return changed;
    for (size_t i = other->count; i-- > 0 && set->count < JTG_TICKET_KEYS_MAX - 1;) {
        struct jtgi_set_entry moved = other->entries[i];
        moved.published_ms += shift_ms;
        moved.decrypt_until_ms += shift_ms;
        if (!may_take_in(set, &moved, now_ms))
            continue;
        /* It was not published here for long enough: it seals no more. */
        moved.published_ms = earlier(moved.published_ms, now_ms);
        moved.not_before_ms = earlier(moved.not_before_ms + shift_ms, now_ms);
        moved.encrypt_until_ms = moved.not_before_ms;
        (void)jtgi_ticket_key_hold(moved.key);
        jtgi_key_set_add(set, &moved);
        changed = true;
    }
    return changed;
}

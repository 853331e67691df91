/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/tickets/ticket_keys_object.h"
#include "tokens/tickets/ticket_options.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/options.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

/* The size of the first release; a shorter struct was never ours. */
#define STATE_OLDEST_SIZE sizeof(jtg_ticket_keys_state)

/* ---- life ---- */

static jtg_status set_up_ring(jtg_ticket_keys *keys, jtg_cache *cache,
                              const jtg_ticket_options *options, jtg_error *err)
{
    struct jtgi_key_store *store = &keys->ring.store;
    store->cache = cache;
    store->wrapper = keys->wrapper;
    store->clock = &keys->base.clock;
    store->logger = &keys->base.logger;
    store->schedule = jtgi_ticket_options_schedule(options);
    jtgi_key_store_init(store);
    keys->ring.refresh_interval_ms = options->refresh_interval_ms;
    keys->ring.max_seals = options->max_seals;
    return jtgi_key_ring_init(&keys->ring, err);
}

static jtg_status set_up_secrets(jtg_ticket_keys *keys, const jtg_ticket_options *options,
                                 jtg_error *err)
{
    keys->wrapper = jtgi_alloc_permitted() ? sodium_malloc(sizeof *keys->wrapper) : NULL;
    if (keys->wrapper == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the ticket keys");
    jtg_status status = jtgi_ticket_options_wrapper(keys->wrapper, options, err);
    if (status == JTG_OK)
        jtgi_ticket_zone_init(&keys->zone, jtgi_wrapper_zone(keys->wrapper));
    return status;
}

static jtg_status set_up(jtg_ticket_keys *keys, jtg_cache *cache, const jtg_ticket_options *given,
                         jtg_error *err)
{
    jtg_ticket_options options;
    jtg_status status = jtgi_ticket_options_read(&options, given, err);
    if (status == JTG_OK)
        status = jtgi_object_begin(&keys->base, options.clock, options.logger,
                                   JTG_TICKET_REASON_COUNT, err);
    if (status != JTG_OK)
        return status;
    keys->lifetime_s = options.ticket_lifetime_s;
    keys->refresh_on_use = options.refresh_on_use != 0;
    status = set_up_secrets(keys, &options, err);
    return status == JTG_OK ? set_up_ring(keys, cache, &options, err) : status;
}

static void free_parts(jtg_ticket_keys *keys)
{
    sodium_free(keys->wrapper);
    jtgi_object_end(&keys->base);
    jtgi_free(keys);
}

jtg_status jtg_ticket_keys_new(jtg_ticket_keys **keys, jtg_cache *cache,
                               const jtg_ticket_options *options, jtg_error *err)
{
    jtgi_error_begin(err);
    if (keys == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the ticket keys");
    *keys = NULL;
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "cache is NULL");
    jtg_ticket_keys *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the ticket keys");
    jtg_status status = set_up(made, cache, options, err);
    if (status == JTG_OK) {
        *keys = made;
        return JTG_OK;
    }
    free_parts(made);
    return jtgi_error_end(status, err);
}

void jtg_ticket_keys_free(jtg_ticket_keys *keys)
{
    if (keys == NULL)
        return;
    jtgi_key_ring_clear(&keys->ring, jtgi_object_is_forked(&keys->base));
    free_parts(keys);
}

jtg_status jtgi_ticket_keys_forked(const jtg_ticket_keys *keys, jtg_error *err)
{
    return jtgi_object_check(&keys->base, "the ticket keys were", err);
}

/* ---- the set ---- */

static jtg_status change(jtg_ticket_keys *keys, enum jtgi_key_wish wish, jtg_error *err)
{
    jtgi_error_begin(err);
    if (keys == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "keys is NULL");
    jtg_status status = jtgi_ticket_keys_forked(keys, err);
    if (status == JTG_OK)
        status = jtgi_key_ring_refresh(&keys->ring, wish, err);
    return jtgi_error_end(status, err);
}

jtg_status jtg_ticket_keys_refresh(jtg_ticket_keys *keys, jtg_error *err)
{
    return change(keys, JTGI_KEYS_KEEP, err);
}

jtg_status jtg_ticket_keys_load(jtg_ticket_keys *keys, jtg_error *err)
{
    return change(keys, JTGI_KEYS_LOAD, err);
}

jtg_status jtg_ticket_keys_rotate(jtg_ticket_keys *keys, jtg_error *err)
{
    return change(keys, JTGI_KEYS_HURRY, err);
}

jtg_status jtg_ticket_keys_revoke(jtg_ticket_keys *keys, jtg_error *err)
{
    return change(keys, JTGI_KEYS_REVOKE, err);
}

struct jtgi_set_time jtgi_ticket_keys_now(const jtg_ticket_keys *keys,
                                          const struct jtgi_key_set *set)
{
    return jtgi_key_set_time(set, jtgi_clock_monotonic_ms(&keys->base.clock),
                             jtgi_clock_wall_ms(&keys->base.clock));
}

/* ---- choosing a key ---- */

/* A refusal that another refresh may end says how the last one went. */
static jtg_ticket_reason without_key(jtg_ticket_keys *keys, jtg_ticket_reason reason,
                                     jtg_error *err)
{
    jtg_status last = jtgi_key_ring_news(&keys->ring).last;
    (void)jtg_error_set(err, last != JTG_OK ? last : JTG_NOT_FOUND, 0, "%s; the last refresh: %s",
                        jtg_ticket_reason_text(reason), jtg_status_text(last));
    return reason;
}

static jtg_ticket_reason choose_sealing(jtg_ticket_keys *keys, struct jtgi_chosen_key *chosen,
                                        jtg_error *err)
{
    jtg_ticket_reason why = JTG_TICKET_NO_KEYS;
    if (chosen->set == NULL)
        return without_key(keys, why, err);
    chosen->now = jtgi_ticket_keys_now(keys, chosen->set);
    chosen->entry = jtgi_key_set_sealing(chosen->set, &chosen->now, &why);
    chosen->is_sealing = true;
    if (chosen->entry == NULL)
        return without_key(keys, why, err);
    if (!jtgi_ticket_key_count_seal(chosen->entry->key, keys->ring.max_seals))
        return without_key(keys, JTG_TICKET_SEALED_OUT, err);
    return JTG_TICKET_DONE;
}

jtg_ticket_reason jtgi_ticket_keys_sealing(jtg_ticket_keys *keys, struct jtgi_chosen_key *chosen,
                                           jtg_error *err)
{
    if (keys->refresh_on_use)
        jtgi_key_ring_refresh_if_due(&keys->ring);
    memset(chosen, 0, sizeof *chosen);
    chosen->set = jtgi_key_ring_hold(&keys->ring);
    jtg_ticket_reason reason = choose_sealing(keys, chosen, err);
    if (reason != JTG_TICKET_DONE)
        jtgi_key_set_drop(chosen->set);
    return reason;
}

static void look_up(jtg_ticket_keys *keys, const unsigned char *name,
                    struct jtgi_chosen_key *chosen)
{
    jtgi_key_set_drop(chosen->set);
    chosen->set = jtgi_key_ring_hold(&keys->ring);
    chosen->entry = chosen->set != NULL ? jtgi_key_set_find(chosen->set, name) : NULL;
}

static bool is_stale(jtg_ticket_keys *keys)
{
    return jtgi_key_ring_news(&keys->ring).loaded_ago_ms > (uint64_t)keys->ring.refresh_interval_ms;
}

/* A second time, for a process that was stopped in between the looks at the clock. */
static void look_up_in_store(jtg_ticket_keys *keys, const unsigned char *name,
                             struct jtgi_chosen_key *chosen)
{
    if (jtgi_key_ring_recheck(&keys->ring))
        look_up(keys, name, chosen);
    if (chosen->entry == NULL && is_stale(keys) && jtgi_key_ring_recheck(&keys->ring))
        look_up(keys, name, chosen);
}

/* Whoever has looked within a refresh interval knows every key that seals. */
static jtg_ticket_reason not_known(jtg_ticket_keys *keys, const struct jtgi_chosen_key *chosen,
                                   jtg_error *err)
{
    if (chosen->set == NULL)
        return without_key(keys, JTG_TICKET_NO_KEYS, err);
    if (is_stale(keys))
        return without_key(keys, JTG_TICKET_STORE_UNAVAILABLE, err);
    return JTG_TICKET_UNKNOWN_KEY;
}

static jtg_ticket_reason choose_opening(jtg_ticket_keys *keys, const unsigned char *name,
                                        struct jtgi_chosen_key *chosen, jtg_error *err)
{
    jtg_ticket_reason ignored;
    look_up(keys, name, chosen);
    if (chosen->entry == NULL && keys->refresh_on_use)
        look_up_in_store(keys, name, chosen);
    if (chosen->entry == NULL)
        return not_known(keys, chosen, err);
    chosen->now = jtgi_ticket_keys_now(keys, chosen->set);
    if (chosen->now.high_ms >= chosen->entry->decrypt_until_ms)
        return JTG_TICKET_EXPIRED_KEY;
    chosen->is_sealing = jtgi_key_set_sealing(chosen->set, &chosen->now, &ignored) == chosen->entry;
    return JTG_TICKET_DONE;
}

jtg_ticket_reason jtgi_ticket_keys_opening(jtg_ticket_keys *keys,
                                           const unsigned char name[JTG_TICKET_NAME_BYTES],
                                           struct jtgi_chosen_key *chosen, jtg_error *err)
{
    if (keys->refresh_on_use)
        jtgi_key_ring_refresh_if_due(&keys->ring);
    memset(chosen, 0, sizeof *chosen);
    jtg_ticket_reason reason = choose_opening(keys, name, chosen, err);
    if (reason != JTG_TICKET_DONE)
        jtgi_key_set_drop(chosen->set);
    return reason;
}

/* ---- looking ---- */

uint64_t jtg_ticket_keys_counter(const jtg_ticket_keys *keys, jtg_ticket_reason reason)
{
    return keys == NULL ? 0 : jtgi_counters_read(keys->base.counters, (size_t)reason);
}

uint32_t jtg_ticket_keys_lifetime_s(const jtg_ticket_keys *keys)
{
    return keys == NULL ? 0 : keys->lifetime_s;
}

static void describe(const struct jtgi_set_entry *entry, bool is_sealing, jtg_ticket_key_info *info)
{
    memcpy(info->name, entry->key->name, sizeof info->name);
    info->published_ms = entry->published_ms;
    info->not_before_ms = entry->not_before_ms;
    info->encrypt_until_ms = entry->encrypt_until_ms;
    info->decrypt_until_ms = entry->decrypt_until_ms;
    info->seals = atomic_load(&entry->key->seals);
    info->is_sealing = is_sealing;
}

static void describe_set(const jtg_ticket_keys *keys, const struct jtgi_key_set *set,
                         jtg_ticket_keys_state *state)
{
    jtg_ticket_reason ignored;
    struct jtgi_set_time now = jtgi_ticket_keys_now(keys, set);
    const struct jtgi_set_entry *sealing = jtgi_key_set_sealing(set, &now, &ignored);
    state->version = set->version;
    state->now_ms = now.low_ms;
    state->key_count = (uint32_t)set->count;
    for (size_t i = 0; i < set->count; i++)
        describe(&set->entries[i], &set->entries[i] == sealing, &state->keys[i]);
}

jtg_status jtg_ticket_keys_state_get(jtg_ticket_keys *keys, jtg_ticket_keys_state *state,
                                     jtg_error *err)
{
    jtg_ticket_keys_state made = {.struct_size = sizeof made};
    jtgi_error_begin(err);
    if (keys == NULL || state == NULL ||
        !jtgi_struct_size_ok(state->struct_size, STATE_OLDEST_SIZE))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no keys, or state: struct_size is not set");
    jtg_status status = jtgi_ticket_keys_forked(keys, err);
    if (status != JTG_OK)
        return status;
    struct jtgi_ring_news news = jtgi_key_ring_news(&keys->ring);
    struct jtgi_key_set *set = jtgi_key_ring_hold(&keys->ring);
    made.last_refresh = news.last;
    made.loaded_ago_ms = news.loaded_ago_ms;
    if (set != NULL)
        describe_set(keys, set, &made);
    jtgi_key_set_drop(set);
    jtgi_struct_give(state, &made, sizeof made);
    return JTG_OK;
}

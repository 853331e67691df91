/* SPDX-License-Identifier: Apache-2.0 */
/* The core of the Cache interface: checks every argument once, keeps a child of fork() out,
 * hands the call to the backend and counts its answer. It stores nothing. */
#include "core/alloc.h"
#include "core/counters.h"
#include "core/error.h"
#include "core/fork.h"
#include "core/lent.h"
#include "core/object.h"
#include "core/options.h"

#include <jtiguard/backend.h>
#include <stdbool.h>
#include <string.h>

/* A table made before the slots for continuity existed ends here. */
#define BACKEND_OLDEST_SIZE offsetof(jtg_backend, reserve_kept)

static const char *const operation_names[JTG_OPERATION_COUNT] = {
    [JTG_OP_RESERVE] = "reserve",
    [JTG_OP_RELEASE] = "release",
    [JTG_OP_PUT] = "put",
    [JTG_OP_GET] = "get",
    [JTG_OP_TAKE] = "take",
    [JTG_OP_SWAP] = "swap",
    [JTG_OP_DROP] = "drop",
    [JTG_OP_COUNT_ENTRIES] = "count",
    [JTG_OP_CLEAR] = "clear",
    [JTG_OP_PING] = "ping",
    [JTG_OP_KEPT_SINCE] = "kept_since",
    [JTG_OP_PRUNE] = "prune",
    [JTG_OP_BITMAP_PUT] = "bitmap_put",
    [JTG_OP_BITMAP_TAKE] = "bitmap_take",
};

const char *jtg_operation_name(jtg_operation operation)
{
    return (unsigned)operation < JTG_OPERATION_COUNT ? operation_names[operation] : "unknown";
}

/* ---- life ---- */

/* Of an older table nothing behind its end is read. */
#define REACHES(backend, slot)                                                                     \
    ((backend)->struct_size >= offsetof(jtg_backend, slot) + sizeof(backend)->slot)

static bool reaches_kept_slots(const jtg_backend *backend)
{
    return REACHES(backend, kept_since);
}

static bool has_kept_slots(const jtg_backend *backend)
{
    return reaches_kept_slots(backend) && backend->reserve_kept != NULL;
}

static bool has_prune_slot(const jtg_backend *backend)
{
    return REACHES(backend, prune) && backend->prune != NULL;
}

static bool has_many_slot(const jtg_backend *backend)
{
    return REACHES(backend, reserve_many) && backend->reserve_many != NULL;
}

static bool has_epoch_slot(const jtg_backend *backend)
{
    return REACHES(backend, epoch) && backend->epoch != NULL;
}

static bool reaches_bitmap_slots(const jtg_backend *backend)
{
    return REACHES(backend, bitmap_take_many);
}

static bool has_bitmap_slots(const jtg_backend *backend)
{
    return reaches_bitmap_slots(backend) && backend->bitmap_put != NULL;
}

static jtg_status check_backend(const jtg_backend *backend, jtg_error *err)
{
    if (backend == NULL || !jtgi_struct_size_ok(backend->struct_size, BACKEND_OLDEST_SIZE))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "backend: struct_size is not set");
    if (backend->name == NULL || backend->reserve == NULL || backend->release == NULL ||
        backend->count == NULL || backend->clear == NULL || backend->ping == NULL ||
        backend->destroy == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "backend: a mandatory slot is empty");

    int value_slots = (backend->put != NULL) + (backend->get != NULL) + (backend->take != NULL) +
                      (backend->swap != NULL) + (backend->drop != NULL);
    if (value_slots != 0 && value_slots != 5)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "backend: the slots for values are set in part");
    if (reaches_kept_slots(backend) &&
        ((backend->reserve_kept == NULL) != (backend->kept_since == NULL) ||
         (has_epoch_slot(backend) && backend->kept_since == NULL)))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "backend: the slots for continuity are set in part");
    if (jtgi_backend_lends_in_part(backend))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "backend: the slots for lending are set in part");
    if (reaches_bitmap_slots(backend) &&
        (backend->bitmap_put == NULL) != (backend->bitmap_take_many == NULL))
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0,
                             "backend: the slots for bitmaps are set in part");
    return JTG_OK;
}

jtg_status jtg_cache_init(jtg_cache *cache, const jtg_backend *backend, jtg_error *err)
{
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "cache is NULL");
    jtg_status status = check_backend(backend, err);
    struct jtgi_object base;
    if (status == JTG_OK)
        status = jtgi_object_begin(&base, NULL, NULL,
                                   (size_t)JTG_OPERATION_COUNT * JTG_STATUS_COUNT, err);
    if (status != JTG_OK)
        return status;
    *cache = (jtg_cache){backend, base.counters, base.fork_generation, NULL};
    return JTG_OK;
}

void jtg_cache_clear_base(jtg_cache *cache)
{
    jtgi_counters_free(cache->counters);
    cache->counters = NULL;
    cache->backend = NULL;
}

void jtg_cache_free(jtg_cache *cache)
{
    if (cache != NULL)
        cache->backend->destroy(cache);
}

/* ---- what every call passes through ---- */

/* Where the backend describes a failure when the caller did not ask for it. */
struct call {
    jtg_cache *cache;
    jtg_operation operation;
    jtg_error *err;
    jtg_error unasked;
};

static void attach(struct call *call, jtg_cache *cache, jtg_operation operation, jtg_error *err)
{
    call->cache = cache;
    call->operation = operation;
    call->err = err != NULL ? err : &call->unasked;
    call->unasked.text[0] = '\0';
}

static jtg_status begin(struct call *call, jtg_cache *cache, jtg_operation operation,
                        jtg_error *err)
{
    attach(call, cache, operation, err);
    jtgi_error_begin(call->err);

    if (cache == NULL)
        return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "cache is NULL");
    if (cache->fork_generation != jtgi_fork_generation())
        return jtg_error_set(call->err, JTG_ERR_FORKED, 0,
                             "the cache was made before fork: make one in each process");
    return JTG_OK;
}

static jtg_status end(struct call *call, jtg_status status)
{
    /* Only a backend that breaks its contract gets here with a number that is no status. It
     * must not be taken for anything that admits. */
    if ((unsigned)status >= JTG_STATUS_COUNT)
        status = jtg_error_set(call->err, JTG_ERR_PROTOCOL, 0,
                               "the backend answered with an unknown status");
    if (status == JTG_OK)
        jtgi_error_begin(call->err);
    else if (call->err != &call->unasked) /* else nobody reads it */
        (void)jtgi_error_set_status(call->err, status);
    call->err->status = status;
    if (call->cache != NULL)
        jtgi_counters_add(call->cache->counters,
                          (size_t)call->operation * JTG_STATUS_COUNT + (size_t)status);
    return status;
}

static jtg_status check_key(const struct call *call, const jtg_key *key)
{
    if (key == NULL || key->data == NULL || key->data_len == 0)
        return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "the key is empty");
    if (key->data_len > JTG_KEY_MAX_BYTES)
        return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "the key has more than %d bytes",
                             JTG_KEY_MAX_BYTES);
    if (key->group_len > JTG_GROUP_MAX_BYTES)
        return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "the group has more than %d bytes",
                             JTG_GROUP_MAX_BYTES);
    if (key->group == NULL && key->group_len != 0)
        return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "the group is NULL");
    return JTG_OK;
}

static jtg_status check_ttl(const struct call *call, uint64_t ttl_ms)
{
    if (ttl_ms == 0 || ttl_ms > JTG_TTL_MAX_MS)
        return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0,
                             "the time to live is not between 1 ms and 366 days");
    return JTG_OK;
}

static jtg_status check_value(const struct call *call, const void *value, size_t value_len)
{
    if (value == NULL || value_len == 0)
        return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "the value is empty");
    if (value_len > JTG_VALUE_MAX_BYTES)
        return jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "the value has more than %d bytes",
                             JTG_VALUE_MAX_BYTES);
    return JTG_OK;
}

static jtg_status begin_keyed(struct call *call, jtg_cache *cache, jtg_operation operation,
                              const jtg_key *key, jtg_error *err)
{
    jtg_status status = begin(call, cache, operation, err);
    return status == JTG_OK ? check_key(call, key) : status;
}

static jtg_status check_offers_values(const struct call *call)
{
    if (call->cache->backend->put == NULL)
        return jtg_error_set(call->err, JTG_ERR_UNSUPPORTED, 0, "this backend keeps no values");
    return JTG_OK;
}

/* ---- reservations ---- */

/* reserve and reserve_kept: the same arguments, but for the last. */
static jtg_status begin_reserve(struct call *call, jtg_cache *cache, const jtg_key *key,
                                const jtg_owner *owner, uint64_t ttl_ms, jtg_error *err)
{
    jtg_status status = begin_keyed(call, cache, JTG_OP_RESERVE, key, err);
    if (status == JTG_OK && owner == NULL)
        status = jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "the owner is NULL");
    if (status == JTG_OK)
        status = check_ttl(call, ttl_ms);
    return status;
}

jtg_status jtg_cache_reserve(jtg_cache *cache, const jtg_key *key, const jtg_owner *owner,
                             uint64_t ttl_ms, jtg_error *err)
{
    struct call call;
    jtg_status status = begin_reserve(&call, cache, key, owner, ttl_ms, err);
    if (status == JTG_OK)
        status = cache->backend->reserve(cache, key, owner, ttl_ms, call.err);
    return end(&call, status);
}

/* ---- continuity ---- */

int jtg_cache_watches(const jtg_cache *cache)
{
    return cache != NULL && has_kept_slots(cache->backend);
}

static jtg_status check_watches(const struct call *call)
{
    if (!has_kept_slots(call->cache->backend))
        return jtg_error_set(call->err, JTG_ERR_UNSUPPORTED, 0,
                             "this cache does not notice when its store forgets");
    return JTG_OK;
}

jtg_status jtg_cache_reserve_kept(jtg_cache *cache, const jtg_key *key, const jtg_owner *owner,
                                  uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct call call;
    jtg_status status = begin_reserve(&call, cache, key, owner, ttl_ms, err);
    if (status == JTG_OK)
        status = check_watches(&call);
    if (status == JTG_OK)
        status = cache->backend->reserve_kept(cache, key, owner, ttl_ms, kept_since_ms, call.err);
    return end(&call, status);
}

/* The moment since which the store has kept everything, in one way or the other. */
static jtg_status ask_moment(jtg_cache *cache, bool as_epoch, int64_t *moment, jtg_error *err)
{
    struct call call;
    int64_t answer = INT64_MAX;
    jtg_status status = begin(&call, cache, JTG_OP_KEPT_SINCE, err);
    if (status == JTG_OK && moment == NULL)
        status = jtg_error_set(call.err, JTG_ERR_ARGUMENT, 0, "no place for the moment");
    if (status == JTG_OK)
        status = check_watches(&call);
    if (status == JTG_OK)
        status = as_epoch && has_epoch_slot(cache->backend)
                     ? cache->backend->epoch(cache, &answer, call.err)
                     : cache->backend->kept_since(cache, &answer, call.err);
    status = end(&call, status);
    if (status == JTG_OK && moment != NULL)
        *moment = answer;
    return status;
}

jtg_status jtg_cache_kept_since(jtg_cache *cache, int64_t *kept_since_ms, jtg_error *err)
{
    return ask_moment(cache, false, kept_since_ms, err);
}

jtg_status jtg_cache_epoch(jtg_cache *cache, int64_t *epoch, jtg_error *err)
{
    return ask_moment(cache, true, epoch, err);
}

/* ---- many reservations at once ---- */

static void refuse_all(jtg_reserve_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        calls[i].reserved = false;
        calls[i].status = JTG_ERR_ARGUMENT;
    }
}

static jtg_status begin_one(struct call *call, jtg_cache *cache, const jtg_reserve_call *one,
                            size_t count)
{
    jtg_status status = begin_reserve(call, cache, &one->key, one->owner, one->ttl_ms, one->err);
    if (status == JTG_OK && count > JTG_MANY_MAX)
        status = jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "more than %d calls at once",
                               JTG_MANY_MAX);
    if (status == JTG_OK && one->kept_since_ms != JTG_KEPT_ANY)
        status = check_watches(call);
    return status;
}

static void end_one(struct call *call, jtg_reserve_call *one, jtg_status status)
{
    one->status = end(call, status);
    one->reserved = one->status == JTG_OK;
}

/* Those that are good, and end the others. */
static size_t begin_all(jtg_cache *cache, jtg_reserve_call *calls, size_t count,
                        jtg_reserve_call **good)
{
    size_t good_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct call call;
        jtg_status status = begin_one(&call, cache, &calls[i], count);
        calls[i].status = JTG_ERR_TIMEOUT; /* until the backend says more */
        if (status == JTG_OK)
            good[good_count++] = &calls[i];
        else
            end_one(&call, &calls[i], status);
    }
    return good_count;
}

static void reserve_together(jtg_cache *cache, jtg_reserve_call *calls, size_t count)
{
    jtg_reserve_call *good[JTG_MANY_MAX];
    size_t good_count = begin_all(cache, calls, count, good);
    if (good_count > 0)
        cache->backend->reserve_many(cache, good, good_count);
    for (size_t i = 0; i < good_count; i++) {
        struct call call;
        attach(&call, cache, JTG_OP_RESERVE, good[i]->err);
        end_one(&call, good[i], good[i]->status);
    }
}

static jtg_status reserve_one(const struct call *call, const jtg_reserve_call *one)
{
    const jtg_backend *backend = call->cache->backend;
    if (one->kept_since_ms == JTG_KEPT_ANY)
        return backend->reserve(call->cache, &one->key, one->owner, one->ttl_ms, call->err);
    return backend->reserve_kept(call->cache, &one->key, one->owner, one->ttl_ms,
                                 one->kept_since_ms, call->err);
}

static void reserve_in_turn(jtg_cache *cache, jtg_reserve_call *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct call call;
        jtg_status status = begin_one(&call, cache, &calls[i], count);
        if (status == JTG_OK)
            status = reserve_one(&call, &calls[i]);
        end_one(&call, &calls[i], status);
    }
}

void jtg_cache_reserve_many(jtg_cache *cache, jtg_reserve_call *calls, size_t count)
{
    if (calls == NULL)
        return;
    refuse_all(calls, count);
    if (cache != NULL && count <= JTG_MANY_MAX && has_many_slot(cache->backend))
        reserve_together(cache, calls, count);
    else
        reserve_in_turn(cache, calls, count);
}

size_t jtg_cache_at_once(const jtg_cache *cache)
{
    if (cache == NULL)
        return 0;
    return has_many_slot(cache->backend) ? (size_t)JTG_MANY_MAX : 1;
}

/* ---- the end of a reservation ---- */

jtg_status jtg_cache_release(jtg_cache *cache, const jtg_key *key, const jtg_owner *owner,
                             jtg_error *err)
{
    struct call call;
    jtg_status status = begin_keyed(&call, cache, JTG_OP_RELEASE, key, err);
    if (status == JTG_OK && owner == NULL)
        status = jtg_error_set(call.err, JTG_ERR_ARGUMENT, 0, "the owner is NULL");
    if (status == JTG_OK)
        status = cache->backend->release(cache, key, owner, call.err);
    return end(&call, status);
}

/* ---- values ---- */

jtg_status jtg_cache_put(jtg_cache *cache, const jtg_key *key, const void *value, size_t value_len,
                         uint64_t ttl_ms, size_t keep, jtg_error *err)
{
    struct call call;
    jtg_status status = begin_keyed(&call, cache, JTG_OP_PUT, key, err);
    if (status == JTG_OK)
        status = check_value(&call, value, value_len);
    if (status == JTG_OK)
        status = check_ttl(&call, ttl_ms);
    if (status == JTG_OK && (keep == 0 || keep > JTG_KEEP_MAX))
        status = jtg_error_set(call.err, JTG_ERR_ARGUMENT, 0, "keep is not between 1 and %d",
                               JTG_KEEP_MAX);
    if (status == JTG_OK)
        status = check_offers_values(&call);
    if (status == JTG_OK)
        status = cache->backend->put(cache, key, value, value_len, ttl_ms, keep, call.err);
    return end(&call, status);
}

typedef jtg_status (*read_slot)(jtg_cache *, const jtg_key *, jtg_value *, jtg_error *);

/* get and take: the same arguments, and the same care for the value that goes out. */
static jtg_status read_value(struct call *call, jtg_status status, read_slot slot,
                             const jtg_key *key, jtg_value *value)
{
    if (status == JTG_OK && value == NULL)
        status = jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "no place for the value");
    if (value != NULL)
        memset(value, 0, sizeof *value);
    if (status == JTG_OK)
        status = check_offers_values(call);
    if (status == JTG_OK) /* then there is a cache, and so a slot: */
        /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
        status = slot(call->cache, key, value, call->err);
    status = end(call, status);
    if (status != JTG_OK)
        jtg_value_clear(value);
    return status;
}

jtg_status jtg_cache_get(jtg_cache *cache, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    struct call call;
    jtg_status status = begin_keyed(&call, cache, JTG_OP_GET, key, err);
    return read_value(&call, status, cache != NULL ? cache->backend->get : NULL, key, value);
}

jtg_status jtg_cache_take(jtg_cache *cache, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    struct call call;
    jtg_status status = begin_keyed(&call, cache, JTG_OP_TAKE, key, err);
    return read_value(&call, status, cache != NULL ? cache->backend->take : NULL, key, value);
}

jtg_status jtg_cache_swap(jtg_cache *cache, const jtg_key *key, const void *expected,
                          size_t expected_len, const void *value, size_t value_len, uint64_t ttl_ms,
                          jtg_error *err)
{
    struct call call;
    jtg_status status = begin_keyed(&call, cache, JTG_OP_SWAP, key, err);
    bool has_expected = expected != NULL || expected_len != 0;
    bool has_value = value != NULL || value_len != 0;
    if (status == JTG_OK && !has_expected && !has_value)
        status =
            jtg_error_set(call.err, JTG_ERR_ARGUMENT, 0, "neither an expected nor a new value");
    if (status == JTG_OK && has_expected)
        status = check_value(&call, expected, expected_len);
    if (status == JTG_OK && has_value)
        status = check_value(&call, value, value_len);
    if (status == JTG_OK && has_value)
        status = check_ttl(&call, ttl_ms);
    if (status == JTG_OK && !has_value && ttl_ms != 0)
        status = jtg_error_set(call.err, JTG_ERR_ARGUMENT, 0, "a time to live without a value");
    if (status == JTG_OK)
        status = check_offers_values(&call);
    if (status == JTG_OK)
        status = cache->backend->swap(cache, key, expected, expected_len, value, value_len, ttl_ms,
                                      call.err);
    return end(&call, status);
}

jtg_status jtg_cache_drop(jtg_cache *cache, const jtg_key *key, jtg_error *err)
{
    struct call call;
    jtg_status status = begin_keyed(&call, cache, JTG_OP_DROP, key, err);
    if (status == JTG_OK)
        status = check_offers_values(&call);
    if (status == JTG_OK)
        status = cache->backend->drop(cache, key, call.err);
    return end(&call, status);
}

/* ---- bitmaps ---- */

static jtg_status check_offers_bitmaps(const struct call *call, int64_t kept_since_ms)
{
    if (!has_bitmap_slots(call->cache->backend))
        return jtg_error_set(call->err, JTG_ERR_UNSUPPORTED, 0, "this backend keeps no bitmaps");
    return kept_since_ms == JTG_KEPT_ANY ? JTG_OK : check_watches(call);
}

jtg_status jtg_cache_bitmap_put(jtg_cache *cache, const jtg_key *key, uint32_t bits,
                                uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    struct call call;
    jtg_status status = begin_keyed(&call, cache, JTG_OP_BITMAP_PUT, key, err);
    if (status == JTG_OK && (bits == 0 || bits > JTG_BITMAP_MAX_BITS))
        status = jtg_error_set(call.err, JTG_ERR_ARGUMENT, 0, "bits is not between 1 and %d",
                               JTG_BITMAP_MAX_BITS);
    if (status == JTG_OK)
        status = check_ttl(&call, ttl_ms);
    if (status == JTG_OK)
        status = check_offers_bitmaps(&call, kept_since_ms);
    if (status == JTG_OK)
        status = cache->backend->bitmap_put(cache, key, bits, ttl_ms, kept_since_ms, call.err);
    return end(&call, status);
}

static jtg_status begin_take(struct call *call, jtg_cache *cache, const jtg_bitmap_call *one,
                             size_t count)
{
    jtg_status status = begin_keyed(call, cache, JTG_OP_BITMAP_TAKE, &one->key, one->err);
    if (status == JTG_OK && count > JTG_MANY_MAX)
        status = jtg_error_set(call->err, JTG_ERR_ARGUMENT, 0, "more than %d calls at once",
                               JTG_MANY_MAX);
    return status == JTG_OK ? check_offers_bitmaps(call, one->kept_since_ms) : status;
}

static void end_take(struct call *call, jtg_bitmap_call *one, jtg_status status)
{
    one->status = end(call, status);
    one->taken = one->status == JTG_OK;
}

/* No bit that does not exist reaches a backend: of the longest bitmap's there is none behind it. */
static bool may_have_bit(const jtg_bitmap_call *one)
{
    return one->bit < JTG_BITMAP_MAX_BITS;
}

void jtg_cache_bitmap_take_many(jtg_cache *cache, jtg_bitmap_call *calls, size_t count)
{
    jtg_bitmap_call *good[JTG_MANY_MAX];
    size_t good_count = 0;
    if (calls == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        struct call call;
        calls[i].taken = false;
        jtg_status status = begin_take(&call, cache, &calls[i], count);
        if (status == JTG_OK && !may_have_bit(&calls[i]))
            status = JTG_NOT_FOUND;
        calls[i].status = JTG_ERR_TIMEOUT; /* until the backend says more */
        if (status == JTG_OK)
            good[good_count++] = &calls[i];
        else
            end_take(&call, &calls[i], status);
    }
    if (good_count > 0) /* then there is a cache */
        cache->backend->bitmap_take_many(cache, good, good_count);
    for (size_t i = 0; i < good_count; i++) {
        struct call call;
        attach(&call, cache, JTG_OP_BITMAP_TAKE, good[i]->err);
        end_take(&call, good[i], good[i]->status);
    }
}

jtg_status jtg_cache_bitmap_take(jtg_cache *cache, const jtg_key *key, uint32_t bit,
                                 int64_t kept_since_ms, jtg_error *err)
{
    static const jtg_key none = {NULL, 0, NULL, 0};
    jtg_bitmap_call call = JTG_BITMAP_CALL_INIT;
    jtg_error unasked = JTG_ERROR_INIT;
    call.key = key != NULL ? *key : none;
    call.bit = bit;
    call.kept_since_ms = kept_since_ms;
    call.err = err != NULL ? err : &unasked;
    jtg_cache_bitmap_take_many(cache, &call, 1);
    return call.status;
}

/* ---- the whole cache ---- */

jtg_status jtg_cache_count(jtg_cache *cache, uint64_t *count, jtg_error *err)
{
    struct call call;
    uint64_t counted = 0;
    jtg_status status = begin(&call, cache, JTG_OP_COUNT_ENTRIES, err);
    if (status == JTG_OK && count == NULL)
        status = jtg_error_set(call.err, JTG_ERR_ARGUMENT, 0, "no place for the count");
    if (status == JTG_OK)
        status = cache->backend->count(cache, &counted, call.err);
    status = end(&call, status);
    if (status == JTG_OK && count != NULL)
        *count = counted;
    return status;
}

jtg_status jtg_cache_clear(jtg_cache *cache, jtg_error *err)
{
    struct call call;
    jtg_status status = begin(&call, cache, JTG_OP_CLEAR, err);
    if (status == JTG_OK)
        status = cache->backend->clear(cache, call.err);
    return end(&call, status);
}

jtg_status jtg_cache_prune(jtg_cache *cache, uint64_t *removed, jtg_error *err)
{
    struct call call;
    uint64_t counted = 0;
    jtg_status status = begin(&call, cache, JTG_OP_PRUNE, err);
    if (status == JTG_OK && has_prune_slot(cache->backend))
        status = cache->backend->prune(cache, &counted, call.err);
    status = end(&call, status);
    if (status == JTG_OK && removed != NULL)
        *removed = counted;
    return status;
}

jtg_status jtg_cache_ping(jtg_cache *cache, jtg_error *err)
{
    struct call call;
    jtg_status status = begin(&call, cache, JTG_OP_PING, err);
    if (status == JTG_OK)
        status = cache->backend->ping(cache, call.err);
    return end(&call, status);
}

uint64_t jtg_cache_counter(const jtg_cache *cache, jtg_operation operation, jtg_status status)
{
    if (cache == NULL || (unsigned)operation >= JTG_OPERATION_COUNT ||
        (unsigned)status >= JTG_STATUS_COUNT)
        return 0;
    return jtgi_counters_read(cache->counters,
                              (size_t)operation * JTG_STATUS_COUNT + (size_t)status);
}

const char *jtg_cache_backend(const jtg_cache *cache)
{
    return cache == NULL ? "none" : cache->backend->name;
}

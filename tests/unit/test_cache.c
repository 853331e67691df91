/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatch in front of every backend, seen through a backend that answers what it is told to
 * and notes what reaches it. */
#include "support/asserts.h"

#include <jtiguard/backend.h>
#include <stdbool.h>
#include <string.h>

#define LIFE_MS       UINT64_C(10000)
#define KEPT_SINCE_MS INT64_C(1795176000000)
#define EPOCH         INT64_C(4711)

struct scripted {
    jtg_cache base;
    jtg_status answer;
    const char *text;  /* what it says of a failure; NULL = nothing */
    bool hands_out;    /* fills out values even where it fails */
    bool says_nothing; /* of many */
    unsigned reached;  /* calls that got here */
    size_t together;   /* how many came at once, the last time */
    bool destroyed;
};

static struct scripted *of(jtg_cache *self)
{
    return (struct scripted *)self;
}

static jtg_status answer(jtg_cache *self, jtg_error *err)
{
    struct scripted *scripted = of(self);
    scripted->reached++;
    assert_non_null(err);
    assert_int_equal(err->text[0], '\0');
    if (scripted->text != NULL)
        return jtg_error_set(err, scripted->answer, 5, "%s", scripted->text);
    return scripted->answer;
}

static jtg_status reserve(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          uint64_t ttl_ms, jtg_error *err)
{
    assert_true(key->data_len > 0 && owner != NULL && ttl_ms > 0);
    return answer(self, err);
}

static jtg_status release(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                          jtg_error *err)
{
    assert_true(key->data_len > 0 && owner != NULL);
    return answer(self, err);
}

static jtg_status count(jtg_cache *self, uint64_t *counted, jtg_error *err)
{
    assert_int_equal(*counted, 0);
    *counted = 42;
    return answer(self, err);
}

static jtg_status reserve_kept(jtg_cache *self, const jtg_key *key, const jtg_owner *owner,
                               uint64_t ttl_ms, int64_t kept_since_ms, jtg_error *err)
{
    assert_int_equal(kept_since_ms, KEPT_SINCE_MS);
    return reserve(self, key, owner, ttl_ms, err);
}

static jtg_status kept_since(jtg_cache *self, int64_t *kept_since_ms, jtg_error *err)
{
    *kept_since_ms = KEPT_SINCE_MS;
    return answer(self, err);
}

static jtg_status epoch_slot(jtg_cache *self, int64_t *epoch, jtg_error *err)
{
    *epoch = EPOCH;
    return answer(self, err);
}

static jtg_status whole(jtg_cache *self, jtg_error *err)
{
    return answer(self, err);
}

static void destroy(jtg_cache *self)
{
    assert_false(of(self)->destroyed);
    of(self)->destroyed = true;
    jtg_cache_clear_base(self);
}

static jtg_status put(jtg_cache *self, const jtg_key *key, const void *value, size_t value_len,
                      uint64_t ttl_ms, size_t keep, jtg_error *err)
{
    assert_true(key->data_len > 0 && value != NULL && value_len > 0 && ttl_ms > 0 && keep > 0);
    return answer(self, err);
}

static jtg_status read(jtg_cache *self, const jtg_key *key, jtg_value *value, jtg_error *err)
{
    assert_true(key->data_len > 0 && value->data == NULL && value->data_len == 0);
    if (of(self)->answer == JTG_OK || of(self)->hands_out)
        assert_status(jtg_value_set(value, "value", 5, 1), JTG_OK);
    return answer(self, err);
}

static jtg_status swap(jtg_cache *self, const jtg_key *key, const void *expected,
                       size_t expected_len, const void *value, size_t value_len, uint64_t ttl_ms,
                       jtg_error *err)
{
    assert_true(key->data_len > 0 && (expected == NULL) == (expected_len == 0));
    assert_true((value == NULL) == (value_len == 0) && (value == NULL) == (ttl_ms == 0));
    return answer(self, err);
}

static jtg_status drop(jtg_cache *self, const jtg_key *key, jtg_error *err)
{
    assert_true(key->data_len > 0);
    return answer(self, err);
}

static jtg_status prune(jtg_cache *self, uint64_t *removed, jtg_error *err)
{
    assert_int_equal(*removed, 0);
    *removed = 43;
    return answer(self, err);
}

/* Answers each in its turn; what it was told of one it says of all. Answers none without a status.
 */
static void reserve_many(jtg_cache *self, jtg_reserve_call *const *calls, size_t count)
{
    struct scripted *scripted = of(self);
    scripted->reached++;
    scripted->together = count;
    for (size_t i = 0; i < count && !scripted->says_nothing; i++) {
        assert_true(calls[i]->key.data_len > 0 && calls[i]->owner != NULL && calls[i]->ttl_ms > 0);
        assert_status(calls[i]->status, JTG_ERR_TIMEOUT);
        assert_false(calls[i]->reserved);
        calls[i]->status = scripted->answer;
        if (scripted->text != NULL)
            (void)jtg_error_set(calls[i]->err, scripted->answer, 5, "%s", scripted->text);
    }
}

static jtg_status bitmap_put(jtg_cache *self, const jtg_key *key, uint32_t bits, uint64_t ttl_ms,
                             int64_t kept_since_ms, jtg_error *err)
{
    assert_true(key->data_len > 0 && bits > 0 && ttl_ms > 0 && kept_since_ms == JTG_KEPT_ANY);
    return answer(self, err);
}

static void bitmap_take_many(jtg_cache *self, jtg_bitmap_call *const *calls, size_t count)
{
    struct scripted *scripted = of(self);
    scripted->reached++;
    for (size_t i = 0; i < count && !scripted->says_nothing; i++) {
        assert_true(calls[i]->key.data_len > 0 && calls[i]->bit < JTG_BITMAP_MAX_BITS);
        assert_status(calls[i]->status, JTG_ERR_TIMEOUT);
        assert_false(calls[i]->taken);
        calls[i]->status = scripted->answer;
        if (scripted->text != NULL)
            (void)jtg_error_set(calls[i]->err, scripted->answer, 5, "%s", scripted->text);
    }
}

#define RESERVATIONS                                                                               \
    .struct_size = sizeof(jtg_backend), .name = "scripted", .reserve = reserve,                    \
    .release = release, .count = count, .clear = whole, .ping = whole, .destroy = destroy

static const jtg_backend complete = {RESERVATIONS,
                                     .put = put,
                                     .get = read,
                                     .take = read,
                                     .swap = swap,
                                     .drop = drop,
                                     .reserve_kept = reserve_kept,
                                     .kept_since = kept_since,
                                     .prune = prune,
                                     .reserve_many = reserve_many,
                                     .bitmap_put = bitmap_put,
                                     .bitmap_take_many = bitmap_take_many};
static const jtg_backend reservations_only = {RESERVATIONS};

/* ---- every operation, so that a test can go through them ---- */

static const jtg_key key = {"a key", 5, NULL, 0};
static const jtg_owner owner = {"an owner"};

static jtg_status call(jtg_cache *cache, jtg_operation operation, jtg_error *err)
{
    jtg_value value = JTG_VALUE_INIT;
    jtg_status status = JTG_ERR_SYSTEM;
    uint64_t counted = 0;
    int64_t since_ms = 0;
    switch (operation) {
    case JTG_OP_RESERVE:
        return jtg_cache_reserve(cache, &key, &owner, LIFE_MS, err);
    case JTG_OP_RELEASE:
        return jtg_cache_release(cache, &key, &owner, err);
    case JTG_OP_PUT:
        return jtg_cache_put(cache, &key, "v", 1, LIFE_MS, 1, err);
    case JTG_OP_GET:
        status = jtg_cache_get(cache, &key, &value, err);
        break;
    case JTG_OP_TAKE:
        status = jtg_cache_take(cache, &key, &value, err);
        break;
    case JTG_OP_SWAP:
        return jtg_cache_swap(cache, &key, "a", 1, "b", 1, LIFE_MS, err);
    case JTG_OP_DROP:
        return jtg_cache_drop(cache, &key, err);
    case JTG_OP_COUNT_ENTRIES:
        return jtg_cache_count(cache, &counted, err);
    case JTG_OP_CLEAR:
        return jtg_cache_clear(cache, err);
    case JTG_OP_PING:
        return jtg_cache_ping(cache, err);
    case JTG_OP_KEPT_SINCE:
        return jtg_cache_kept_since(cache, &since_ms, err);
    case JTG_OP_PRUNE:
        return jtg_cache_prune(cache, &counted, err);
    case JTG_OP_BITMAP_PUT:
        return jtg_cache_bitmap_put(cache, &key, 8, LIFE_MS, JTG_KEPT_ANY, err);
    case JTG_OP_BITMAP_TAKE:
        return jtg_cache_bitmap_take(cache, &key, 7, JTG_KEPT_ANY, err);
    case JTG_OPERATION_COUNT:
        break;
    }
    assert_int_equal(value.data != NULL, status == JTG_OK);
    jtg_value_clear(&value);
    return status;
}

static void open_scripted(struct scripted *scripted, const jtg_backend *backend)
{
    memset(scripted, 0, sizeof *scripted);
    assert_status(jtg_cache_init(&scripted->base, backend, NULL), JTG_OK);
}

/* ---- the tests ---- */

/* Nothing that a store answers is turned into another answer, above all not into JTG_OK: an
 * error read as "not seen" is how other guards admit (hole 2). */
static void hole_02_an_error_is_passed_on_as_it_is(void **state)
{
    struct scripted scripted;
    (void)state;
    open_scripted(&scripted, &complete);
    for (unsigned operation = 0; operation < JTG_OPERATION_COUNT; operation++)
        for (unsigned status = 0; status < JTG_STATUS_COUNT; status++) {
            jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
            scripted.answer = (jtg_status)status;
            assert_status(call(&scripted.base, (jtg_operation)operation, &err), (jtg_status)status);
            assert_err_tells(&err, (jtg_status)status);
            assert_status(call(&scripted.base, (jtg_operation)operation, NULL), (jtg_status)status);
            assert_int_equal(
                jtg_cache_counter(&scripted.base, (jtg_operation)operation, (jtg_status)status), 2);
        }
    assert_int_equal(scripted.reached, 2 * JTG_OPERATION_COUNT * JTG_STATUS_COUNT);
    jtg_cache_free(&scripted.base);
}

/* A backend that breaks its contract admits nobody. */
static void an_unknown_answer_is_no_answer(void **state)
{
    static const int unknown[] = {-1, JTG_STATUS_COUNT, 1000, -2147483647 - 1};
    struct scripted scripted;
    (void)state;
    open_scripted(&scripted, &complete);
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        jtg_error err = JTG_ERROR_INIT;
        scripted.answer = (jtg_status)unknown[i];
        assert_status(call(&scripted.base, JTG_OP_RESERVE, &err), JTG_ERR_PROTOCOL);
        assert_err_tells(&err, JTG_ERR_PROTOCOL);
    }
    assert_int_equal(jtg_cache_counter(&scripted.base, JTG_OP_RESERVE, JTG_ERR_PROTOCOL), 4);
    jtg_cache_free(&scripted.base);
}

static void a_backends_words_reach_the_caller(void **state)
{
    struct scripted scripted;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    open_scripted(&scripted, &complete);
    scripted.answer = JTG_ERR_UNAVAILABLE;
    scripted.text = "connection refused";
    assert_status(call(&scripted.base, JTG_OP_RESERVE, &err), JTG_ERR_UNAVAILABLE);
    assert_string_equal(err.text, "connection refused");
    assert_int_equal(err.system_errno, 5);

    scripted.text = NULL;
    assert_status(call(&scripted.base, JTG_OP_RESERVE, &err), JTG_ERR_UNAVAILABLE);
    assert_string_equal(err.text, jtg_status_text(JTG_ERR_UNAVAILABLE));
    assert_int_equal(err.system_errno, 0);
    jtg_cache_free(&scripted.base);
}

/* Words about a success would be taken for a failure. */
static void a_success_leaves_err_empty(void **state)
{
    struct scripted scripted;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    open_scripted(&scripted, &complete);
    scripted.text = "chatty";
    assert_status(call(&scripted.base, JTG_OP_RESERVE, &err), JTG_OK);
    assert_err_tells(&err, JTG_OK);
    jtg_cache_free(&scripted.base);
}

static void a_failure_hands_nothing_out(void **state)
{
    struct scripted scripted;
    jtg_value value = JTG_VALUE_INIT;
    uint64_t counted = 7;
    (void)state;
    open_scripted(&scripted, &complete);
    scripted.hands_out = true;
    scripted.answer = JTG_ERR_TIMEOUT;
    assert_status(jtg_cache_take(&scripted.base, &key, &value, NULL), JTG_ERR_TIMEOUT);
    assert_null(value.data);
    assert_status(jtg_cache_get(&scripted.base, &key, &value, NULL), JTG_ERR_TIMEOUT);
    assert_null(value.data);
    assert_status(jtg_cache_count(&scripted.base, &counted, NULL), JTG_ERR_TIMEOUT);
    assert_int_equal(counted, 7);
    assert_status(jtg_cache_prune(&scripted.base, &counted, NULL), JTG_ERR_TIMEOUT);
    assert_int_equal(counted, 7);
    scripted.answer = JTG_OK;
    assert_status(jtg_cache_count(&scripted.base, &counted, NULL), JTG_OK);
    assert_int_equal(counted, 42);
    assert_status(jtg_cache_prune(&scripted.base, &counted, NULL), JTG_OK);
    assert_int_equal(counted, 43);
    assert_status(jtg_cache_prune(&scripted.base, NULL, NULL), JTG_OK);
    jtg_cache_free(&scripted.base);
}

static void what_a_backend_lacks_is_unsupported(void **state)
{
    struct scripted scripted;
    jtg_error err = JTG_ERROR_INIT;
    (void)state;
    open_scripted(&scripted, &reservations_only);
    for (unsigned operation = 0; operation < JTG_OPERATION_COUNT; operation++) {
        bool lacks = (operation >= JTG_OP_PUT && operation <= JTG_OP_DROP) ||
                     operation == JTG_OP_KEPT_SINCE || operation == JTG_OP_BITMAP_PUT ||
                     operation == JTG_OP_BITMAP_TAKE;
        jtg_status expected = lacks ? JTG_ERR_UNSUPPORTED : JTG_OK;
        assert_status(call(&scripted.base, (jtg_operation)operation, &err), expected);
        assert_err_tells(&err, expected);
    }
    /* eight are unsupported, and what has ended goes by itself */
    assert_int_equal(scripted.reached, JTG_OPERATION_COUNT - 9);
    jtg_cache_free(&scripted.base);
}

static void bad_arguments_reach_no_backend(void **state)
{
    struct scripted scripted;
    jtg_key empty = {"", 0, NULL, 0};
    (void)state;
    open_scripted(&scripted, &complete);
    assert_status(jtg_cache_reserve(&scripted.base, &empty, &owner, LIFE_MS, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_reserve(&scripted.base, &key, &owner, 0, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_take(&scripted.base, &key, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_count(&scripted.base, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_int_equal(scripted.reached, 0);
    jtg_cache_free(&scripted.base);
}

static void no_cache_is_a_bad_argument(void **state)
{
    (void)state;
    for (unsigned operation = 0; operation < JTG_OPERATION_COUNT; operation++) {
        jtg_error err = JTG_ERROR_INIT;
        assert_status(call(NULL, (jtg_operation)operation, &err), JTG_ERR_ARGUMENT);
        assert_err_tells(&err, JTG_ERR_ARGUMENT);
        assert_status(call(NULL, (jtg_operation)operation, NULL), JTG_ERR_ARGUMENT);
    }
    assert_int_equal(jtg_cache_counter(NULL, JTG_OP_RESERVE, JTG_ERR_ARGUMENT), 0);
    assert_string_equal(jtg_cache_backend(NULL), "none");
    assert_int_equal(jtg_cache_at_once(NULL), 0);
    jtg_cache_free(NULL);
}

static void a_cache_is_destroyed_once(void **state)
{
    struct scripted scripted;
    (void)state;
    open_scripted(&scripted, &complete);
    assert_string_equal(jtg_cache_backend(&scripted.base), "scripted");
    assert_false(scripted.destroyed);
    jtg_cache_free(&scripted.base);
    assert_true(scripted.destroyed);
}

/* ---- tables ---- */

static void table_refused(const jtg_backend *backend)
{
    jtg_cache cache;
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_cache_init(&cache, backend, &err), JTG_ERR_ARGUMENT);
    assert_err_tells(&err, JTG_ERR_ARGUMENT);
}

#define REFUSED_WITHOUT(slot)                                                                      \
    do {                                                                                           \
        jtg_backend backend = complete;                                                            \
        backend.slot = NULL;                                                                       \
        table_refused(&backend);                                                                   \
    } while (0)

static void a_table_with_a_hole_is_refused(void **state)
{
    (void)state;
    table_refused(NULL);
    REFUSED_WITHOUT(name);
    REFUSED_WITHOUT(reserve);
    REFUSED_WITHOUT(release);
    REFUSED_WITHOUT(count);
    REFUSED_WITHOUT(clear);
    REFUSED_WITHOUT(ping);
    REFUSED_WITHOUT(destroy);
    REFUSED_WITHOUT(put);
    REFUSED_WITHOUT(get);
    REFUSED_WITHOUT(take);
    REFUSED_WITHOUT(swap);
    REFUSED_WITHOUT(drop);
    REFUSED_WITHOUT(reserve_kept);
    REFUSED_WITHOUT(kept_since);
    jtg_error err = JTG_ERROR_INIT;
    assert_status(jtg_cache_init(NULL, &complete, &err), JTG_ERR_ARGUMENT);
}

static void a_table_without_its_size_is_refused(void **state)
{
    (void)state;
    jtg_backend backend = complete;
    backend.struct_size = 0;
    table_refused(&backend);
    backend.struct_size = SIZE_MAX; /* was never set */
    table_refused(&backend);
    backend.struct_size = offsetof(jtg_backend, reserve_kept) - 1;
    table_refused(&backend);
}

/* ---- continuity ---- */

static void reserve_kept_passes_on_what_is_needed(void **state)
{
    struct scripted scripted;
    (void)state;
    open_scripted(&scripted, &complete);
    assert_true(jtg_cache_watches(&scripted.base));
    for (unsigned status = 0; status < JTG_STATUS_COUNT; status++) {
        jtg_error err = {JTG_ERR_SYSTEM, 1, "left from an earlier call"};
        scripted.answer = (jtg_status)status;
        assert_status(
            jtg_cache_reserve_kept(&scripted.base, &key, &owner, LIFE_MS, KEPT_SINCE_MS, &err),
            (jtg_status)status);
        assert_err_tells(&err, (jtg_status)status);
        assert_int_equal(jtg_cache_counter(&scripted.base, JTG_OP_RESERVE, (jtg_status)status), 1);
    }
    jtg_cache_free(&scripted.base);
}

static void reserve_kept_checks_as_reserve_does(void **state)
{
    struct scripted scripted;
    jtg_key empty = {"", 0, NULL, 0};
    (void)state;
    open_scripted(&scripted, &complete);
    assert_status(jtg_cache_reserve_kept(NULL, &key, &owner, 1, 0, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_reserve_kept(&scripted.base, &empty, &owner, 1, 0, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_reserve_kept(&scripted.base, &key, NULL, 1, 0, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_reserve_kept(&scripted.base, &key, &owner, 0, 0, NULL),
                  JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_kept_since(&scripted.base, NULL, NULL), JTG_ERR_ARGUMENT);
    assert_int_equal(scripted.reached, 0);
    jtg_cache_free(&scripted.base);
}

/* A time is handed out with JTG_OK only. */
static void a_refused_kept_since_tells_no_time(void **state)
{
    struct scripted scripted;
    int64_t since_ms = 7;
    (void)state;
    open_scripted(&scripted, &complete);
    scripted.answer = JTG_ERR_UNAVAILABLE;
    assert_status(jtg_cache_kept_since(&scripted.base, &since_ms, NULL), JTG_ERR_UNAVAILABLE);
    assert_int_equal(since_ms, 7);
    scripted.answer = JTG_OK;
    assert_status(jtg_cache_kept_since(&scripted.base, &since_ms, NULL), JTG_OK);
    assert_int_equal(since_ms, KEPT_SINCE_MS);
    jtg_cache_free(&scripted.base);
}

/* By its own slot where the backend has one, else by the time since which all was kept. */
static void an_epoch_is_asked_of_the_store(void **state)
{
    struct scripted scripted;
    jtg_backend numbered = complete;
    int64_t epoch = 7;
    (void)state;
    open_scripted(&scripted, &complete);
    assert_status(jtg_cache_epoch(&scripted.base, &epoch, NULL), JTG_OK);
    assert_int_equal(epoch, KEPT_SINCE_MS);
    assert_status(jtg_cache_epoch(NULL, &epoch, NULL), JTG_ERR_ARGUMENT);
    assert_status(jtg_cache_epoch(&scripted.base, NULL, NULL), JTG_ERR_ARGUMENT);
    jtg_cache_free(&scripted.base);
    numbered.epoch = epoch_slot;
    open_scripted(&scripted, &numbered);
    assert_status(jtg_cache_epoch(&scripted.base, &epoch, NULL), JTG_OK);
    assert_int_equal(epoch, EPOCH);
    scripted.answer = JTG_ERR_BLOCKED;
    epoch = 7;
    assert_status(jtg_cache_epoch(&scripted.base, &epoch, NULL), JTG_ERR_BLOCKED);
    assert_int_equal(epoch, 7);
    assert_int_equal(jtg_cache_counter(&scripted.base, JTG_OP_KEPT_SINCE, JTG_OK), 1);
    jtg_cache_free(&scripted.base);
    numbered.kept_since = NULL;
    numbered.reserve_kept = NULL;
    table_refused(&numbered);
}

/* A table of before the slots ends in front of them: what lies there is not read. */
static void an_older_table_does_not_watch(void **state)
{
    struct scripted scripted;
    jtg_backend older = complete;
    (void)state;
    older.struct_size = offsetof(jtg_backend, reserve_kept);
    open_scripted(&scripted, &older);
    assert_false(jtg_cache_watches(&scripted.base));
    assert_status(jtg_cache_reserve(&scripted.base, &key, &owner, LIFE_MS, NULL), JTG_OK);
    assert_status(jtg_cache_reserve_kept(&scripted.base, &key, &owner, LIFE_MS, 0, NULL),
                  JTG_ERR_UNSUPPORTED);
    assert_int_equal(scripted.reached, 1);
    jtg_cache_free(&scripted.base);
    older.kept_since = NULL;
    open_scripted(&scripted, &older);
    jtg_cache_free(&scripted.base);
    assert_false(jtg_cache_watches(NULL));
}

/* ---- prune ---- */

static void what_goes_by_itself_is_not_pruned(void **state)
{
    struct scripted scripted;
    uint64_t removed = 7;
    (void)state;
    open_scripted(&scripted, &reservations_only);
    assert_status(jtg_cache_prune(&scripted.base, &removed, NULL), JTG_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(scripted.reached, 0);
    jtg_cache_free(&scripted.base);
}

/* It watches, and what lies behind its end is not called. */
static void a_table_of_before_prune_is_taken_as_it_is(void **state)
{
    struct scripted scripted;
    jtg_backend older = complete;
    uint64_t removed = 7;
    (void)state;
    older.struct_size = offsetof(jtg_backend, prune);
    open_scripted(&scripted, &older);
    assert_true(jtg_cache_watches(&scripted.base));
    assert_status(jtg_cache_prune(&scripted.base, &removed, NULL), JTG_OK);
    assert_int_equal(removed, 0);
    assert_int_equal(scripted.reached, 0);
    jtg_cache_free(&scripted.base);
    older.kept_since = NULL;
    table_refused(&older);
}

/* ---- many at once ---- */

enum { MANY = 3 };

static void ask_many(struct scripted *scripted, jtg_reserve_call calls[MANY], jtg_error errs[MANY])
{
    for (unsigned i = 0; i < MANY; i++) {
        errs[i] = (jtg_error){JTG_ERR_SYSTEM, 1, "left from an earlier call"};
        calls[i] = (jtg_reserve_call){.key = key,
                                      .owner = &owner,
                                      .ttl_ms = LIFE_MS,
                                      .kept_since_ms = KEPT_SINCE_MS,
                                      .err = i == 1 ? NULL : &errs[i],
                                      .reserved = true};
    }
    jtg_cache_reserve_many(&scripted->base, calls, MANY);
}

static void many_answer(struct scripted *scripted, jtg_status expected)
{
    jtg_reserve_call calls[MANY];
    jtg_error errs[MANY];
    uint64_t before = jtg_cache_counter(&scripted->base, JTG_OP_RESERVE, expected);
    ask_many(scripted, calls, errs);
    for (unsigned i = 0; i < MANY; i++) {
        assert_status(calls[i].status, expected);
        assert_int_equal(calls[i].reserved, expected == JTG_OK);
        if (calls[i].err != NULL)
            assert_err_tells(calls[i].err, expected);
    }
    assert_int_equal(jtg_cache_counter(&scripted->base, JTG_OP_RESERVE, expected), before + MANY);
}

/* In one call where it has the slot, else in a row: an older table ends in front of it. */
static void many_are_passed_on_as_they_are(void **state)
{
    jtg_backend older = complete;
    struct scripted scripted;
    (void)state;
    older.struct_size = offsetof(jtg_backend, reserve_many);
    for (unsigned together = 0; together < 2; together++) {
        open_scripted(&scripted, together ? &complete : &older);
        assert_int_equal(jtg_cache_at_once(&scripted.base), together ? JTG_MANY_MAX : 1);
        for (unsigned status = 0; status < JTG_STATUS_COUNT; status++) {
            scripted.answer = (jtg_status)status;
            many_answer(&scripted, (jtg_status)status);
        }
        assert_int_equal(scripted.reached, JTG_STATUS_COUNT * (together ? 1 : MANY));
        assert_int_equal(scripted.together, together ? MANY : 0);
        scripted.answer = (jtg_status)JTG_STATUS_COUNT;
        many_answer(&scripted, JTG_ERR_PROTOCOL);
        scripted.answer = (jtg_status)-1;
        many_answer(&scripted, JTG_ERR_PROTOCOL);
        scripted.answer = JTG_OK;
        scripted.text = "chatty";
        many_answer(&scripted, JTG_OK);
        jtg_cache_free(&scripted.base);
    }
}

/* A backend that leaves one out, against its contract: nobody knows what became of it. */
static void what_a_backend_does_not_answer_is_unknown(void **state)
{
    struct scripted scripted;
    (void)state;
    open_scripted(&scripted, &complete);
    scripted.says_nothing = true;
    many_answer(&scripted, JTG_ERR_TIMEOUT);
    jtg_cache_free(&scripted.base);
}

static void of_many_the_bad_ones_reach_no_backend(void **state)
{
    struct scripted scripted;
    jtg_reserve_call calls[4] = {JTG_RESERVE_CALL_INIT};
    (void)state;
    for (unsigned i = 1; i < 4; i++)
        calls[i] = (jtg_reserve_call){key, &owner, LIFE_MS, JTG_KEPT_ANY, NULL, true, JTG_OK};
    calls[3].ttl_ms = 0;
    open_scripted(&scripted, &complete);
    jtg_cache_reserve_many(&scripted.base, calls, 4);
    assert_int_equal(scripted.together, 2);
    assert_true(!calls[0].reserved && calls[1].reserved && calls[2].reserved && !calls[3].reserved);
    calls[2].key.data_len = 0;
    jtg_cache_reserve_many(&scripted.base, calls + 2, 2);
    assert_int_equal(scripted.reached, 1); /* not even with none */
    jtg_cache_free(&scripted.base);
}

/* ---- later tables ---- */

static void offer(void)
{
}

/* What it offers beside what we know is not asked for. */
static void a_later_table_is_taken(void **state)
{
    struct {
        jtg_backend known;
        void (*later)(void);
    } longer = {complete, offer};
    struct scripted scripted;
    (void)state;
    longer.known.struct_size = sizeof longer;
    open_scripted(&scripted, &longer.known);
    assert_status(call(&scripted.base, JTG_OP_RESERVE, NULL), JTG_OK);
    jtg_cache_free(&scripted.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hole_02_an_error_is_passed_on_as_it_is),
        cmocka_unit_test(an_unknown_answer_is_no_answer),
        cmocka_unit_test(a_backends_words_reach_the_caller),
        cmocka_unit_test(a_success_leaves_err_empty),
        cmocka_unit_test(a_failure_hands_nothing_out),
        cmocka_unit_test(what_a_backend_lacks_is_unsupported),
        cmocka_unit_test(bad_arguments_reach_no_backend),
        cmocka_unit_test(no_cache_is_a_bad_argument),
        cmocka_unit_test(a_cache_is_destroyed_once),
        cmocka_unit_test(a_table_with_a_hole_is_refused),
        cmocka_unit_test(a_table_without_its_size_is_refused),
        cmocka_unit_test(a_later_table_is_taken),
        cmocka_unit_test(many_are_passed_on_as_they_are),
        cmocka_unit_test(what_a_backend_does_not_answer_is_unknown),
        cmocka_unit_test(of_many_the_bad_ones_reach_no_backend),
        cmocka_unit_test(reserve_kept_passes_on_what_is_needed),
        cmocka_unit_test(reserve_kept_checks_as_reserve_does),
        cmocka_unit_test(a_refused_kept_since_tells_no_time),
        cmocka_unit_test(an_epoch_is_asked_of_the_store),
        cmocka_unit_test(an_older_table_does_not_watch),
        cmocka_unit_test(what_goes_by_itself_is_not_pruned),
        cmocka_unit_test(a_table_of_before_prune_is_taken_as_it_is),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A token is marked as seen, then stored, then its origin is brought to the front of the list. In
 * this order of two threads that process the two copies of one retransmitted frame one stores it;
 * and no origin with a token is missing in the list but for one whose process was killed between
 * the last two steps: its tokens are handed out like others, and end with their time.
 *
 * What a store that lost its last changes holds again is told by its epoch (epoch.h). */
#include "tokens/quic/quic_cache.h"

#include "tokens/common/endpoint.h"
#include "tokens/common/epoch.h"
#include "tokens/common/seen.h"
#include "tokens/quic/quic_origins.h"
#include "tokens/quic/quic_record.h"
#include "tokens/quic/quic_token.h"

#include "core/alloc.h"
#include "core/error.h"

#include <jtiguard/status.h>
#include <stdio.h>
#include <string.h>

#define TOKENS_PREFIX "quic:1:"
#define SEEN_PREFIX   "quic-seen:1:"
#define LIST_PREFIX   "quic-origins:1:"
enum {
    DIGEST_BYTES = JTGI_ENDPOINT_DIGEST_BYTES,
    TOKENS_KEY_BYTES = sizeof TOKENS_PREFIX - 1 + JTGI_ENDPOINT_DIGEST_TEXT_BYTES,
    SEEN_KEY_BYTES = sizeof SEEN_PREFIX - 1 + JTGI_ENDPOINT_DIGEST_TEXT_BYTES,
    LIST_KEY_BYTES = sizeof LIST_PREFIX - 1 + JTG_QUIC_NAME_MAX_BYTES,
    /* Each time the list is not what it was, another caller got on. */
    CHANGE_TRIES = 64,
    PRUNE_TRIES = 4
};

static const char endpoint_label[] = "jtiguard quic endpoint 1";
static const char version_label[] = "jtiguard quic version 1";
static const char token_label[] = "jtiguard quic token 1";

struct quic_cache {
    jtg_cache *cache; /* borrowed */
    uint64_t remember_ms;
    size_t max_per_origin;
    size_t max_origins;
    bool watches;
    char name[JTG_QUIC_NAME_MAX_BYTES + 1];
    char list_key[LIST_KEY_BYTES + 1];
};

/* ---- keys ---- */

struct origin {
    unsigned char digest[DIGEST_BYTES];
    char key[TOKENS_KEY_BYTES + 1];
};

static void set_key(struct origin *origin)
{
    jtgi_endpoint_key(TOKENS_PREFIX, origin->digest, origin->key, sizeof origin->key);
}

static jtg_key key_of(const struct origin *origin)
{
    jtg_key key = {origin->key, TOKENS_KEY_BYTES, NULL, 0};
    return key;
}

static jtg_key list_key_of(const struct quic_cache *self)
{
    jtg_key key = {self->list_key, strlen(self->list_key), NULL, 0};
    return key;
}

static jtg_status find_origin(const struct quic_cache *self, const jtg_endpoint *endpoint,
                              uint32_t version, struct origin *origin, jtg_error *err)
{
    unsigned char digest[DIGEST_BYTES];
    const unsigned char number[] = {(unsigned char)(version >> 24), (unsigned char)(version >> 16),
                                    (unsigned char)(version >> 8), (unsigned char)version};
    jtg_status status = jtgi_endpoint_digest(endpoint, endpoint_label, self->name, digest, err);
    if (status != JTG_OK)
        return status;
    jtgi_endpoint_ticket_digest(digest, version_label, number, sizeof number, origin->digest);
    set_key(origin);
    return JTG_OK;
}

/* Where nothing to be found is no failure, err does not tell of one. */
static jtg_status found_or_not(jtg_status status, jtg_error *err)
{
    if (status != JTG_NOT_FOUND)
        return status;
    jtgi_error_begin(err);
    return JTG_OK;
}

static jtg_status say_crowded(jtg_error *err)
{
    jtgi_error_begin(err);
    return jtg_error_set(err, JTG_ERR_UNAVAILABLE, 0, "too many store tokens at once");
}

/* ---- the list of origins ---- */

static jtg_status read_list(const struct quic_cache *self, jtg_value *list, jtg_error *err)
{
    jtg_key key = list_key_of(self);
    return found_or_not(jtg_cache_get(self->cache, &key, list, err), err);
}

static jtg_status swap_list(const struct quic_cache *self, const jtg_value *list,
                            const struct jtgi_quic_change *change, uint64_t ttl_ms, jtg_error *err)
{
    jtg_key key = list_key_of(self);
    return jtg_cache_swap(self->cache, &key, list->data, list->data_len, change->bytes, change->len,
                          ttl_ms, err);
}

/* The list lives longer than the tokens, so that who stores again and again need not change it. */
static uint64_t list_ttl(const jtg_value *list, uint64_t ttl_ms)
{
    uint64_t wanted = ttl_ms > JTG_TTL_MAX_MS / 2 ? JTG_TTL_MAX_MS : 2 * ttl_ms;
    return list->ttl_ms > wanted ? list->ttl_ms : wanted;
}

/* Who is at the front stays there whatever others do at the same time: nothing below removes it. */
static bool is_noted(const jtg_value *list, const struct origin *origin, uint64_t ttl_ms)
{
    return list->ttl_ms >= ttl_ms && jtgi_quic_origins_count(list->data, list->data_len) != 0 &&
           memcmp(jtgi_quic_origins_at(list->data, 0), origin->digest, DIGEST_BYTES) == 0;
}

static jtg_status try_to_note(const struct quic_cache *self, const struct origin *origin,
                              uint64_t ttl_ms, struct jtgi_quic_change *change, jtg_error *err)
{
    jtg_value list = JTG_VALUE_INIT;
    jtg_status status = read_list(self, &list, err);
    if (status == JTG_OK && !is_noted(&list, origin, ttl_ms)) {
        status = jtgi_quic_origins_front(change, list.data, list.data_len, origin->digest,
                                         self->max_origins);
        if (status == JTG_OK)
            status = swap_list(self, &list, change, list_ttl(&list, ttl_ms), err);
    }
    jtg_value_clear(&list);
    return status;
}

static jtg_status drop_digest(const struct quic_cache *self, const unsigned char *digest,
                              jtg_error *err)
{
    struct origin origin;
    memcpy(origin.digest, digest, DIGEST_BYTES);
    set_key(&origin);
    jtg_key key = key_of(&origin);
    return found_or_not(jtg_cache_drop(self->cache, &key, err), err);
}

/* Bring the origin to the front, and drop the tokens of those that make room. */
static jtg_status note_origin(const struct quic_cache *self, const struct origin *origin,
                              uint64_t ttl_ms, jtg_error *err)
{
    struct jtgi_quic_change change = {0};
    jtg_status status = JTG_MISMATCH;
    for (int tries = 0; status == JTG_MISMATCH && tries < CHANGE_TRIES; tries++) {
        jtgi_quic_change_clear(&change);
        status = try_to_note(self, origin, ttl_ms, &change, err);
    }
    for (size_t i = 0; status == JTG_OK && i < change.pushed_count; i++)
        status = drop_digest(self, change.pushed[i], err);
    jtgi_quic_change_clear(&change);
    return status == JTG_MISMATCH ? say_crowded(err) : status;
}

/* ---- storing ---- */

static jtg_status put_token(const struct quic_cache *self, const struct origin *origin,
                            const struct jtgi_quic_record *record, jtg_error *err)
{
    jtg_key key = key_of(origin);
    size_t len = JTGI_QUIC_RECORD_FIXED_BYTES + record->token_len;
    unsigned char *bytes = jtgi_alloc(len);
    if (bytes == NULL)
        return JTG_ERR_MEMORY;
    jtgi_quic_record_write(record, bytes);
    jtg_status status =
        jtg_cache_put(self->cache, &key, bytes, len, record->ttl_ms, self->max_per_origin, err);
    jtgi_free_wiped(bytes, len);
    return status;
}

struct mark {
    char bytes[SEEN_KEY_BYTES + 1];
    jtg_key key;
    jtg_owner owner;
};

static void make_mark(const struct quic_cache *self, const struct origin *origin,
                      const jtg_quic_token *token, struct mark *mark)
{
    unsigned char digest[DIGEST_BYTES];
    jtgi_endpoint_ticket_digest(origin->digest, token_label, token->data, token->data_len, digest);
    jtgi_endpoint_key(SEEN_PREFIX, digest, mark->bytes, sizeof mark->bytes);
    mark->key = (jtg_key){mark->bytes, SEEN_KEY_BYTES, self->name, strlen(self->name)};
    jtg_owner_generate(&mark->owner);
}

static jtg_status reserve(const struct quic_cache *self, const struct mark *mark, uint64_t ttl_ms,
                          int64_t connected_ms, jtg_error *err)
{
    if (ttl_ms < self->remember_ms)
        ttl_ms = self->remember_ms;
    if (self->watches && connected_ms != 0)
        return jtg_cache_reserve_kept(self->cache, &mark->key, &mark->owner, ttl_ms, connected_ms,
                                      err);
    return jtg_cache_reserve(self->cache, &mark->key, &mark->owner, ttl_ms, err);
}

static jtg_status store_marked(const struct quic_cache *self, const struct origin *origin,
                               const struct mark *mark, const struct jtgi_quic_record *record,
                               jtg_error *err)
{
    jtg_status status = put_token(self, origin, record, err);
    jtgi_seen_settle(self->cache, &mark->key, &mark->owner, status);
    return status == JTG_OK ? note_origin(self, origin, record->ttl_ms, err) : status;
}

static jtg_status store(void *context, const jtg_endpoint *endpoint, uint32_t version,
                        const jtg_quic_token *token, uint64_t ttl_ms, jtg_error *err)
{
    const struct quic_cache *self = context;
    struct origin origin;
    struct mark mark;
    struct jtgi_quic_record record = {0, token->rtt_us, ttl_ms, token->data, token->data_len};
    jtg_status status = find_origin(self, endpoint, version, &origin, err);
    if (status == JTG_OK)
        status = jtgi_epoch_read(self->cache, &record.epoch, err);
    if (status != JTG_OK)
        return status;
    make_mark(self, &origin, token, &mark);
    status = reserve(self, &mark, ttl_ms, token->connected_ms, err);
    if (status == JTG_OK)
        return store_marked(self, &origin, &mark, &record, err);
    if (status == JTG_ERR_CONTINUITY)
        (void)!jtg_cache_release(self->cache, &mark.key, &mark.owner, NULL);
    return status;
}

/* ---- handing out ---- */

typedef jtg_status (*reader)(jtg_cache *, const jtg_key *, jtg_value *, jtg_error *);

/* The token takes the value's bytes over, so that one that was removed cannot be lost for want of
 * memory. */
static jtg_status open_value(jtg_value *value, int64_t *epoch, jtg_quic_token *token,
                             jtg_error *err)
{
    struct jtgi_quic_record record;
    if (!jtgi_quic_record_read(&record, value->data, value->data_len))
        return jtg_error_set(err, JTG_ERR_PROTOCOL, 0, "what is stored is no token of ours");
    *epoch = record.epoch;
    token->data = record.token;
    token->data_len = record.token_len;
    token->rtt_us = record.rtt_us;
    token->left_ms = value->ttl_ms;
    token->age_ms = record.ttl_ms > value->ttl_ms ? record.ttl_ms - value->ttl_ms : 0;
    token->storage = value->data;
    token->storage_len = value->data_len;
    *value = (jtg_value)JTG_VALUE_INIT;
    return JTG_OK;
}

static jtg_status hand_out(const struct quic_cache *self, const jtg_endpoint *endpoint,
                           uint32_t version, reader read, int64_t *epoch, jtg_quic_token *token,
                           jtg_error *err)
{
    struct origin origin;
    jtg_value value = JTG_VALUE_INIT;
    jtg_status status = find_origin(self, endpoint, version, &origin, err);
    if (status != JTG_OK)
        return status;
    jtg_key key = key_of(&origin);
    status = read(self->cache, &key, &value, err);
    if (status == JTG_OK)
        status = open_value(&value, epoch, token, err);
    jtg_value_clear(&value);
    return status;
}

static jtg_status lookup(void *context, const jtg_endpoint *endpoint, uint32_t version,
                         jtg_quic_token *token, jtg_error *err)
{
    int64_t epoch = JTGI_EPOCH_NONE;
    return hand_out(context, endpoint, version, jtg_cache_get, &epoch, token, err);
}

static jtg_status take(void *context, const jtg_endpoint *endpoint, uint32_t version,
                       jtg_quic_token *token, jtg_error *err)
{
    const struct quic_cache *self = context;
    int64_t epoch = JTGI_EPOCH_NONE;
    jtg_status status = hand_out(self, endpoint, version, jtg_cache_take, &epoch, token, err);
    if (status == JTG_OK)
        status = jtgi_epoch_check(self->cache, epoch, err);
    if (status != JTG_OK)
        jtg_quic_token_clear(token);
    return status;
}

/* ---- removing, counting ---- */

static jtg_status drop_origin(void *context, const jtg_endpoint *endpoint, uint32_t version,
                              jtg_error *err)
{
    const struct quic_cache *self = context;
    struct origin origin;
    jtg_status status = find_origin(self, endpoint, version, &origin, err);
    if (status != JTG_OK)
        return status;
    jtg_key key = key_of(&origin);
    return jtg_cache_drop(self->cache, &key, err);
}

static jtg_status drop_list(const struct quic_cache *self, const jtg_value *list, jtg_error *err)
{
    size_t count = jtgi_quic_origins_count(list->data, list->data_len);
    jtg_status status = JTG_OK;
    for (size_t i = 0; status == JTG_OK && i < count; i++)
        status = drop_digest(self, jtgi_quic_origins_at(list->data, i), err);
    return status;
}

/* Tokens first, so that a clear that was cut short can be made again. Who stored meanwhile has
 * changed the list, but for the one at its front: that one is dropped once more. */
static jtg_status try_to_clear(const struct quic_cache *self, jtg_error *err)
{
    static const struct jtgi_quic_change nothing = {0};
    jtg_value list = JTG_VALUE_INIT;
    jtg_status status = read_list(self, &list, err);
    if (status == JTG_OK && list.data != NULL) {
        status = drop_list(self, &list, err);
        if (status == JTG_OK)
            status = swap_list(self, &list, &nothing, 0, err);
        if (status == JTG_OK && jtgi_quic_origins_count(list.data, list.data_len) != 0)
            status = drop_digest(self, jtgi_quic_origins_at(list.data, 0), err);
    }
    jtg_value_clear(&list);
    return status;
}

static jtg_status clear(void *context, jtg_error *err)
{
    jtg_status status = JTG_MISMATCH;
    for (int tries = 0; status == JTG_MISMATCH && tries < CHANGE_TRIES; tries++)
        status = try_to_clear(context, err);
    return status == JTG_MISMATCH ? say_crowded(err) : status;
}

/* Which origins of a list have a live token. */
static jtg_status look_at_list(const struct quic_cache *self, const jtg_value *list, bool *live,
                               size_t count, jtg_error *err)
{
    jtg_status status = JTG_OK;
    for (size_t i = 0; status == JTG_OK && i < count; i++) {
        struct origin origin;
        jtg_value value = JTG_VALUE_INIT;
        memcpy(origin.digest, jtgi_quic_origins_at(list->data, i), DIGEST_BYTES);
        set_key(&origin);
        jtg_key key = key_of(&origin);
        status = jtg_cache_get(self->cache, &key, &value, err);
        live[i] = status == JTG_OK;
        jtg_value_clear(&value);
        status = found_or_not(status, err);
    }
    return status;
}

static uint64_t number_of(const bool *live, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number += live[i];
    return number;
}

/* Take out of the list who has no token; not the first, see is_noted(). */
static jtg_status shorten_list(const struct quic_cache *self, const jtg_value *list, bool *live,
                               size_t count, jtg_error *err)
{
    struct jtgi_quic_change change;
    live[0] = true;
    if (number_of(live, count) == count)
        return JTG_OK;
    jtg_status status = jtgi_quic_origins_filter(&change, list->data, list->data_len, live);
    if (status == JTG_OK)
        status = swap_list(self, list, &change, list->ttl_ms, err);
    jtgi_quic_change_clear(&change);
    return status;
}

static jtg_status look_at_all(const struct quic_cache *self, bool shorten, uint64_t *origins,
                              jtg_error *err)
{
    jtg_value list = JTG_VALUE_INIT;
    jtg_status status = read_list(self, &list, err);
    size_t count = status == JTG_OK ? jtgi_quic_origins_count(list.data, list.data_len) : 0;
    *origins = 0;
    if (count != 0) {
        bool *live = jtgi_alloc(count * sizeof *live);
        status = live == NULL ? JTG_ERR_MEMORY : look_at_list(self, &list, live, count, err);
        if (status == JTG_OK)
            *origins = number_of(live, count);
        if (status == JTG_OK && shorten)
            status = shorten_list(self, &list, live, count, err);
        jtgi_free(live);
    }
    jtg_value_clear(&list);
    return status;
}

static jtg_status size(void *context, uint64_t *origins, jtg_error *err)
{
    return look_at_all(context, false, origins, err);
}

static jtg_status prune(void *context, uint64_t *origins, jtg_error *err)
{
    const struct quic_cache *self = context;
    jtg_status status = JTG_MISMATCH;
    for (int tries = 0; status == JTG_MISMATCH && tries < PRUNE_TRIES; tries++)
        status = look_at_all(self, true, origins, err);
    if (status != JTG_OK && status != JTG_MISMATCH) /* who keeps changing the list is alive */
        return status;
    return jtg_cache_prune(self->cache, NULL, err);
}

/* ---- life ---- */

jtg_status jtgi_quic_cache_functions(jtg_quic_functions *functions, jtg_cache *cache,
                                     const jtg_quic_tokens_options *options, jtg_error *err)
{
    struct quic_cache *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the tokens");
    made->cache = cache;
    made->remember_ms = options->remember_ms;
    made->max_per_origin = options->max_per_origin;
    made->max_origins = options->max_origins;
    made->watches = jtg_cache_watches(cache) != 0;
    (void)snprintf(made->name, sizeof made->name, "%s", options->name);
    (void)snprintf(made->list_key, sizeof made->list_key, LIST_PREFIX "%s", options->name);
    *functions = (jtg_quic_functions){.struct_size = sizeof *functions,
                                      .context = made,
                                      .store = store,
                                      .lookup = lookup,
                                      .take = take,
                                      .remove = drop_origin,
                                      .clear = clear,
                                      .size = size,
                                      .prune = prune};
    return JTG_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "tokens/common/epoch.h"
#include "tokens/common/key_file.h"
#include "tokens/common/seen.h"
#include "tokens/dtls/dtls_record.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/object.h"
#include "core/options.h"
#include "core/range.h"

#include <jtiguard/status.h>
#include <sodium.h>
#include <string.h>

/* The sizes of the first release; a shorter struct was never ours. */
#define OPTIONS_OLDEST_SIZE sizeof(jtg_dtls_options)
#define SESSION_OLDEST_SIZE sizeof(jtg_dtls_session)

#define ENDPOINT_PREFIX "dtls:1:"
#define SEEN_PREFIX     "dtls-seen:1:"
enum {
    KEY_BYTES = sizeof ENDPOINT_PREFIX - 1 + JTGI_ENDPOINT_DIGEST_TEXT_BYTES,
    SEEN_KEY_BYTES = sizeof SEEN_PREFIX - 1 + JTGI_ENDPOINT_DIGEST_TEXT_BYTES,
    /* A record is sent again for minutes, also that of a ticket that lives for seconds. */
    SEEN_LEAST_MS = 600000
};

static const char endpoint_label[] = "jtiguard dtls endpoint 1";
static const char ticket_label[] = "jtiguard dtls ticket 1";

struct jtg_dtls_sessions {
    struct jtgi_object base;
    jtg_cache *cache; /* borrowed */
    size_t max_per_endpoint;
    struct jtgi_record_sealer *sealer; /* in locked memory */
    char zone[JTG_DTLS_ZONE_MAX_BYTES + 1];
};

static const jtg_dtls_session no_session = JTG_DTLS_SESSION_INIT;

void jtg_dtls_options_init(jtg_dtls_options *options)
{
    static const jtg_dtls_options defaults = JTG_DTLS_OPTIONS_INIT;
    if (options != NULL)
        *options = defaults;
}

/* ---- a session ---- */

/* A caller's struct may be one of an older release, and shorter. */
static bool is_session(const jtg_dtls_session *session)
{
    return session != NULL && jtgi_struct_size_ok(session->struct_size, SESSION_OLDEST_SIZE);
}

static void give_session(jtg_dtls_session *session, const jtg_dtls_session *made)
{
    jtgi_struct_give(session, made, sizeof *made);
}

void jtg_dtls_session_clear(jtg_dtls_session *session)
{
    if (!is_session(session))
        return;
    jtgi_free_wiped(session->storage, session->storage_len);
    give_session(session, &no_session);
}

/* ---- life ---- */

static jtg_status take_zone(jtg_dtls_sessions *sessions, const char *zone, jtg_error *err)
{
    if (zone == NULL)
        zone = JTG_DTLS_ZONE_DEFAULT;
    size_t len = strnlen(zone, JTG_DTLS_ZONE_MAX_BYTES + 1);
    bool good = len != 0 && len <= JTG_DTLS_ZONE_MAX_BYTES;
    for (size_t i = 0; good && i < len; i++)
        good = zone[i] > 0x20 && zone[i] < 0x7f;
    if (!good)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "zone does not have 1 to %d %s",
                             JTG_DTLS_ZONE_MAX_BYTES, "printable bytes");
    memcpy(sessions->zone, zone, len);
    return JTG_OK;
}

static jtg_status take_key(jtg_dtls_sessions *sessions, const char *key_file, jtg_error *err)
{
    static const struct jtgi_span none = {NULL, 0};
    unsigned char key[JTGI_SECRET_BYTES];
    sessions->sealer = jtgi_alloc_permitted() ? sodium_malloc(sizeof *sessions->sealer) : NULL;
    if (sessions->sealer == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the sessions");
    sessions->sealer->is_sealing = key_file != NULL;
    if (key_file == NULL)
        return JTG_OK;
    jtg_status status = jtgi_key_file_read(key_file, "key_file", key, err);
    if (status == JTG_OK)
        status = jtgi_cipher_derive(key, "jtiguard dtls session 1", none, sessions->sealer->key,
                                    JTGI_SECRET_BYTES);
    sodium_memzero(key, sizeof key);
    return status;
}

static jtg_status check_ranges(const jtg_dtls_options *options, jtg_error *err)
{
    const struct jtgi_range ranges[] = {
        {"max_per_endpoint", options->max_per_endpoint, 1, JTG_KEEP_MAX},
        {"reserved", options->reserved, 0, 0},
    };
    return jtgi_ranges_check(ranges, sizeof ranges / sizeof ranges[0], "", err);
}

static jtg_status set_up(jtg_dtls_sessions *sessions, jtg_cache *cache,
                         const jtg_dtls_options *given, jtg_error *err)
{
    jtg_dtls_options options = JTG_DTLS_OPTIONS_INIT;
    jtg_status status =
        jtg_struct_read(&options, sizeof options, OPTIONS_OLDEST_SIZE, given, "dtls options", err);
    if (status == JTG_OK)
        status = check_ranges(&options, err);
    if (status == JTG_OK)
        status = take_zone(sessions, options.zone, err);
    if (status == JTG_OK)
        status = jtgi_object_begin(&sessions->base, NULL, NULL, 0, err);
    if (status != JTG_OK)
        return status;
    sessions->cache = cache;
    sessions->max_per_endpoint = options.max_per_endpoint;
    return take_key(sessions, options.key_file, err);
}

jtg_status jtg_dtls_sessions_new(jtg_dtls_sessions **sessions, jtg_cache *cache,
                                 const jtg_dtls_options *options, jtg_error *err)
{
    jtgi_error_begin(err);
    if (sessions == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "no place for the sessions");
    *sessions = NULL;
    if (cache == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "cache is NULL");
    jtg_dtls_sessions *made = jtgi_alloc(sizeof *made);
    if (made == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for the sessions");
    jtg_status status = set_up(made, cache, options, err);
    if (status == JTG_OK) {
        *sessions = made;
        return JTG_OK;
    }
    jtg_dtls_sessions_free(made);
    return jtgi_error_end(status, err);
}

void jtg_dtls_sessions_free(jtg_dtls_sessions *sessions)
{
    if (sessions == NULL)
        return;
    sodium_free(sessions->sealer);
    jtgi_free(sessions);
}

/* ---- what every call begins with ---- */

struct place {
    unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES];
    char bytes[KEY_BYTES + 1];
};

static jtg_key key_of(const struct place *place)
{
    jtg_key key = {place->bytes, KEY_BYTES, NULL, 0};
    return key;
}

static jtg_status begin(const jtg_dtls_sessions *sessions, const jtg_endpoint *given,
                        struct place *place, jtg_error *err)
{
    jtg_endpoint endpoint;
    jtgi_error_begin(err);
    if (sessions == NULL || given == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "sessions or endpoint is NULL");
    jtg_status status = jtgi_object_check(&sessions->base, "the sessions were", err);
    if (status == JTG_OK)
        status = jtgi_endpoint_read(&endpoint, given, err);
    if (status == JTG_OK)
        status =
            jtgi_endpoint_digest(&endpoint, endpoint_label, sessions->zone, place->digest, err);
    if (status == JTG_OK)
        jtgi_endpoint_key(ENDPOINT_PREFIX, place->digest, place->bytes, sizeof place->bytes);
    return status;
}

/* ---- storing ---- */

static uint64_t ttl_of(const jtg_dtls_session *session)
{
    uint32_t lifetime_s = session->lifetime_s < JTG_DTLS_LIFETIME_S_MAX ? session->lifetime_s
                                                                        : JTG_DTLS_LIFETIME_S_MAX;
    return 1000 * (uint64_t)lifetime_s;
}

static uint64_t seen_ttl_of(const jtg_dtls_session *session)
{
    return ttl_of(session) > SEEN_LEAST_MS ? ttl_of(session) : SEEN_LEAST_MS;
}

static jtg_status put_record(jtg_dtls_sessions *sessions, const struct place *place,
                             const jtg_dtls_session *session, size_t record_len, jtg_error *err)
{
    jtg_key key = key_of(place);
    int64_t epoch = JTGI_EPOCH_NONE;
    unsigned char *record = jtgi_alloc(record_len);
    if (record == NULL)
        return JTG_ERR_MEMORY;
    jtg_status status = jtgi_epoch_read(sessions->cache, &epoch, err);
    if (status == JTG_OK)
        status = jtgi_dtls_record_write(sessions->sealer, place->digest, session, epoch, record,
                                        record_len);
    if (status == JTG_OK)
        status = jtg_cache_put(sessions->cache, &key, record, record_len, ttl_of(session),
                               sessions->max_per_endpoint, err);
    jtgi_free_wiped(record, record_len);
    return status;
}

/* The ticket is marked as seen before it is stored: of two threads that process the two copies of
 * one retransmitted record, one stores it. */
static jtg_status store_once(jtg_dtls_sessions *sessions, const struct place *place,
                             const jtg_dtls_session *session, size_t record_len,
                             jtg_dtls_fate *fate, jtg_error *err)
{
    char seen_bytes[SEEN_KEY_BYTES + 1];
    unsigned char digest[JTGI_ENDPOINT_DIGEST_BYTES];
    jtg_key seen = {seen_bytes, SEEN_KEY_BYTES, NULL, 0};
    jtg_owner owner;
    jtg_owner_generate(&owner);
    jtgi_endpoint_ticket_digest(place->digest, ticket_label, session->ticket, session->ticket_len,
                                digest);
    jtgi_endpoint_key(SEEN_PREFIX, digest, seen_bytes, sizeof seen_bytes);
    jtg_status status =
        jtg_cache_reserve(sessions->cache, &seen, &owner, seen_ttl_of(session), err);
    if (status == JTG_REPLAYED) {
        *fate = JTG_DTLS_DUPLICATE;
        return JTG_OK;
    }
    if (status != JTG_OK)
        return status;
    status = put_record(sessions, place, session, record_len, err);
    jtgi_seen_settle(sessions->cache, &seen, &owner, status);
    if (status == JTG_OK)
        *fate = JTG_DTLS_STORED;
    return status;
}

static jtg_status store(jtg_dtls_sessions *sessions, const struct place *place,
                        const jtg_dtls_session *given, jtg_dtls_fate *fate, jtg_error *err)
{
    jtg_dtls_session session = no_session;
    if (given == NULL)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "session is NULL");
    jtg_status status =
        jtg_struct_read(&session, sizeof session, SESSION_OLDEST_SIZE, given, "session", err);
    if (status != JTG_OK)
        return status;
    size_t record_len = jtgi_dtls_record_size(sessions->sealer, &session);
    if (record_len == 0)
        return jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "session: a field is out of its range");
    if (session.lifetime_s == 0) {
        *fate = JTG_DTLS_DISCARDED;
        return JTG_OK;
    }
    return store_once(sessions, place, &session, record_len, fate, err);
}

jtg_status jtg_dtls_sessions_store(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                                   const jtg_dtls_session *session, jtg_dtls_fate *fate,
                                   jtg_error *err)
{
    struct place place;
    jtg_dtls_fate made = JTG_DTLS_NOT_STORED;
    jtg_status status = begin(sessions, endpoint, &place, err);
    if (status == JTG_OK)
        status = store(sessions, &place, session, &made, err);
    if (fate != NULL)
        *fate = made;
    return jtgi_error_end(status, err);
}

/* ---- handing out ---- */

typedef jtg_status (*reader)(jtg_cache *, const jtg_key *, jtg_value *, jtg_error *);

static jtg_status read_session(jtg_dtls_sessions *sessions, const struct place *place, reader read,
                               jtg_dtls_session *session, int64_t *epoch, jtg_error *err)
{
    jtg_value value = JTG_VALUE_INIT;
    jtg_dtls_session made = no_session;
    jtg_key key = key_of(place);
    jtg_status status = read(sessions->cache, &key, &value, err);
    if (status != JTG_OK)
        return status;
    struct jtgi_span record = {value.data, value.data_len};
    status = jtgi_dtls_record_read(sessions->sealer, place->digest, record, &made, epoch);
    if (status == JTG_OK) {
        made.left_ms = value.ttl_ms;
        made.age_ms = ttl_of(&made) > value.ttl_ms ? ttl_of(&made) - value.ttl_ms : 0;
        give_session(session, &made);
    }
    jtg_value_clear(&value);
    return status;
}

static jtg_status hand_out(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint, reader read,
                           jtg_dtls_session *session, int64_t *epoch, jtg_error *err)
{
    struct place place;
    jtg_status status = begin(sessions, endpoint, &place, err);
    if (is_session(session))
        give_session(session, &no_session);
    else if (status == JTG_OK)
        status = jtg_error_set(err, JTG_ERR_ARGUMENT, 0, "session: struct_size is not set");
    if (status == JTG_OK)
        status = read_session(sessions, &place, read, session, epoch, err);
    return status;
}

jtg_status jtg_dtls_sessions_get(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                                 jtg_dtls_session *session, jtg_error *err)
{
    int64_t epoch = JTGI_EPOCH_NONE;
    return jtgi_error_end(hand_out(sessions, endpoint, jtg_cache_get, session, &epoch, err), err);
}

jtg_status jtg_dtls_sessions_take(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                                  jtg_dtls_session *session, jtg_error *err)
{
    int64_t epoch = JTGI_EPOCH_NONE;
    jtg_status status = hand_out(sessions, endpoint, jtg_cache_take, session, &epoch, err);
    if (status == JTG_OK) {
        status = jtgi_epoch_check(sessions->cache, epoch, err);
        if (status != JTG_OK)
            jtg_dtls_session_clear(session);
    }
    return jtgi_error_end(status, err);
}

/* ---- removing ---- */

jtg_status jtg_dtls_sessions_remove(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                                    jtg_error *err)
{
    struct place place;
    jtg_status status = begin(sessions, endpoint, &place, err);
    if (status == JTG_OK) {
        jtg_key key = key_of(&place);
        status = jtg_cache_drop(sessions->cache, &key, err);
    }
    return jtgi_error_end(status, err);
}

/* A store looks at the ends of a key's values whenever it is asked for the key. */
jtg_status jtg_dtls_sessions_prune(jtg_dtls_sessions *sessions, const jtg_endpoint *endpoint,
                                   uint32_t *live, jtg_error *err)
{
    struct place place;
    jtg_value value = JTG_VALUE_INIT;
    jtg_status status = begin(sessions, endpoint, &place, err);
    if (live != NULL)
        *live = 0;
    if (status != JTG_OK)
        return jtgi_error_end(status, err);
    jtg_key key = key_of(&place);
    status = jtg_cache_get(sessions->cache, &key, &value, err);
    if (live != NULL)
        *live = status == JTG_OK;
    jtg_value_clear(&value);
    return jtgi_error_end(status == JTG_NOT_FOUND ? JTG_OK : status, err);
}

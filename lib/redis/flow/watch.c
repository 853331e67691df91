/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/flow/watch.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/log.h"
#include "redis/flow/counts.h"
#include "redis/line/deadline.h"
#include "redis/say/server/gate.h"
#include "redis/say/server/info.h"

#include <jtiguard/status.h>
#include <stdio.h>
#include <string.h>

/* All of INFO at most this often, where nothing more is due: it takes the server as long as some
 * fifty reservations. */
#define FULL_INFO_NS JTGI_NS_PER_S

/* A kind of loss is logged at most this often: a Cluster that moves its slots loses each by itself.
 */
enum { TELL_PAUSE_MS = 1000 };

/* ---- life ---- */

jtg_status jtgi_watch_init(struct jtgi_watch *watch, const struct jtgi_redis_config *config,
                           struct jtgi_counters *counters, jtg_error *err)
{
    memset(watch, 0, sizeof *watch);
    jtg_status status = jtgi_marker_keys_init(&watch->keys, config, err);
    if (status != JTG_OK)
        return status;
    watch->config = config;
    watch->counters = counters;
    watch->slots = config->slots;
    watch->kept = jtgi_alloc(watch->slots * sizeof *watch->kept);
    watch->reliance = watch->kept == NULL ? NULL : jtgi_reliance_of(config, watch->slots);
    if (watch->reliance == NULL) {
        jtgi_watch_clear(watch, false);
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a cache");
    }
    for (size_t i = 0; i < watch->slots; i++) {
        atomic_init(&watch->kept[i].since_ms, JTGI_SINCE_PENDING);
        atomic_init(&watch->kept[i].nonce, JTGI_NONCE_UNKNOWN);
    }
    return JTG_OK;
}

void jtgi_watch_clear(struct jtgi_watch *watch, bool in_child)
{
    jtgi_marker_keys_clear(&watch->keys);
    jtgi_reliance_let_go(watch->reliance, in_child);
    jtgi_free(watch->kept);
    watch->kept = NULL;
    watch->reliance = NULL;
}

bool jtgi_watch_kept_since(const struct jtgi_watch *watch, int64_t *since_ms)
{
    bool known = false;
    for (size_t i = 0; i < watch->slots; i++) {
        if (atomic_load(&watch->kept[i].nonce) == JTGI_NONCE_UNKNOWN)
            continue;
        int64_t since = atomic_load(&watch->kept[i].since_ms);
        if (!known || since > *since_ms)
            *since_ms = since;
        known = true;
    }
    return known;
}

jtg_redis_loss jtgi_watch_last_loss(struct jtgi_watch *watch)
{
    pthread_mutex_lock(&watch->reliance->lock);
    jtg_redis_loss loss = watch->last_loss;
    pthread_mutex_unlock(&watch->reliance->lock);
    return loss;
}

/* ---- losses ---- */

static const char *const loss_texts[JTGI_LOSSES] = {
    [JTG_REDIS_LOSS_NONE] = "nothing was lost",
    [JTG_REDIS_LOSS_NO_MARKER] = "the store is new, or was flushed, or was restarted empty",
    [JTG_REDIS_LOSS_RESTARTED] = "the store was restarted, or is another server",
    [JTG_REDIS_LOSS_PROMOTED] = "the store's server was a replica for a while, was named anew by "
                                "its Sentinels, or began its "
                                "replication anew",
    [JTG_REDIS_LOSS_FLUSHED] = "the store was flushed",
    [JTG_REDIS_LOSS_EVICTED] = "the store has evicted entries",
    [JTG_REDIS_LOSS_EXCHANGED] = "another server was used in between (several answer behind one "
                                 "address, or it led elsewhere "
                                 "and back)",
};

void jtgi_notice(struct jtgi_noticed noticed[JTGI_LOSSES], jtg_redis_loss loss, int64_t since_ms)
{
    if (noticed[loss].slots == 0 || since_ms > noticed[loss].since_ms)
        noticed[loss].since_ms = since_ms;
    noticed[loss].slots++;
}

static bool is_worth_a_line(struct jtgi_watch *watch, jtg_redis_loss loss)
{
    int64_t now_ms = jtgi_clock_monotonic_ms(&watch->config->clock) + 1;
    pthread_mutex_lock(&watch->reliance->lock);
    int64_t *told_ms = &watch->told_ms[loss];
    bool worth = *told_ms == 0 || now_ms - *told_ms >= TELL_PAUSE_MS;
    if (worth)
        *told_ms = now_ms;
    watch->last_loss = loss;
    pthread_mutex_unlock(&watch->reliance->lock);
    return worth;
}

/* What is said to be refused must be refused: not what an operator has vouched for already. */
static void tell(const struct jtgi_watch *watch, const struct jtgi_connection *connection,
                 jtg_redis_loss loss, const struct jtgi_noticed *noticed)
{
    char where[32] = "";
    char since[JTGI_MOMENT_BYTES] = "now";
    bool vouched = noticed->since_ms == JTGI_SINCE_EVER;
    bool may_be_new = loss == JTG_REDIS_LOSS_NO_MARKER;
    if (watch->slots > 1)
        (void)snprintf(where, sizeof where, " (%u slots)", noticed->slots);
    if (noticed->since_ms != JTGI_SINCE_PENDING)
        jtgi_marker_since_format(noticed->since_ms, since);
    if (vouched)
        jtgi_log(&watch->config->logger, JTG_LOG_WARNING,
                 "redis: %s: %s%s: an operator has vouched for all that it holds, and no token is "
                 "refused for it",
                 connection->server, loss_texts[loss], where);
    else
        jtgi_log(&watch->config->logger, may_be_new ? JTG_LOG_WARNING : JTG_LOG_ERROR,
                 "redis: %s: %s%s: tokens that may have been used before %s are refused, for what "
                 "was reserved may be forgotten",
                 connection->server, loss_texts[loss], where, since);
}

void jtgi_watch_tell(struct jtgi_watch *watch, const struct jtgi_connection *connection,
                     const struct jtgi_noticed noticed[JTGI_LOSSES])
{
    for (unsigned loss = JTG_REDIS_LOSS_NO_MARKER; loss < JTGI_LOSSES; loss++) {
        if (noticed[loss].slots == 0)
            continue;
        jtgi_counters_add(watch->counters, JTGI_COUNT_LOSSES);
        if (is_worth_a_line(watch, (jtg_redis_loss)loss))
            tell(watch, connection, (jtg_redis_loss)loss, &noticed[loss]);
    }
}

/* ---- what was seen ---- */

static uint32_t short_of(const char *text)
{
    uint32_t hash = 2166136261U; /* FNV-1a: it names a cause in a log, and decides nothing */
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    return hash;
}

static struct jtgi_trace trace_of(const struct jtgi_identity *identity)
{
    struct jtgi_trace trace = {short_of(identity->run_id), short_of(identity->replication_id),
                               (uint32_t)identity->evicted_keys};
    return trace;
}

/* The marker was exchanged by another instance, which knows better why. */
static jtg_redis_loss loss_of_change(const struct jtgi_trace *before,
                                     const struct jtgi_identity *identity)
{
    struct jtgi_trace now = trace_of(identity);
    if (before->run != now.run)
        return JTG_REDIS_LOSS_RESTARTED;
    if (before->replication != now.replication)
        return JTG_REDIS_LOSS_PROMOTED;
    if (before->evicted != now.evicted)
        return JTG_REDIS_LOSS_EVICTED;
    return JTG_REDIS_LOSS_FLUSHED;
}

static jtg_redis_loss adopt_locked(struct jtgi_watch *watch, struct jtgi_connection *connection,
                                   uint16_t slot, const struct jtgi_marker *marker,
                                   jtg_redis_loss loss)
{
    struct jtgi_kept *kept = &watch->kept[slot];
    struct jtgi_trace trace = kept->trace;
    uint64_t before = atomic_load(&kept->nonce);
    atomic_store(&kept->since_ms, marker->since_ms);
    atomic_store(&kept->nonce, marker->nonce);
    if (before != marker->nonce) /* every round trip comes here; a marker is of one server */
        kept->trace = trace_of(&connection->peer.identity);
    atomic_fetch_or(&connection->peer.marked[slot / 8], (uint8_t)(1U << slot % 8));
    bool is_exchanged = loss == JTG_REDIS_LOSS_EXCHANGED;
    if (before == JTGI_NONCE_LOST && (is_exchanged || loss == JTG_REDIS_LOSS_NO_MARKER))
        return JTG_REDIS_LOSS_NONE; /* it was counted when it was noticed */
    if (before == marker->nonce && !is_exchanged)
        return JTG_REDIS_LOSS_NONE;
    if (before >= JTGI_NONCE_FIRST && loss == JTG_REDIS_LOSS_NONE)
        return loss_of_change(&trace, &connection->peer.identity);
    return loss;
}

jtg_redis_loss jtgi_watch_adopt(struct jtgi_watch *watch, struct jtgi_connection *connection,
                                uint16_t slot, const struct jtgi_marker *marker,
                                jtg_redis_loss loss)
{
    pthread_mutex_lock(&watch->reliance->lock);
    loss = adopt_locked(watch, connection, slot, marker, loss);
    pthread_mutex_unlock(&watch->reliance->lock);
    return loss;
}

/* Has an operator vouched after that use? He did so by the server's clock, and the use was noted by
 * our monotonic one. How they differ is known to a millisecond, and rather as too much: then the
 * vouch seems too early, and covers less. */
static bool is_vouched_after(const struct jtgi_connection *connection,
                             const struct jtgi_marker *marker, struct jtgi_moment used)
{
    return marker->vouched_ms != 0 && connection->peer.clock_known &&
           used.monotonic_ms < marker->vouched_ms - connection->peer.clock_ahead_ms - 1;
}

/* "All since a moment" has not the moment itself in it. */
static bool trusts_locked(const struct jtgi_watch *watch, const struct jtgi_connection *connection,
                          uint16_t slot, const struct jtgi_marker *marker, struct jtgi_moment now)
{
    struct jtgi_moment elsewhere =
        jtgi_reliance_elsewhere_locked(watch->reliance, slot, &connection->peer.who);
    return elsewhere.monotonic_ms == JTGI_NEVER ||
           marker->since_ms > jtgi_moment_wall_ms(elsewhere, now) ||
           is_vouched_after(connection, marker, elsewhere);
}

bool jtgi_watch_trusts(const struct jtgi_watch *watch, const struct jtgi_connection *connection,
                       uint16_t slot, const struct jtgi_marker *marker)
{
    struct jtgi_moment now = jtgi_moment_now(&watch->config->clock);
    pthread_mutex_lock(&watch->reliance->lock);
    bool trusts = trusts_locked(watch, connection, slot, marker, now);
    pthread_mutex_unlock(&watch->reliance->lock);
    return trusts;
}

/* ---- a round trip: before ---- */

static bool is_marked(const struct jtgi_connection *connection, uint16_t slot)
{
    return (atomic_load(&connection->peer.marked[slot / 8]) >> slot % 8 & 1) != 0;
}

bool jtgi_watch_lets_pass(const struct jtgi_watch *watch, const struct jtgi_connection *connection,
                          uint16_t slot, int64_t kept_since_ms)
{
    if (kept_since_ms == INT64_MAX)
        return true;
    return is_marked(connection, slot) && atomic_load(&watch->kept[slot].since_ms) <= kept_since_ms;
}

size_t jtgi_watch_build_look(const struct jtgi_watch *watch, uint16_t slot, unsigned char *bytes)
{
    static const char line_end[] = {'\r', '\n'};
    unsigned char key[JTGI_MARKER_KEY_MAX_BYTES];
    size_t key_len = jtgi_marker_key(&watch->keys, slot, key);
    int head = snprintf((char *)bytes, 32, "*2\r\n$3\r\nGET\r\n$%zu\r\n", key_len);
    size_t len = (size_t)head;
    memcpy(bytes + len, key, key_len);
    memcpy(bytes + len + key_len, line_end, sizeof line_end);
    return len + key_len + 2;
}

/* Only the sender of a connection comes here. */
size_t jtgi_watch_build_info(const struct jtgi_watch *watch, struct jtgi_connection *connection,
                             unsigned char *bytes, bool *full)
{
    static const char all[] = "*1\r\n$4\r\nINFO\r\n";
    static const char replication[] = "*2\r\n$4\r\nINFO\r\n$11\r\nreplication\r\n";
    int64_t now_ns = jtgi_now_ns();
    *full =
        atomic_load(&connection->peer.evicts) || now_ns - connection->peer.info_ns >= FULL_INFO_NS;
    if (*full) {
        connection->peer.info_ns = now_ns;
        atomic_store(&connection->peer.info_asked_ms,
                     jtgi_clock_monotonic_ms(&watch->config->clock));
    }
    const char *command = *full ? all : replication;
    size_t len = strlen(command);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): its length goes along */
    memcpy(bytes, command, len);
    return len;
}

/* ---- a round trip: after ---- */

/* Is the server what it was when the connection was made? */
enum standing {
    STANDING_SAME,
    STANDING_CHANGED, /* another history: a replica meanwhile, or entries evicted */
    STANDING_UNSAFE   /* the gate would not let it in now */
};

/* The server's clock may have been set ahead since the connection was made. */
static void follow_clock(struct jtgi_connection *connection, const jtg_redis_server *server,
                         int64_t wall_ms)
{
    int64_t ahead_ms =
        server->clock_offset_ms + wall_ms - atomic_load(&connection->peer.info_asked_ms);
    if (server->clock_offset_known && ahead_ms > connection->peer.clock_ahead_ms)
        connection->peer.clock_ahead_ms = ahead_ms;
}

static enum standing judge_all(const struct jtgi_watch *watch, struct jtgi_connection *connection,
                               const redisReply *info)
{
    jtg_redis_server server = {0};
    struct jtgi_identity identity;
    jtg_error unasked;
    int64_t wall_ms = jtgi_clock_wall_ms(&watch->config->clock);
    jtgi_info_read(&server, info->str, info->len, wall_ms);
    follow_clock(connection, &server, wall_ms);
    jtg_status status = jtgi_gate_judge(&server, watch->config, &unasked);
    if (status == JTG_ERR_UNSAFE)
        return STANDING_UNSAFE;
    if (status != JTG_OK)
        return STANDING_CHANGED;
    jtgi_identity_of(&identity, &server, watch->config, connection->peer.epoch);
    atomic_store(&connection->peer.evicts, jtgi_gate_evicts(&server));
    return jtgi_identity_equals(&identity, &connection->peer.identity) ? STANDING_SAME
                                                                       : STANDING_CHANGED;
}

static enum standing judge_info(const struct jtgi_watch *watch, struct jtgi_connection *connection,
                                const redisReply *info, bool full)
{
    if (info == NULL || info->type != REDIS_REPLY_STRING)
        return STANDING_CHANGED;
    if (full)
        return judge_all(watch, connection, info);
    bool same = jtgi_info_says(info->str, info->len, "role", "master") &&
                jtgi_info_says(info->str, info->len, "master_replid",
                               connection->peer.identity.replication_id);
    return same ? STANDING_SAME : STANDING_CHANGED;
}

/* Another node has it, or will: not a Cluster that is down, which is told as that. */
static bool is_on_its_way(const struct jtgi_error_row *row)
{
    return row->next == JTGI_NEXT_MOVED || row->next == JTGI_NEXT_ASK ||
           row->next == JTGI_NEXT_PAUSE;
}

static void refuse(struct jtgi_look *look, const struct jtgi_error_row *row)
{
    look->sight = JTGI_SIGHT_REFUSED;
    look->refusal = row;
}

static bool names(const redisReply *reply, const struct jtgi_identity *identity,
                  struct jtgi_marker *marker)
{
    return reply->type == REDIS_REPLY_STRING && jtgi_marker_read(marker, reply->str, reply->len) &&
           jtgi_marker_names(marker, identity) && marker->since_ms != JTGI_SINCE_PENDING;
}

/* The marker is not to be relied on any more. Counted by the first who sees it. */
static jtg_redis_loss lose_locked(struct jtgi_watch *watch, struct jtgi_look *look,
                                  jtg_redis_loss loss)
{
    struct jtgi_kept *kept = &watch->kept[look->slot];
    look->sight = JTGI_SIGHT_LOST;
    if (atomic_load(&kept->nonce) < JTGI_NONCE_FIRST)
        return JTG_REDIS_LOSS_NONE;
    atomic_store(&kept->nonce, JTGI_NONCE_LOST);
    atomic_store(&kept->since_ms, JTGI_SINCE_PENDING);
    return loss;
}

/* Another connection has seen a newer marker, while this answer was on its way. */
static bool is_overtaken_locked(const struct jtgi_watch *watch, const struct jtgi_look *look,
                                const struct jtgi_marker *marker)
{
    const struct jtgi_kept *kept = &watch->kept[look->slot];
    return atomic_load(&kept->nonce) >= JTGI_NONCE_FIRST &&
           marker->since_ms < atomic_load(&kept->since_ms);
}

/* It names the server, and says since when. */
static jtg_redis_loss judge_marker_locked(struct jtgi_watch *watch,
                                          struct jtgi_connection *connection,
                                          struct jtgi_look *look, const struct jtgi_marker *marker,
                                          struct jtgi_moment now)
{
    bool marked = is_marked(connection, look->slot);
    if (marked && marker->nonce != atomic_load(&watch->kept[look->slot].nonce)) {
        look->sight = JTGI_SIGHT_LOST;
        return is_overtaken_locked(watch, look, marker)
                   ? JTG_REDIS_LOSS_NONE
                   : lose_locked(watch, look, JTG_REDIS_LOSS_FLUSHED);
    }
    if (!trusts_locked(watch, connection, look->slot, marker, now))
        return lose_locked(watch, look, JTG_REDIS_LOSS_EXCHANGED);
    look->sight = JTGI_SIGHT_KEPT;
    look->since_ms = marker->since_ms;
    /* Without Cluster only a server that took no writes is left unmarked at first. */
    bool is_late = !marked && watch->slots == 1;
    return adopt_locked(watch, connection, look->slot, marker,
                        is_late ? JTG_REDIS_LOSS_NO_MARKER : JTG_REDIS_LOSS_NONE);
}

static jtg_redis_loss judge_look_locked(struct jtgi_watch *watch,
                                        struct jtgi_connection *connection, struct jtgi_look *look,
                                        struct jtgi_moment now)
{
    struct jtgi_marker marker;
    const struct jtgi_error_row *row = jtgi_reply_error(look->reply);
    if (row != NULL) {
        refuse(look, row);
        if (is_on_its_way(row))
            look->sight = JTGI_SIGHT_ELSEWHERE;
        return JTG_REDIS_LOSS_NONE;
    }
    if (names(look->reply, &connection->peer.identity, &marker))
        return judge_marker_locked(watch, connection, look, &marker, now);
    if (is_marked(connection, look->slot))
        return lose_locked(watch, look, JTG_REDIS_LOSS_FLUSHED);
    look->sight = JTGI_SIGHT_UNMARKED;
    return JTG_REDIS_LOSS_NONE;
}

/* In the same hold of the lock as the judgement: two answers of two servers at the same time are
 * relied on one after the other, and the second one knows of the first. */
static void note_yes_locked(struct jtgi_watch *watch, const struct jtgi_connection *connection,
                            const struct jtgi_look *look, struct jtgi_moment now)
{
    if (look->yes && look->sight != JTGI_SIGHT_LOST)
        jtgi_reliance_note_locked(watch->reliance, look->slot, &connection->peer.who, now);
}

void jtgi_watch_note_yes(struct jtgi_watch *watch, const struct jtgi_connection *connection,
                         uint16_t slot)
{
    struct jtgi_moment now = jtgi_moment_now(&watch->config->clock);
    pthread_mutex_lock(&watch->reliance->lock);
    jtgi_reliance_note_locked(watch->reliance, slot, &connection->peer.who, now);
    pthread_mutex_unlock(&watch->reliance->lock);
}

/* INFO that is an error says nothing of the server, but what it says. */
static void condemn(struct jtgi_look *looks, size_t count, enum standing standing,
                    const redisReply *info)
{
    const struct jtgi_error_row *row = info == NULL ? NULL : jtgi_reply_error(info);
    for (size_t i = 0; i < count; i++)
        if (row != NULL)
            refuse(&looks[i], row);
        else
            looks[i].sight = standing == STANDING_UNSAFE ? JTGI_SIGHT_UNSAFE : JTGI_SIGHT_LOST;
}

/* Why the server is another than before is told by the next connection, which reads its marker. */
bool jtgi_watch_judge(struct jtgi_watch *watch, struct jtgi_connection *connection,
                      struct jtgi_look *looks, size_t count, const redisReply *info, bool full)
{
    unsigned lost = 0;
    struct jtgi_noticed noticed[JTGI_LOSSES] = {{0, 0}};
    enum standing standing = judge_info(watch, connection, info, full);
    if (standing != STANDING_SAME) {
        condemn(looks, count, standing, info);
        return false;
    }
    struct jtgi_moment now = jtgi_moment_now(&watch->config->clock);
    pthread_mutex_lock(&watch->reliance->lock);
    for (size_t i = 0; i < count; i++) {
        jtg_redis_loss loss = judge_look_locked(watch, connection, &looks[i], now);
        note_yes_locked(watch, connection, &looks[i], now);
        bool kept = looks[i].sight == JTGI_SIGHT_KEPT;
        jtgi_notice(noticed, loss, kept ? looks[i].since_ms : JTGI_SINCE_PENDING);
        lost += looks[i].sight == JTGI_SIGHT_LOST;
    }
    pthread_mutex_unlock(&watch->reliance->lock);
    jtgi_watch_tell(watch, connection, noticed);
    return lost == 0;
}

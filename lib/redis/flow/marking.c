/* SPDX-License-Identifier: Apache-2.0 */
/* The markers of a new connection's server, before anybody uses it.
 *
 *     read ──(names this server)───────────────────────────────> adopt
 *       ├──(none, or another)──> write, since "-" ──> lower to now ──> adopt
 *       └──(this server, but another was relied on since)──> raise to now ──> adopt
 *
 * Since must not be earlier than the loss that it tells of, and a clock that is read before the
 * marker is written can be, for the server may have been flushed in between. So the marker is
 * written without it, and once it certainly stands, whoever sees it so may set its own now. */
#include "core/alloc.h"
#include "core/clock.h"
#include "redis/flow/watch.h"
#include "redis/line/deadline.h"
#include "redis/say/resp/command.h"
#include "redis/say/resp/scripts.h"

#include <inttypes.h>
#include <jtiguard/status.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* Slots that are dealt with in one go. Each go costs a round trip even where all is marked, and a
 * node may have all 16,384 slots: so many that it can be connected to within a call over a slow
 * line. And so few that their replies, some 65 KiB, find room on the way while nobody reads them:
 * who sends does not read. */
enum { GO = 512 };

enum step {
    STEP_READ,
    STEP_WRITE,
    STEP_LOWER,
    STEP_RAISE,
    STEP_VOUCH,
    STEP_DONE,
    STEP_PASSED_OVER
};

struct place {
    uint16_t slot;
    enum step step;
    jtg_redis_loss loss;
    struct jtgi_marker marker;
    const struct jtgi_error_row *refusal; /* why it was passed over */
    const char *refused;                  /* the command, if it is known */
};

struct marking {
    struct jtgi_watch *watch;
    struct jtgi_connection *connection;
    char identity[JTGI_IDENTITY_TEXT_BYTES];
    int64_t deadline_ns;
    jtg_error *err;
    int64_t vouched_ms; /* < 0: nobody vouches */
    struct place places[GO];
    size_t count;
    struct jtgi_noticed noticed[JTGI_LOSSES];
};

/* ---- what is asked ---- */

static void put_key(struct jtgi_command *command, const struct marking *marking,
                    const struct place *place)
{
    unsigned char key[JTGI_MARKER_KEY_MAX_BYTES];
    jtgi_command_bytes(command, key, jtgi_marker_key(&marking->watch->keys, place->slot, key));
}

static void put_script(struct jtgi_command *command, const struct marking *marking,
                       const struct place *place, enum jtgi_script script, size_t arguments,
                       bool known)
{
    jtgi_command_begin(command, 4 + arguments);
    jtgi_command_text(command, known ? "EVALSHA" : "EVAL");
    jtgi_command_text(command, known ? jtgi_script_sha1(script) : jtgi_script_text(script));
    jtgi_command_number(command, 1);
    put_key(command, marking, place);
}

static void put_nonce(struct jtgi_command *command, uint64_t nonce)
{
    char text[JTGI_NONCE_TEXT_BYTES];
    jtgi_nonce_format(nonce, text);
    jtgi_command_text(command, text);
}

static void put_read(struct jtgi_command *command, const struct marking *marking,
                     const struct place *place)
{
    jtgi_command_begin(command, 2);
    jtgi_command_text(command, "GET");
    put_key(command, marking, place);
}

static void put_write(struct jtgi_command *command, const struct marking *marking,
                      const struct place *place, bool known)
{
    char epoch[JTGI_EPOCH_TEXT_BYTES];
    jtgi_epoch_format(marking->connection->peer.epoch, epoch);
    put_script(command, marking, place, JTGI_SCRIPT_MARK, 3, known);
    jtgi_command_text(command, marking->identity);
    jtgi_command_text(command, epoch);
    put_nonce(command, jtgi_nonce_new());
}

static void put_lower(struct jtgi_command *command, const struct marking *marking,
                      const struct place *place, bool known)
{
    int64_t now_ms = jtgi_clock_wall_ms(&marking->watch->config->clock) + 1;
    put_script(command, marking, place, JTGI_SCRIPT_LOWER, 3, known);
    put_nonce(command, place->marker.nonce);
    jtgi_command_number(command, (uint64_t)now_ms);
    jtgi_command_text(command, "now");
}

static uint64_t number_of(int64_t since_ms)
{
    return since_ms == JTGI_SINCE_EVER ? 0 : (uint64_t)since_ms;
}

/* As of the look: this process may have been stopped since. */
static void put_vouch(struct jtgi_command *command, const struct marking *marking,
                      const struct place *place, bool known)
{
    put_script(command, marking, place, JTGI_SCRIPT_LOWER, 5, known);
    put_nonce(command, place->marker.nonce);
    jtgi_command_number(command, (uint64_t)marking->vouched_ms);
    jtgi_command_text(command, "vouched");
    jtgi_command_number(command, marking->connection->peer.clock_ms);
    jtgi_command_number(command, number_of(place->marker.since_ms));
}

/* To now, and not to the time of the last use elsewhere: other processes may have gone on there. */
static void put_raise(struct jtgi_command *command, const struct marking *marking,
                      const struct place *place, bool known)
{
    int64_t now_ms = jtgi_clock_wall_ms(&marking->watch->config->clock) + 1;
    put_script(command, marking, place, JTGI_SCRIPT_RAISE, 2, known);
    put_nonce(command, place->marker.nonce);
    jtgi_command_number(command, (uint64_t)now_ms);
}

/* ---- what is answered ---- */

static jtg_redis_loss loss_of(const struct jtgi_marker *held, const struct jtgi_identity *now)
{
    if (strcmp(held->identity.run_id, now->run_id) != 0)
        return JTG_REDIS_LOSS_RESTARTED;
    if (strcmp(held->identity.replication_id, now->replication_id) != 0)
        return JTG_REDIS_LOSS_PROMOTED;
    if (held->identity.evicted_keys != now->evicted_keys)
        return JTG_REDIS_LOSS_EVICTED;
    if (held->identity.epoch != now->epoch)
        return JTG_REDIS_LOSS_PROMOTED;
    return JTG_REDIS_LOSS_NO_MARKER; /* of another database */
}

/* True if the marker names this server. */
static bool names_us(const struct marking *marking, const redisReply *reply, struct place *place)
{
    place->loss = JTG_REDIS_LOSS_NO_MARKER;
    if (reply->type != REDIS_REPLY_STRING ||
        !jtgi_marker_read(&place->marker, reply->str, reply->len))
        return false;
    place->loss = loss_of(&place->marker, &marking->connection->peer.identity);
    return jtgi_marker_names(&place->marker, &marking->connection->peer.identity);
}

static void adopt(struct marking *marking, struct place *place)
{
    place->step = STEP_DONE;
    jtg_redis_loss loss = jtgi_watch_adopt(marking->watch, marking->connection, place->slot,
                                           &place->marker, place->loss);
    jtgi_notice(marking->noticed, loss, place->marker.since_ms);
}

/* A marker that names the server and stands. */
static void weigh(struct marking *marking, struct place *place)
{
    if (jtgi_watch_trusts(marking->watch, marking->connection, place->slot, &place->marker)) {
        adopt(marking, place);
        return;
    }
    place->loss = JTG_REDIS_LOSS_EXCHANGED;
    place->step = STEP_RAISE;
}

static jtg_status read_marker(struct marking *marking, const redisReply *reply, struct place *place)
{
    if (!names_us(marking, reply, place)) {
        place->step = STEP_WRITE;
        return JTG_OK;
    }
    place->loss = JTG_REDIS_LOSS_NONE;
    if (place->marker.since_ms == JTGI_SINCE_PENDING)
        place->step = STEP_LOWER;
    else
        weigh(marking, place);
    return JTG_OK;
}

static jtg_status fail_changing(const struct marking *marking)
{
    return jtg_error_set(marking->err, JTG_ERR_UNAVAILABLE, 0,
                         "redis: the store was flushed while it was marked");
}

static jtg_status read_written(struct marking *marking, const redisReply *reply,
                               struct place *place)
{
    jtg_redis_loss loss = place->loss;
    if (!names_us(marking, reply, place))
        return fail_changing(marking);
    place->loss = loss;
    if (place->marker.since_ms == JTGI_SINCE_PENDING)
        place->step = STEP_LOWER;
    else
        weigh(marking, place); /* another instance was faster */
    return JTG_OK;
}

/* Lowered or raised: in any case it must stand now, and still be the same. */
static jtg_status read_dated(struct marking *marking, const redisReply *reply, struct place *place)
{
    jtg_redis_loss loss = place->loss;
    uint64_t nonce = place->marker.nonce;
    if (!names_us(marking, reply, place) || place->marker.nonce != nonce ||
        place->marker.since_ms == JTGI_SINCE_PENDING)
        return fail_changing(marking);
    place->loss = loss;
    adopt(marking, place);
    return JTG_OK;
}

/* Left as it was seen, because it says more, or what was vouched for; else another was faster. */
static jtg_status read_vouched(struct marking *marking, const redisReply *reply,
                               struct place *place)
{
    uint64_t seen = number_of(place->marker.since_ms);
    jtg_status status = read_dated(marking, reply, place);
    uint64_t since = number_of(place->marker.since_ms);
    if (status != JTG_OK || since == seen || since == (uint64_t)marking->vouched_ms)
        return status;
    return jtg_error_set(marking->err, JTG_ERR_UNAVAILABLE, 0,
                         "redis: the marker changed meanwhile: look again, and vouch again if it "
                         "is still so");
}

static jtg_status fail_refused(const struct marking *marking, const struct place *place)
{
    char told[JTGI_REFUSAL_BYTES];
    jtgi_error_explain(place->refusal, place->refused, told);
    return jtg_error_set(marking->err, place->refusal->status, 0,
                         "redis: the store cannot be marked for continuity: %s", told);
}

/* ---- one step of all places that are at it ---- */

static void put(struct jtgi_command *command, const struct marking *marking,
                const struct place *place, bool known)
{
    if (place->step == STEP_READ)
        put_read(command, marking, place);
    else if (place->step == STEP_WRITE)
        put_write(command, marking, place, known);
    else if (place->step == STEP_LOWER)
        put_lower(command, marking, place, known);
    else if (place->step == STEP_VOUCH)
        put_vouch(command, marking, place, known);
    else
        put_raise(command, marking, place, known);
}

/* What the server refuses for now (the slot is not here, it is full, it lacks replicas) stays
 * unmarked, for there is more to do on a connection than to reserve; whoever needs the mark tries
 * again. */
static jtg_status take(struct marking *marking, const redisReply *reply, struct place *place)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    place->refusal = row;
    place->refused = row == NULL ? NULL : jtgi_error_command_of(reply->str, reply->len);
    if (row != NULL && row->healthy) {
        place->step = STEP_PASSED_OVER;
        return JTG_OK;
    }
    if (row != NULL)
        return fail_refused(marking, place);
    if (place->step == STEP_READ)
        return read_marker(marking, reply, place);
    if (place->step == STEP_WRITE)
        return read_written(marking, reply, place);
    if (place->step == STEP_VOUCH)
        return read_vouched(marking, reply, place);
    return read_dated(marking, reply, place);
}

static jtg_status send_step(const struct marking *marking, enum step step, size_t *asked)
{
    struct jtgi_command command;
    struct jtgi_fault fault;
    size_t sent = 0;
    jtg_status status = JTG_OK;
    *asked = 0;
    jtgi_command_init(&command);
    for (size_t i = 0; i < marking->count; i++)
        if (marking->places[i].step == step)
            put(&command, marking, &marking->places[i], (*asked)++ > 0);
    if (command.failed)
        status = jtg_error_set(marking->err, JTG_ERR_MEMORY, 0, "redis: no memory for a command");
    else if (*asked > 0 && !jtgi_connection_send(marking->connection, command.bytes, command.len,
                                                 &sent, marking->deadline_ns, &fault))
        status =
            jtg_error_set(marking->err, JTG_ERR_UNAVAILABLE, fault.cause, "redis: %s", fault.text);
    jtgi_command_clear(&command);
    return status;
}

static jtg_status receive(struct marking *marking, struct place *place)
{
    struct jtgi_fault fault;
    redisReply *reply = jtgi_connection_receive(marking->connection, marking->deadline_ns, &fault);
    if (reply == NULL)
        return jtg_error_set(marking->err, JTG_ERR_UNAVAILABLE, fault.cause, "redis: %s",
                             fault.text);
    jtg_status status = take(marking, reply, place);
    freeReplyObject(reply);
    return status;
}

static jtg_status do_step(struct marking *marking, enum step step)
{
    bool awaited[GO] = {false};
    size_t asked = 0;
    for (size_t i = 0; i < marking->count; i++)
        awaited[i] = marking->places[i].step == step;
    jtg_status status = send_step(marking, step, &asked);
    for (size_t i = 0; i < marking->count && status == JTG_OK; i++)
        if (awaited[i])
            status = receive(marking, &marking->places[i]);
    return status;
}

/* ---- all of it ---- */

static jtg_status mark_places(struct marking *marking)
{
    jtg_status status = do_step(marking, STEP_READ);
    if (status == JTG_OK)
        status = do_step(marking, STEP_WRITE);
    if (status == JTG_OK)
        status = do_step(marking, STEP_LOWER);
    if (status == JTG_OK)
        status = do_step(marking, STEP_RAISE);
    return status;
}

/* Every place must be marked by now. */
static jtg_status vouch_for_places(struct marking *marking)
{
    for (size_t i = 0; i < marking->count; i++) {
        if (marking->places[i].step == STEP_PASSED_OVER)
            return fail_refused(marking, &marking->places[i]);
        marking->places[i].step = STEP_VOUCH;
    }
    return do_step(marking, STEP_VOUCH);
}

static jtg_status finish_places(struct marking *marking)
{
    jtg_status status = mark_places(marking);
    if (status == JTG_OK && marking->vouched_ms >= 0)
        status = vouch_for_places(marking);
    marking->count = 0;
    return status;
}

/* Instances that come at the same moment, to a node that is back, begin at different slots: what
 * one has marked the others only read. */
static jtg_status mark_all(struct marking *marking, const struct jtgi_slot_set *slots)
{
    jtg_status status = JTG_OK;
    unsigned count = (unsigned)marking->watch->slots;
    unsigned first = randombytes_uniform(count);
    for (unsigned i = 0; i < count && status == JTG_OK; i++) {
        unsigned slot = (first + i) % count;
        if (!jtgi_slot_set_has(slots, slot) ||
            !jtgi_marker_keys_have(&marking->watch->keys, (uint16_t)slot))
            continue;
        struct place place = {.slot = (uint16_t)slot, .step = STEP_READ};
        marking->places[marking->count++] = place;
        if (marking->count == GO)
            status = finish_places(marking);
    }
    return status == JTG_OK ? finish_places(marking) : status;
}

static jtg_status begin(struct marking *marking, const jtg_redis_server *server)
{
    struct jtgi_identity *identity = &marking->connection->peer.identity;
    jtgi_identity_of(identity, server, marking->watch->config, marking->connection->peer.epoch);
    jtgi_identity_format(identity, marking->identity);
    jtgi_who_of(&marking->connection->peer.who, identity);
    if (identity->run_id[0] == '\0' || identity->replication_id[0] == '\0')
        return jtg_error_set(marking->err, JTG_ERR_UNSAFE, 0,
                             "redis: INFO does not state run_id and master_replid, so that a loss "
                             "could not be noticed (continuity=no goes without)");
    atomic_store(&marking->connection->peer.evicts, server->evicts != 0);
    marking->connection->peer.info_ns = jtgi_now_ns();
    return JTG_OK;
}

static jtg_status mark_and_tell(struct marking *marking, const jtg_redis_server *server,
                                const struct jtgi_slot_set *slots)
{
    jtg_status status = begin(marking, server);
    if (status == JTG_OK)
        status = mark_all(marking, slots);
    if (status == JTG_OK && !jtgi_connection_is_empty(marking->connection))
        status =
            jtg_error_set(marking->err, JTG_ERR_PROTOCOL, 0, "redis: more came than was asked for");
    jtgi_watch_tell(marking->watch, marking->connection, marking->noticed);
    return status;
}

/* Too large for a caller's stack. */
static jtg_status work(struct jtgi_watch *watch, struct jtgi_connection *connection,
                       const jtg_redis_server *server, const struct jtgi_slot_set *slots,
                       int64_t vouched_ms, int64_t deadline_ns, jtg_error *err)
{
    struct marking *marking = jtgi_alloc(sizeof *marking);
    if (marking == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory to mark the store");
    marking->watch = watch;
    marking->connection = connection;
    marking->deadline_ns = deadline_ns;
    marking->err = err;
    marking->vouched_ms = vouched_ms;
    jtg_status status = mark_and_tell(marking, server, slots);
    jtgi_free(marking);
    return status;
}

jtg_status jtgi_watch_mark(struct jtgi_watch *watch, struct jtgi_connection *connection,
                           const jtg_redis_server *server, const struct jtgi_slot_set *slots,
                           int64_t deadline_ns, jtg_error *err)
{
    return work(watch, connection, server, slots, -1, deadline_ns, err);
}

jtg_status jtgi_watch_vouch(struct jtgi_watch *watch, struct jtgi_connection *connection,
                            const jtg_redis_server *server, const struct jtgi_slot_set *slots,
                            int64_t since_ms, int64_t deadline_ns, jtg_error *err)
{
    return work(watch, connection, server, slots, since_ms, deadline_ns, err);
}

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

struct jtgi_marking {
    struct jtgi_watch *watch;
    struct jtgi_connection *connection;
    const jtg_redis_server *server;
    struct jtgi_slot_set slots;
    char identity[JTGI_IDENTITY_TEXT_BYTES];
    int64_t vouched_ms;  /* < 0: nobody vouches */
    int64_t deadline_ns; /* of this call, as err */
    jtg_error *err;
    struct jtgi_noticed noticed[JTGI_LOSSES];
    struct place passed_over; /* the first that was; its refusal is NULL: none */

    /* How far it has come. */
    bool begun;
    unsigned first;   /* slot that it began at */
    unsigned visited; /* slots since */

    /* The go that is under way; count 0: none. */
    struct place places[GO];
    size_t count;
    enum step step;              /* that all that are at it take, */
    bool asking;                 /* the question is on its way, */
    size_t sent;                 /* so much of it has left, */
    size_t at;                   /* and the answers for those before it have come */
    struct jtgi_command command; /* the question */
    bool awaited[GO];            /* those it was asked for */
};

/* ---- what is asked ---- */

static void put_key(struct jtgi_command *command, const struct jtgi_marking *marking,
                    const struct place *place)
{
    unsigned char key[JTGI_MARKER_KEY_MAX_BYTES];
    jtgi_command_bytes(command, key, jtgi_marker_key(&marking->watch->keys, place->slot, key));
}

static void put_script(struct jtgi_command *command, const struct jtgi_marking *marking,
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

static void put_read(struct jtgi_command *command, const struct jtgi_marking *marking,
                     const struct place *place)
{
    jtgi_command_begin(command, 2);
    jtgi_command_text(command, "GET");
    put_key(command, marking, place);
}

static void put_write(struct jtgi_command *command, const struct jtgi_marking *marking,
                      const struct place *place, bool known)
{
    char epoch[JTGI_EPOCH_TEXT_BYTES];
    jtgi_epoch_format(marking->connection->peer.epoch, epoch);
    put_script(command, marking, place, JTGI_SCRIPT_MARK, 3, known);
    jtgi_command_text(command, marking->identity);
    jtgi_command_text(command, epoch);
    put_nonce(command, jtgi_nonce_new());
}

static void put_lower(struct jtgi_command *command, const struct jtgi_marking *marking,
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
static void put_vouch(struct jtgi_command *command, const struct jtgi_marking *marking,
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
static void put_raise(struct jtgi_command *command, const struct jtgi_marking *marking,
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
static bool names_us(const struct jtgi_marking *marking, const redisReply *reply,
                     struct place *place)
{
    place->loss = JTG_REDIS_LOSS_NO_MARKER;
    if (reply->type != REDIS_REPLY_STRING ||
        !jtgi_marker_read(&place->marker, reply->str, reply->len))
        return false;
    place->loss = loss_of(&place->marker, &marking->connection->peer.identity);
    return jtgi_marker_names(&place->marker, &marking->connection->peer.identity);
}

static void adopt(struct jtgi_marking *marking, struct place *place)
{
    place->step = STEP_DONE;
    jtg_redis_loss loss = jtgi_watch_adopt(marking->watch, marking->connection, place->slot,
                                           &place->marker, place->loss);
    jtgi_notice(marking->noticed, loss, place->marker.since_ms);
}

/* A marker that names the server and stands. */
static void weigh(struct jtgi_marking *marking, struct place *place)
{
    if (jtgi_watch_trusts(marking->watch, marking->connection, place->slot, &place->marker)) {
        adopt(marking, place);
        return;
    }
    place->loss = JTG_REDIS_LOSS_EXCHANGED;
    place->step = STEP_RAISE;
}

static jtg_status read_marker(struct jtgi_marking *marking, const redisReply *reply,
                              struct place *place)
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

static jtg_status fail_changing(const struct jtgi_marking *marking)
{
    return jtg_error_set(marking->err, JTG_ERR_UNAVAILABLE, 0,
                         "redis: the store was flushed while it was marked");
}

static jtg_status read_written(struct jtgi_marking *marking, const redisReply *reply,
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
static jtg_status read_dated(struct jtgi_marking *marking, const redisReply *reply,
                             struct place *place)
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
static jtg_status read_vouched(struct jtgi_marking *marking, const redisReply *reply,
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

static jtg_status fail_refused(const struct jtgi_marking *marking, const struct place *place)
{
    char told[JTGI_REFUSAL_BYTES];
    jtgi_error_explain(place->refusal, place->refused, told);
    return jtg_error_set(marking->err, place->refusal->status, 0,
                         "redis: the store cannot be marked for continuity: %s", told);
}

/* ---- one step of all places that are at it ---- */

static void put(struct jtgi_command *command, const struct jtgi_marking *marking,
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
static jtg_status take(struct jtgi_marking *marking, const redisReply *reply, struct place *place)
{
    const struct jtgi_error_row *row = jtgi_reply_error(reply);
    place->refusal = row;
    place->refused = row == NULL ? NULL : jtgi_error_command_of(reply->str, reply->len);
    if (row != NULL && row->healthy) {
        place->step = STEP_PASSED_OVER;
        if (marking->passed_over.refusal == NULL)
            marking->passed_over = *place;
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

/* What is asked for all that are at this step. */
static jtg_status put_all(struct jtgi_marking *marking)
{
    size_t asked = 0;
    jtgi_command_clear(&marking->command);
    for (size_t i = 0; i < marking->count; i++) {
        marking->awaited[i] = marking->places[i].step == marking->step;
        if (marking->awaited[i])
            put(&marking->command, marking, &marking->places[i], asked++ > 0);
    }
    marking->sent = 0;
    marking->at = 0;
    marking->asking = true;
    return marking->command.failed
               ? jtg_error_set(marking->err, JTG_ERR_MEMORY, 0, "redis: no memory for a command")
               : JTG_OK;
}

static jtg_status fail_line(const struct jtgi_marking *marking, const struct jtgi_fault *fault)
{
    if (fault->io == JTGI_IO_LATER)
        return JTGI_LATER;
    return jtg_error_set(marking->err, JTG_ERR_UNAVAILABLE, fault->cause, "redis: %s", fault->text);
}

static jtg_status send_all(struct jtgi_marking *marking)
{
    struct jtgi_fault fault;
    const struct jtgi_command *command = &marking->command;
    if (marking->sent == command->len ||
        jtgi_connection_send(marking->connection, command->bytes, command->len, &marking->sent,
                             marking->deadline_ns, &fault))
        return JTG_OK;
    return fail_line(marking, &fault);
}

static jtg_status receive(struct jtgi_marking *marking, struct place *place)
{
    struct jtgi_fault fault;
    redisReply *reply = jtgi_connection_receive(marking->connection, marking->deadline_ns, &fault);
    if (reply == NULL)
        return fail_line(marking, &fault);
    jtg_status status = take(marking, reply, place);
    freeReplyObject(reply);
    return status;
}

static jtg_status do_step(struct jtgi_marking *marking)
{
    jtg_status status = marking->asking ? JTG_OK : put_all(marking);
    if (status == JTG_OK)
        status = send_all(marking);
    while (status == JTG_OK && marking->at < marking->count) {
        if (marking->awaited[marking->at])
            status = receive(marking, &marking->places[marking->at]);
        marking->at += status == JTG_OK;
    }
    return status;
}

/* ---- all of it ---- */

/* Every place must be marked by now. */
static jtg_status begin_vouching(struct jtgi_marking *marking)
{
    for (size_t i = 0; i < marking->count; i++) {
        if (marking->places[i].step == STEP_PASSED_OVER)
            return fail_refused(marking, &marking->places[i]);
        marking->places[i].step = STEP_VOUCH;
    }
    return JTG_OK;
}

/* Read, write, lower, raise; and vouch, if somebody does. */
static jtg_status do_go(struct jtgi_marking *marking)
{
    enum step last = marking->vouched_ms >= 0 ? STEP_VOUCH : STEP_RAISE;
    jtg_status status = JTG_OK;
    while (status == JTG_OK && marking->step <= last) {
        if (marking->step == STEP_VOUCH && !marking->asking)
            status = begin_vouching(marking);
        if (status == JTG_OK)
            status = do_step(marking);
        if (status != JTG_OK)
            return status;
        marking->asking = false;
        marking->step++;
    }
    marking->count = 0;
    return status;
}

/* The slots of the next go; false when none is left. */
static bool fill_go(struct jtgi_marking *marking)
{
    unsigned all = (unsigned)marking->watch->slots;
    for (; marking->visited < all && marking->count < GO; marking->visited++) {
        unsigned slot = (marking->first + marking->visited) % all;
        if (!jtgi_slot_set_has(&marking->slots, slot) ||
            !jtgi_marker_keys_have(&marking->watch->keys, (uint16_t)slot))
            continue;
        struct place place = {.slot = (uint16_t)slot, .step = STEP_READ};
        marking->places[marking->count++] = place;
    }
    marking->step = STEP_READ;
    return marking->count > 0;
}

/* Instances that come at the same moment, to a node that is back, begin at different slots: what
 * one has marked the others only read. */
static jtg_status mark_all(struct jtgi_marking *marking)
{
    jtg_status status = JTG_OK;
    while (status == JTG_OK && (marking->count > 0 || fill_go(marking)))
        status = do_go(marking);
    return status;
}

static jtg_status begin(struct jtgi_marking *marking)
{
    struct jtgi_peer *peer = &marking->connection->peer;
    struct jtgi_identity *identity = &peer->identity;
    marking->begun = true;
    jtgi_identity_of(identity, marking->server, marking->watch->config, peer->epoch);
    jtgi_identity_format(identity, marking->identity);
    jtgi_who_of(&peer->who, identity);
    if (identity->run_id[0] == '\0' || identity->replication_id[0] == '\0')
        return jtg_error_set(marking->err, JTG_ERR_UNSAFE, 0,
                             "redis: INFO does not state run_id and master_replid, so that a loss "
                             "could not be noticed (continuity=no goes without)");
    atomic_store(&peer->evicts, marking->server->evicts != 0);
    peer->info_ns = jtgi_now_ns();
    return JTG_OK;
}

/* Too large for a caller's stack. */
struct jtgi_marking *jtgi_marking_begin(struct jtgi_watch *watch,
                                        struct jtgi_connection *connection,
                                        const jtg_redis_server *server,
                                        const struct jtgi_slot_set *slots)
{
    struct jtgi_marking *marking = jtgi_alloc(sizeof *marking);
    if (marking == NULL)
        return NULL;
    marking->watch = watch;
    marking->connection = connection;
    marking->server = server;
    marking->slots = *slots;
    marking->vouched_ms = -1;
    marking->first = randombytes_uniform((uint32_t)watch->slots);
    marking->begun = server == NULL;
    if (marking->begun)
        jtgi_identity_format(&connection->peer.identity, marking->identity);
    jtgi_command_init(&marking->command);
    return marking;
}

jtg_status jtgi_marking_go_on(struct jtgi_marking *marking, int64_t deadline_ns, jtg_error *err)
{
    marking->deadline_ns = deadline_ns;
    marking->err = err;
    jtg_status status = marking->begun ? JTG_OK : begin(marking);
    if (status == JTG_OK)
        status = mark_all(marking);
    if (status == JTG_OK && !jtgi_connection_is_empty(marking->connection))
        status = jtg_error_set(err, JTG_ERR_PROTOCOL, 0, "redis: more came than was asked for");
    return status;
}

jtg_status jtgi_marking_is_whole(const struct jtgi_marking *marking, jtg_error *err)
{
    char told[JTGI_REFUSAL_BYTES];
    const struct place *place = marking->passed_over.refusal == NULL ? NULL : &marking->passed_over;
    if (place == NULL)
        return JTG_OK;
    jtgi_error_explain(place->refusal, place->refused, told);
    return jtg_error_set(err, place->refusal->status, 0, "redis: %s", told);
}

void jtgi_marking_end(struct jtgi_marking *marking)
{
    if (marking == NULL)
        return;
    jtgi_watch_tell(marking->watch, marking->connection, marking->noticed);
    jtgi_command_clear(&marking->command);
    jtgi_free(marking);
}

/* For who waits. */
static jtg_status work(struct jtgi_watch *watch, struct jtgi_connection *connection,
                       const jtg_redis_server *server, const struct jtgi_slot_set *slots,
                       int64_t vouched_ms, int64_t deadline_ns, jtg_error *err)
{
    struct jtgi_marking *marking = jtgi_marking_begin(watch, connection, server, slots);
    if (marking == NULL)
        return jtg_error_set(err, JTG_ERR_MEMORY, 0, "redis: no memory to mark the store");
    marking->vouched_ms = vouched_ms;
    jtg_status status = jtgi_marking_go_on(marking, deadline_ns, err);
    jtgi_marking_end(marking);
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

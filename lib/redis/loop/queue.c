/* SPDX-License-Identifier: Apache-2.0 */
#include "redis/loop/queue.h"

#include "core/alloc.h"
#include "redis/flow/counts.h"
#include "redis/line/deadline.h"
#include "redis/loop/bell.h"
#include "redis/loop/lane.h"
#include "redis/loop/trip.h"
#include "redis/route/arrival.h"

#include <jtiguard/status.h>
#include <string.h>

enum {
    SPARE_MAX = 256,          /* trips that are kept for use again */
    BATCH_MAX = JTG_MANY_MAX, /* calls that leave in one batch */
    TURNS_MAX = 64            /* of one process: a line that is always ready is left alone then */
};

struct loop {
    struct jtgi_redis *redis; /* borrowed */
    struct jtgi_bell bell;
    struct jtgi_dialer dialer;
    struct jtgi_lane lane;
    jtg_redis_server server; /* of its connection */

    bool arriving;
    struct jtgi_arrival arrival;
    int64_t asked_ns; /* when it began */
    uint64_t gains;   /* of its node, then */
    struct jtgi_marking *marking;
    int64_t marking_until_ns;

    bool line_is_odd; /* an answer on it was none */

    bool has_news; /* for the next turn, which is due at once */

    struct jtgi_chain by_age;    /* all trips, the oldest first: all have as much time */
    struct jtgi_chain asking;    /* of these: those that ask next, in their order */
    struct jtgi_chain for_marks; /* and those that wait for a slot to be marked */
    struct jtgi_command words;
    struct jtgi_loop_call *ended; /* the first of those that have; */
    struct jtgi_loop_call *last;  /* and the last */
    struct jtgi_chain spare;
    unsigned spare_count;
};

static const char expired_unsent[] = "no time was left to send it";
static const char expired[] = "no answer in time";
static const char cancelled[] = "it was cancelled";

static struct jtgi_trip *trip_at(struct jtgi_chain *place)
{
    return JTGI_CHAIN_OF(place, struct jtgi_trip, place);
}

static void count(const struct loop *loop, size_t what)
{
    jtgi_counters_add(loop->redis->shared.counters, what);
}

static struct jtgi_node *node_of(const struct loop *loop)
{
    return loop->lane.node;
}

/* ---- the end of a call ---- */

static void put_away(struct loop *loop, struct jtgi_trip *trip)
{
    jtgi_chain_take_out(&trip->by_age);
    jtgi_chain_take_out(&trip->place);
    if (loop->spare_count == SPARE_MAX) {
        jtgi_free(trip);
        return;
    }
    jtgi_chain_append(&loop->spare, &trip->place);
    loop->spare_count++;
}

static void end(struct loop *loop, struct jtgi_trip *trip)
{
    struct jtgi_loop_call *call = trip->call;
    jtgi_trip_end(trip);
    put_away(loop, trip);
    call->next = NULL;
    if (loop->last != NULL)
        loop->last->next = call;
    else
        loop->ended = call;
    loop->last = call;
}

static void go_on(struct loop *loop, struct jtgi_trip *trip, enum jtgi_trip_next next)
{
    if (next == JTGI_TRIP_ENDS)
        end(loop, trip);
    else
        jtgi_chain_append(next == JTGI_TRIP_ASKS ? &loop->asking : &loop->for_marks, &trip->place);
}

/* ---- the line is lost, or there is none ---- */

static void fail_flight(struct loop *loop, struct jtgi_lane_flight *flight,
                        const struct jtgi_fault *fault)
{
    bool unsent = flight->sent == 0;
    jtg_error why = JTG_ERROR_INIT;
    struct jtgi_chain trips;
    int64_t now_ns = jtgi_now_ns();
    why.status =
        jtg_error_set(&why, unsent ? JTG_ERR_UNAVAILABLE : JTG_ERR_TIMEOUT, fault->cause,
                      "redis: %s%s", fault->text, unsent ? "" : ": whether it was done is unknown");
    jtgi_chain_move_all(&trips, &flight->trips);
    while (!jtgi_chain_is_empty(&trips)) {
        struct jtgi_trip *trip = trip_at(trips.next);
        jtgi_chain_take_out(&trip->place);
        trip->attempt.request.answer.over = unsent || fault->ended;
        jtgi_trip_hear(trip, unsent ? JTGI_FATE_NOT_SENT : JTGI_FATE_UNKNOWN, &why);
        go_on(loop, trip, jtgi_trip_go_on(trip, now_ns));
    }
}

static void lose(struct loop *loop, const struct jtgi_fault *fault)
{
    struct jtgi_lane *lane = &loop->lane;
    jtgi_marking_end(loop->marking);
    loop->marking = NULL;
    jtgi_connection_break(lane->connection, fault->text);
    if (!lane->retired)
        jtgi_node_tell_lost(lane->node, fault);
    for (struct jtgi_lane_flight *flight = NULL; (flight = jtgi_lane_first(lane)) != NULL;) {
        jtgi_lane_drop(lane);
        fail_flight(loop, flight, fault);
    }
    jtgi_lane_let_go(lane);
}

/* Nothing of what waits was sent. */
static void fail_waiting(struct loop *loop, const jtg_error *why)
{
    struct jtgi_chain trips;
    int64_t now_ns = jtgi_now_ns();
    jtgi_chain_move_all(&trips, &loop->asking);
    while (!jtgi_chain_is_empty(&trips)) {
        struct jtgi_trip *trip = trip_at(trips.next);
        jtgi_chain_take_out(&trip->place);
        if (jtgi_trip_ask(trip, &loop->words) != NULL)
            jtgi_trip_hear(trip, JTGI_FATE_NOT_SENT, why);
        go_on(loop, trip, jtgi_trip_go_on(trip, now_ns));
    }
}

static void tell_marked(struct loop *loop, jtg_status status, const jtg_error *why)
{
    struct jtgi_chain trips;
    jtgi_chain_move_all(&trips, &loop->for_marks);
    while (!jtgi_chain_is_empty(&trips)) {
        struct jtgi_trip *trip = trip_at(trips.next);
        jtgi_chain_take_out(&trip->place);
        go_on(loop, trip, jtgi_trip_marked(trip, status, why));
    }
}

/* ---- a connection ---- */

static bool is_wanted(struct loop *loop)
{
    return !jtgi_chain_is_empty(&loop->asking) || !jtgi_chain_is_empty(&loop->for_marks);
}

/* Known to be down, or not reached. */
static void fail_connecting(struct loop *loop, jtg_status status, jtg_error *why)
{
    why->status = status;
    fail_waiting(loop, why);
    tell_marked(loop, status, why);
}

static void begin_connecting(struct loop *loop)
{
    jtg_error why = JTG_ERROR_INIT;
    struct jtgi_node *node = node_of(loop);
    int64_t until_ns = jtgi_deadline_in_ms(loop->redis->shared.config.options.timeout_ms);
    loop->asked_ns = jtgi_now_ns();
    loop->gains = atomic_load(&node->gains);
    jtg_status status = jtgi_node_begin_visit(node, &loop->arrival, &loop->dialer, until_ns, &why);
    loop->arriving = status == JTG_OK;
    if (!loop->arriving)
        fail_connecting(loop, status, &why);
}

/* Has anything happened? */
static bool connect_line(struct loop *loop)
{
    jtg_error why = JTG_ERROR_INIT;
    if (loop->lane.connection != NULL || (!loop->arriving && !is_wanted(loop)))
        return false;
    if (!loop->arriving)
        begin_connecting(loop);
    if (!loop->arriving)
        return true;
    jtg_status status = jtgi_arrival_go_on(&loop->arrival, &why);
    if (status == JTGI_LATER)
        return false;
    loop->arriving = false;
    struct jtgi_connection *connection =
        jtgi_node_end_visit(node_of(loop), &loop->arrival, status, &why);
    loop->server = loop->arrival.best.server;
    if (connection != NULL)
        jtgi_lane_take(&loop->lane, connection, loop->asked_ns, loop->gains);
    else
        fail_connecting(loop, status, &why);
    return true;
}

/* ---- a slot that was not marked when the connection was made (ask/late_marking.h) ---- */

static bool begin_marking(struct loop *loop)
{
    struct jtgi_slot_set slots;
    struct jtgi_node *node = node_of(loop);
    if (loop->marking != NULL)
        return true;
    if (jtgi_chain_is_empty(&loop->for_marks) || loop->lane.count > 0 ||
        !jtgi_lane_is_fit(&loop->lane, jtgi_now_ns()))
        return false;
    node->guide->slots_of(node->guide->route, node, &slots);
    loop->marking_until_ns = jtgi_deadline_in_ms(node->shared->config.options.timeout_ms);
    loop->marking = jtgi_marking_begin(&node->shared->watch, loop->lane.connection, NULL, &slots);
    if (loop->marking == NULL) {
        const jtg_error why = {JTG_ERR_MEMORY, 0, "redis: no memory to mark the store"};
        tell_marked(loop, JTG_ERR_MEMORY, &why);
    }
    return loop->marking != NULL;
}

/* Whatever hinders it, the connection is fit for nothing any more: what it left half way. */
static void end_marking(struct loop *loop, jtg_status status, jtg_error *why)
{
    static const struct jtgi_fault fault = {JTGI_IO_FAILED, 0, "the store could not be marked",
                                            false};
    if (status == JTG_OK)
        status = jtgi_marking_is_whole(loop->marking, why);
    else
        lose(loop, &fault);
    jtgi_marking_end(loop->marking);
    loop->marking = NULL;
    tell_marked(loop, status, why);
}

static bool mark(struct loop *loop)
{
    jtg_error why = JTG_ERROR_INIT;
    if (!begin_marking(loop))
        return false;
    jtg_status status = jtgi_marking_go_on(loop->marking, loop->marking_until_ns, &why);
    if (status == JTGI_LATER)
        return false;
    end_marking(loop, status, &why);
    return true;
}

/* ---- what comes home ---- */

static void take_answers(struct loop *loop, struct jtgi_lane_flight *flight)
{
    struct jtgi_chain trips;
    int64_t now_ns = jtgi_now_ns();
    jtgi_chain_move_all(&trips, &flight->trips);
    while (!jtgi_chain_is_empty(&trips)) {
        struct jtgi_trip *trip = trip_at(trips.next);
        jtgi_chain_take_out(&trip->place);
        jtgi_batch_take(flight->batch, &trip->errand.exchange);
        jtgi_trip_hear(trip, JTGI_FATE_ANSWERED, NULL);
        go_on(loop, trip, jtgi_trip_go_on(trip, now_ns));
    }
}

static bool receive(struct loop *loop)
{
    struct jtgi_fault fault;
    struct jtgi_lane_flight *flight = NULL;
    bool any = false;
    while ((flight = jtgi_lane_receive(&loop->lane, &fault)) != NULL) {
        take_answers(loop, flight);
        jtgi_lane_land(&loop->lane, loop->line_is_odd);
        loop->line_is_odd = false;
        any = true;
    }
    if (fault.io == JTGI_IO_LATER)
        return any;
    lose(loop, &fault);
    return true;
}

/* ---- what leaves ---- */

static void board(struct loop *loop, struct jtgi_lane_flight *flight, struct jtgi_trip *trip,
                  int64_t now_ns)
{
    static const jtg_error no_memory = {JTG_ERR_MEMORY, 0, "redis: no memory for a command"};
    struct jtgi_exchange *exchange = jtgi_trip_ask(trip, &loop->words);
    int64_t deadline_ns = trip->attempt.request.deadline_ns;
    if (exchange != NULL && jtgi_batch_add(flight->batch, exchange)) {
        jtgi_chain_append(&flight->trips, &trip->place);
        if (deadline_ns < flight->batch->earliest_ns)
            flight->batch->earliest_ns = deadline_ns;
        return;
    }
    if (exchange != NULL)
        jtgi_trip_hear(trip, JTGI_FATE_NOT_SENT, &no_memory);
    go_on(loop, trip, jtgi_trip_go_on(trip, now_ns));
}

/* Those that pause stay where they are. */
static void board_all(struct loop *loop, struct jtgi_lane_flight *flight, int64_t now_ns)
{
    struct jtgi_chain trips;
    jtgi_chain_move_all(&trips, &loop->asking);
    while (!jtgi_chain_is_empty(&trips)) {
        struct jtgi_trip *trip = trip_at(trips.next);
        jtgi_chain_take_out(&trip->place);
        if (trip->not_before_ns > now_ns || flight->batch->count == BATCH_MAX)
            jtgi_chain_append(&loop->asking, &trip->place);
        else
            board(loop, flight, trip, now_ns);
    }
}

static bool any_asks(struct loop *loop, int64_t now_ns)
{
    for (struct jtgi_chain *at = loop->asking.next; at != &loop->asking; at = at->next)
        if (trip_at(at)->not_before_ns <= now_ns)
            return true;
    return false;
}

/* All that ask, in one batch; but while a slot is to be marked they would only hear that again, and
 * while it is, nothing else may be said on the line. */
static bool depart(struct loop *loop)
{
    static const jtg_error no_memory = {JTG_ERR_MEMORY, 0, "redis: no memory for a command"};
    int64_t now_ns = jtgi_now_ns();
    struct jtgi_lane *lane = &loop->lane;
    if (lane->connection == NULL || loop->marking != NULL ||
        !jtgi_chain_is_empty(&loop->for_marks) || !any_asks(loop, now_ns) ||
        !jtgi_lane_has_room(lane))
        return false;
    if (!jtgi_lane_is_fit(lane, now_ns))
        return lane->connection == NULL;
    struct jtgi_lane_flight *flight = jtgi_lane_open(lane);
    if (flight == NULL)
        fail_waiting(loop, &no_memory);
    else
        board_all(loop, flight, now_ns);
    if (flight != NULL && flight->batch->count > 0)
        jtgi_lane_depart(lane, flight, now_ns);
    return true;
}

static bool send_all(struct loop *loop)
{
    struct jtgi_fault fault;
    if (loop->lane.connection == NULL || jtgi_lane_send(&loop->lane, &fault))
        return false;
    lose(loop, &fault);
    return true;
}

/* ---- time ---- */

/* Of a trip that flies: its flight. */
static struct jtgi_lane_flight *flight_of(struct loop *loop, const struct jtgi_trip *trip)
{
    struct jtgi_lane *lane = &loop->lane;
    for (unsigned i = 0; i < JTGI_LANE_FLIGHTS; i++)
        for (const struct jtgi_chain *at = lane->flights[i].trips.next;
             at != &lane->flights[i].trips; at = at->next)
            if (at == &trip->place)
                return &lane->flights[i];
    return NULL;
}

/* It ends, wherever it is. In a flight its words may leave yet, if they have not: what becomes of
 * them is unknown. Nobody would take the replies of a flight that its last has left, and the next
 * one's would come behind them. */
static void give_up(struct loop *loop, struct jtgi_trip *trip, const char *unsent, const char *sent)
{
    static const struct jtgi_fault fault = {JTGI_IO_TIMEOUT, 0, "the server did not answer in time",
                                            false};
    struct jtgi_lane_flight *flight = flight_of(loop, trip);
    bool left = flight != NULL;
    jtgi_chain_take_out(&trip->place);
    jtgi_trip_give_up(trip, left ? JTGI_FATE_UNKNOWN : JTGI_FATE_NOT_SENT, left ? sent : unsent);
    end(loop, trip);
    if (flight != NULL && jtgi_chain_is_empty(&flight->trips))
        lose(loop, &fault);
}

static void expire(struct loop *loop, int64_t now_ns)
{
    while (!jtgi_chain_is_empty(&loop->by_age)) {
        struct jtgi_trip *trip = JTGI_CHAIN_OF(loop->by_age.next, struct jtgi_trip, by_age);
        if (trip->attempt.request.deadline_ns > now_ns)
            return;
        count(loop, JTGI_COUNT_EXPIRED);
        give_up(loop, trip, expired_unsent, expired);
    }
}

static void give_up_doubtful(struct loop *loop, int64_t now_ns)
{
    static const struct jtgi_fault fault = {
        JTGI_IO_FAILED, 0, "nothing came on a connection that had been idle", false};
    if (jtgi_lane_doubt_ns(&loop->lane) <= now_ns && jtgi_lane_gives_up(&loop->lane))
        lose(loop, &fault);
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* When there is something to do of itself. */
static int64_t due_ns(struct loop *loop)
{
    int64_t due = jtgi_lane_doubt_ns(&loop->lane);
    if (!jtgi_chain_is_empty(&loop->by_age))
        due = earlier(due, JTGI_CHAIN_OF(loop->by_age.next, struct jtgi_trip, by_age)
                               ->attempt.request.deadline_ns);
    for (struct jtgi_chain *at = loop->asking.next; at != &loop->asking; at = at->next)
        if (trip_at(at)->not_before_ns > 0)
            due = earlier(due, trip_at(at)->not_before_ns);
    if (loop->marking != NULL)
        due = earlier(due, loop->marking_until_ns);
    if (loop->arriving)
        due = earlier(due, loop->arrival.share_ns != 0 ? loop->arrival.share_ns
                                                       : loop->arrival.until_ns);
    return due;
}

/* ---- the table ---- */

/* At once also for what has ended, until it is fetched. */
static void ring(struct loop *loop)
{
    bool now = loop->has_news || loop->ended != NULL;
    jtgi_bell_ring_at(&loop->bell, now ? 0 : due_ns(loop));
}

static void process(void *self)
{
    struct loop *loop = self;
    int64_t now_ns = jtgi_now_ns();
    bool moved = true;
    jtgi_bell_hear(&loop->bell);
    (void)receive(loop); /* what has come in time counts, however late it is looked at */
    give_up_doubtful(loop, now_ns);
    expire(loop, now_ns);
    for (unsigned i = 0; i < TURNS_MAX && moved; i++) {
        moved = receive(loop);
        moved = mark(loop) || moved;
        moved = connect_line(loop) || moved;
        moved = depart(loop) || moved;
        moved = send_all(loop) || moved;
    }
    loop->has_news = moved;
    ring(loop);
}

static struct jtgi_trip *take_spare(struct loop *loop)
{
    if (loop->spare_count == 0)
        return jtgi_alloc(sizeof(struct jtgi_trip));
    struct jtgi_trip *trip = trip_at(loop->spare.next);
    jtgi_chain_take_out(&trip->place);
    loop->spare_count--;
    return trip;
}

/* While the server that is known to be down is tried, the others do not queue behind that. */
static jtg_status check_down(struct loop *loop, jtg_error *err)
{
    if (loop->lane.connection != NULL || !loop->arriving)
        return JTG_OK;
    jtg_status status = jtgi_health_check(&node_of(loop)->health, err);
    if (status != JTG_OK)
        count(loop, JTGI_COUNT_REFUSED_AT_ONCE);
    return status;
}

static bool submit(void *self, struct jtgi_loop_call *call)
{
    struct loop *loop = self;
    call->status = check_down(loop, &call->err);
    if (call->status != JTG_OK)
        return true;
    struct jtgi_trip *trip = take_spare(loop);
    if (trip == NULL) {
        call->status = jtg_error_set(&call->err, JTG_ERR_MEMORY, 0, "redis: no memory for a call");
        return true;
    }
    jtgi_trip_begin(trip, loop->redis, call, &loop->line_is_odd);
    jtgi_chain_append(&loop->by_age, &trip->by_age);
    jtgi_chain_append(&loop->asking, &trip->place);
    loop->has_news = true;
    ring(loop);
    return false;
}

static struct jtgi_loop_call *next(void *self)
{
    struct loop *loop = self;
    struct jtgi_loop_call *call = loop->ended;
    if (call == NULL)
        return NULL;
    loop->ended = call->next;
    if (loop->ended == NULL) {
        loop->last = NULL;
        ring(loop);
    }
    return call;
}

static void cancel(void *self, struct jtgi_loop_call *call)
{
    struct loop *loop = self;
    if (call->under_way == NULL)
        return;
    give_up(loop, call->under_way, cancelled, cancelled);
    loop->has_news = true;
    ring(loop);
}

static int fd_of(const void *self)
{
    const struct loop *loop = self;
    return loop->bell.epoll_fd;
}

static int timeout_ms(const void *self)
{
    const struct loop *loop = self;
    int64_t at_ns = loop->bell.armed_ns;
    return at_ns == 0 ? -1 : jtgi_deadline_left_ms(at_ns);
}

/* In a child of fork() what is told takes locks that nobody there lets go of. */
static void leave_half_way(struct loop *loop, bool in_child)
{
    if (in_child)
        return;
    if (loop->arriving)
        jtgi_node_leave_visit(node_of(loop), &loop->arrival);
    jtgi_marking_end(loop->marking);
}

static void close_loop(void *self, bool in_child)
{
    struct loop *loop = self;
    leave_half_way(loop, in_child);
    jtgi_lane_clear(&loop->lane);
    while (!jtgi_chain_is_empty(&loop->by_age))
        put_away(loop, JTGI_CHAIN_OF(loop->by_age.next, struct jtgi_trip, by_age));
    while (loop->spare_count > 0)
        jtgi_free(take_spare(loop));
    jtgi_command_clear(&loop->words);
    jtgi_dialer_clear(&loop->dialer);
    jtgi_bell_clear(&loop->bell);
    jtgi_free(loop);
}

static jtg_status make(struct loop *loop, jtg_error *err)
{
    struct jtgi_shared *shared = &loop->redis->shared;
    jtg_status status = jtgi_bell_init(&loop->bell, err);
    if (status != JTG_OK)
        return status;
    status = jtgi_dialer_init(&loop->dialer, &shared->config, &loop->bell.waiter, err);
    if (status != JTG_OK)
        jtgi_bell_clear(&loop->bell);
    return status;
}

/* A look-up of who serves now, among Sentinels or the nodes of a Cluster, waits (route/). */
static jtg_status check_route(const struct jtgi_redis *redis, jtg_error *err)
{
    return redis->route.guide.named_by_others
               ? jtg_error_set(err, JTG_ERR_UNSUPPORTED, 0,
                               "redis: an event loop is offered for one server that the options "
                               "name, and not yet with Sentinels or a Cluster")
               : JTG_OK;
}

static jtg_status open_loop(jtg_cache *cache, void **made, jtg_error *err)
{
    struct jtgi_redis *redis = (struct jtgi_redis *)(void *)cache;
    jtg_status status = check_route(redis, err);
    struct loop *loop = status == JTG_OK ? jtgi_alloc(sizeof *loop) : NULL;
    if (loop == NULL)
        return status != JTG_OK ? status
                                : jtg_error_set(err, JTG_ERR_MEMORY, 0, "no memory for a loop");
    loop->redis = redis;
    status = make(loop, err);
    if (status != JTG_OK) {
        jtgi_free(loop);
        return status;
    }
    jtgi_lane_init(&loop->lane, jtgi_nodes_at_slot(&redis->route.nodes, 0), &loop->bell);
    jtgi_command_init(&loop->words);
    jtgi_chain_init(&loop->by_age);
    jtgi_chain_init(&loop->asking);
    jtgi_chain_init(&loop->for_marks);
    jtgi_chain_init(&loop->spare);
    *made = loop;
    return JTG_OK;
}

struct jtgi_connection *jtgi_redis_loop_connection(void *self)
{
    struct loop *loop = self;
    return loop->lane.connection;
}

const struct jtgi_loop_table jtgi_redis_loop = {
    .open = open_loop,
    .fd = fd_of,
    .submit = submit,
    .process = process,
    .next = next,
    .cancel = cancel,
    .timeout_ms = timeout_ms,
    .close = close_loop,
};

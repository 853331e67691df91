/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of the store's memory: since when each slot has kept everything.
 *
 * The proof is made anew in every round trip that carries a reservation: behind the callers'
 * commands, on the same connection, the marker of each slot is read, and then INFO. If the
 * marker names this very server and INFO says that it still is that server, and a primary, then
 * all that was reserved since the marker's time was there when the commands acted; and if this
 * process has relied on no other server since (reliance.h), nothing was reserved elsewhere.
 *
 * One a cache. What is kept here only decides which commands are worth sending, and tells a
 * change: that a token is admitted rests on what the server says in the same round trip, and on
 * what the process has relied on.
 *
 * Lock. That of the reliance guards changes; since and nonce may be read without it. */
#ifndef JTGI_REDIS_WATCH_H
#define JTGI_REDIS_WATCH_H

#include "core/counters.h"
#include "redis/flow/reliance.h"
#include "redis/line/connection.h"

#include <pthread.h>

/* What a server was, short: enough to tell afterwards what has changed. */
struct jtgi_trace {
    uint32_t run;
    uint32_t replication;
    uint32_t evicted;
};

struct jtgi_kept {
    _Atomic int64_t since_ms; /* JTGI_SINCE_PENDING while nothing is known */
    _Atomic uint64_t nonce;   /* of the marker seen last, or one of these: */
    struct jtgi_trace trace;  /* of the server that it named */
};
enum {
    JTGI_NONCE_UNKNOWN, /* no marker was ever seen */
    JTGI_NONCE_LOST     /* a loss was noticed and counted, and not yet marked */
};
_Static_assert((int)JTGI_NONCE_LOST < (int)JTGI_NONCE_FIRST, "none of these is a nonce");

enum { JTGI_LOSSES = JTG_REDIS_LOSS_EXCHANGED + 1 };

struct jtgi_watch {
    const struct jtgi_redis_config *config; /* borrowed */
    struct jtgi_counters *counters;         /* borrowed */
    struct jtgi_marker_keys keys;
    struct jtgi_kept *kept;         /* of each slot; NULL: the store is not watched */
    size_t slots;                   /* 1, or JTGI_SLOTS */
    struct jtgi_reliance *reliance; /* shared with the other caches of the store; NULL as above */
    jtg_redis_loss last_loss;
    int64_t told_ms[JTGI_LOSSES]; /* when each kind was logged last, + 1; 0 = never */
};

/* Only made where continuity is on. Returns: JTG_OK · JTG_ERR_MEMORY */
jtg_status jtgi_watch_init(struct jtgi_watch *watch, const struct jtgi_redis_config *config,
                           struct jtgi_counters *counters, jtg_error *err);
/* No call may be under way. In a child of fork() nothing that is shared is touched. */
void jtgi_watch_clear(struct jtgi_watch *watch, bool in_child);

/* Since when everything known so far was kept: the latest of its slots. False: nothing is known. */
bool jtgi_watch_kept_since(const struct jtgi_watch *watch, int64_t *since_ms);

jtg_redis_loss jtgi_watch_last_loss(struct jtgi_watch *watch);

/* ---- a new connection ---- */

/* After the gate, before the connection is handed out (marking.c): read the markers of these slots
 * (slot 0 without Cluster), and write those that are missing or name another server. A slot that
 * turns out to lie elsewhere, or whose server takes no writes for now, stays unmarked.
 *
 * Returns: JTG_OK · JTG_ERR_UNSAFE (the server does not say who it is) · what the server's
 * errors and the line's faults mean; then the connection must not be used. */
jtg_status jtgi_watch_mark(struct jtgi_watch *watch, struct jtgi_connection *connection,
                           const jtg_redis_server *server, const struct jtgi_slot_set *slots,
                           int64_t deadline_ns, jtg_error *err);

/* The same step by step, for who does not wait. */
struct jtgi_marking;

/* What it is given is borrowed until jtgi_marking_end(), but for the slots. server NULL: it was
 * marked when the connection was made, as far as the server let it, and who it is is known by that.
 * NULL without memory. */
struct jtgi_marking *jtgi_marking_begin(struct jtgi_watch *watch,
                                        struct jtgi_connection *connection,
                                        const jtg_redis_server *server,
                                        const struct jtgi_slot_set *slots);

/* Returns: as jtgi_watch_mark(), and JTGI_LATER */
jtg_status jtgi_marking_go_on(struct jtgi_marking *marking, int64_t deadline_ns, jtg_error *err);

/* Then: JTG_OK where each slot is marked, else why the server did not let the first that is not. */
jtg_status jtgi_marking_is_whole(const struct jtgi_marking *marking, jtg_error *err);

/* Wherever it stands: what was learnt is told. NULL does nothing. */
void jtgi_marking_end(struct jtgi_marking *marking);

/* The same, and then lower since of their markers. */
jtg_status jtgi_watch_vouch(struct jtgi_watch *watch, struct jtgi_connection *connection,
                            const jtg_redis_server *server, const struct jtgi_slot_set *slots,
                            int64_t since_ms, int64_t deadline_ns, jtg_error *err);

/* May this server's yes be relied on under this marker, which names it? Not if this process relied
 * on another since the marker's time, unless an operator has vouched after that. */
bool jtgi_watch_trusts(const struct jtgi_watch *watch, const struct jtgi_connection *connection,
                       uint16_t slot, const struct jtgi_marker *marker);

/* A marker that names the connection's server was seen: remember it. `loss` is what else was
 * learnt of the slot, or NONE: it is counted unless it has been. Returns what was counted. */
jtg_redis_loss jtgi_watch_adopt(struct jtgi_watch *watch, struct jtgi_connection *connection,
                                uint16_t slot, const struct jtgi_marker *marker,
                                jtg_redis_loss loss);

/* Losses of one kind that were noticed together. */
struct jtgi_noticed {
    unsigned slots;
    int64_t since_ms; /* the latest time from which one of them is known to be kept; PENDING: now */
};
void jtgi_notice(struct jtgi_noticed noticed[JTGI_LOSSES], jtg_redis_loss loss, int64_t since_ms);

/* Count and log them, each kind once. Not under the lock. */
void jtgi_watch_tell(struct jtgi_watch *watch, const struct jtgi_connection *connection,
                     const struct jtgi_noticed noticed[JTGI_LOSSES]);

/* ---- a round trip ---- */

/* What a look at a marker, in the round trip of a question, said. */
enum jtgi_sight {
    JTGI_SIGHT_NONE, /* nobody looked: the question asked for no watch, or there is none */
    JTGI_SIGHT_KEPT, /* all that was made since since_ms was there when the command acted */
    JTGI_SIGHT_LOST, /* it may not have been: the connection is closed, the next one marks anew */
    JTGI_SIGHT_UNMARKED,  /* nobody has marked the slot on this server yet (late_marking.h) */
    JTGI_SIGHT_ELSEWHERE, /* the slot, or its marker, is on its way to another server */
    JTGI_SIGHT_REFUSED,   /* the server did not let us look, and says why: no loss, and no proof */
    JTGI_SIGHT_UNSAFE     /* the server changed so that the gate refuses it */
};

/* May a command that needs everything kept since then go out on this connection? */
bool jtgi_watch_lets_pass(const struct jtgi_watch *watch, const struct jtgi_connection *connection,
                          uint16_t slot, int64_t kept_since_ms);

/* GET of a slot's marker, and the INFO behind the last of them. Room enough is the caller's; both
 * return what they wrote. */
enum { JTGI_LOOK_MAX_BYTES = JTGI_MARKER_KEY_MAX_BYTES + 32, JTGI_INFO_MAX_BYTES = 36 };
size_t jtgi_watch_build_look(const struct jtgi_watch *watch, uint16_t slot, unsigned char *bytes);
size_t jtgi_watch_build_info(const struct jtgi_watch *watch, struct jtgi_connection *connection,
                             unsigned char *bytes, bool *full);

/* One look: what was asked, what came, what it means. */
struct jtgi_look {
    uint16_t slot;
    redisReply *reply; /* to GET */
    enum jtgi_sight sight;
    int64_t since_ms;                     /* KEPT only */
    const struct jtgi_error_row *refusal; /* REFUSED only */
    bool yes;                             /* the server has said yes to a reservation before it */
};

/* A yes behind which nobody looked: a value that was put, taken or swapped, or a release. Whoever
 * uses values asks for the time since which all was kept by itself; that the server was used must
 * be known then, too. */
void jtgi_watch_note_yes(struct jtgi_watch *watch, const struct jtgi_connection *connection,
                         uint16_t slot);

/* Judge the looks of one round trip. False if the connection must not be used further. */
bool jtgi_watch_judge(struct jtgi_watch *watch, struct jtgi_connection *connection,
                      struct jtgi_look *looks, size_t count, const redisReply *info, bool full);

#endif

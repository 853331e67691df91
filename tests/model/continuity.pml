/* SPDX-License-Identifier: Apache-2.0 */
/* Continuity: two guards, and a store that forgets at any moment. docs/continuity.md tells the protocol.
 *
 * The store: a server, and another whose data are older, until it is promoted or the first one starts
 * with them. Faults come between any two steps, and connections break at any of them. Each guard shows
 * the same token again and again, each time as a new use, and when an answer is lost asks again, gives up, or
 * crashes. One token is enough, for tokens share nothing but connections and markers, and a guard
 * connects without a token too.
 *
 * The property: the token is admitted at most once. So each loss was noticed before a second use.
 *
 * Time is counted in ticks of any length; what happens within one has the same time. A clock runs up to
 * MARGIN ahead of another. check-continuity runs the model as it is, which must hold, and with
 * these switches. Each leaves out a part of the protocol, and must fail:
 *
 *   NO_MARKER                nothing is watched
 *   NO_RUN_ID, NO_REPLID     half an identity
 *   CHECKED_AT_CONNECT_ONLY  no look at the marker behind the command
 *   MARKER_READ_BEFORE_SET   the look comes before the command
 *   NO_INFO                  the server's role and replication id are not looked at behind it
 *   NO_SKEW                  the guard does not allow for the difference of clocks
 *   NO_FUTURE_LEEWAY         nor for the leeway with which it accepts
 *   OFF_BY_ONE               "all since a moment" is taken to have that moment in it
 *   DATED_BEFORE_MARKED      a marker is dated by a clock that was read before it was written
 *   NEVER_AFTER_A_LOSS       the model claims that nothing is admitted after a loss, which would be no use
 *
 * or adds something to the world:
 *
 *   VOUCH                    an operator who says what is so: holds
 *   FALSE_VOUCH              … what is not so: fails
 *   EVICTION                 a server that evicts, and is asked about it once a tick: fails
 *   EVERY_BATCH              … in every batch: holds
 *   PARTITION                two primaries at once: fails
 *   REPLICAS                 … and a use counts only when a replica has confirmed it: holds
 */

#ifndef LAST_TICK
#define LAST_TICK 3
#endif
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef MARGIN
#define MARGIN 1
#endif
#define FUTURE_LEEWAY 1

/* Who holds the token in a set of data. */
#define FREE 0
#define OWNER (me + 1)
#define SOMEBODY 3 /* a use that is over */

/* The data of the two servers. */
byte held[2];
bool marked[2];
byte marker_run[2], marker_replid[2], marker_since[2], marker_nonce[2];

bool primary[2];
byte run_id[2], replid[2];
#ifdef PARTITION
bool confirmed[2]; /* has a replica that it reaches */
#endif

byte now, faults;
byte ahead[2]; /* how far each guard's clock runs ahead; the server's is SERVER_AHEAD */
byte server_ahead;
byte iat;
#define PENDING 255 /* later than everything */

bool open[2], to[2];
byte known_replid[2], since[2], nonce[2];

/* What only the property and the operator know. */
byte admitted;
#ifdef VOUCH
bool forgotten;
#endif

#ifdef EVICTION
byte evicted[2], marker_evicted[2], known_evicted[2], last_full[2];
#endif

#define CLOCK (now + ahead[me])
#define SERVER to[me]

/* May the token have been used before the store kept all? The guard's need, as lib/guard has it. */
#ifdef NO_SKEW
#define ALLOWED FUTURE_LEEWAY
#else
#ifdef NO_FUTURE_LEEWAY
#define ALLOWED MARGIN
#else
#define ALLOWED (FUTURE_LEEWAY + MARGIN)
#endif
#endif
#ifdef NO_MARKER
#define TOO_OLD false
#else
#define TOO_OLD (since[me] + ALLOWED > iat)
#endif
#ifdef OFF_BY_ONE
#define NEXT 0
#else
#define NEXT 1 /* what was made in the moment itself may be from before the loss */
#endif

#ifdef NO_RUN_ID
#define SAME_RUN true
#else
#define SAME_RUN (marker_run[SERVER] == run_id[SERVER])
#endif
#ifdef NO_REPLID
#define SAME_REPLID true
#else
#define SAME_REPLID (marker_replid[SERVER] == known_replid[me])
#endif
#ifdef EVICTION
#define SAME_EVICTED (marker_evicted[SERVER] >= known_evicted[me])
#else
#define SAME_EVICTED true
#endif
#define MARKER_IS_CURRENT (marked[SERVER] && SAME_RUN && SAME_REPLID && SAME_EVICTED)

/* ---- data ---- */

inline copy_data(from, into)
{
    held[into] = held[from];
    marked[into] = marked[from];
    marker_run[into] = marker_run[from];
    marker_replid[into] = marker_replid[from];
    marker_since[into] = marker_since[from];
    marker_nonce[into] = marker_nonce[from];
#ifdef EVICTION
    marker_evicted[into] = marker_evicted[from];
#endif
}

/* Zeroes, so that equal states are seen to be equal. */
inline clear_data(set)
{
    held[set] = FREE;
    marked[set] = false;
    marker_run[set] = 0;
    marker_replid[set] = 0;
    marker_since[set] = 0;
    marker_nonce[set] = 0;
#ifdef EVICTION
    marker_evicted[set] = 0;
#endif
}

/* ---- numbers that were never used before ---- */

/* The lowest that nobody knows any more: as good as one that is new, and equal states stay equal. */
inline draw_nonce(into)
{
    fresh = 1;
    do
    :: marker_nonce[0] == fresh || marker_nonce[1] == fresh || nonce[0] == fresh ||
       nonce[1] == fresh ->
        fresh++
    :: else -> break
    od;
    into = fresh;
    fresh = 0
}

inline draw_run_id(into)
{
    fresh = 1;
    do
    :: marker_run[0] == fresh || marker_run[1] == fresh || run_id[0] == fresh ||
       run_id[1] == fresh ->
        fresh++
    :: else -> break
    od;
    into = fresh;
    fresh = 0
}

inline draw_replid(into)
{
    fresh = 1;
    do
    :: marker_replid[0] == fresh || marker_replid[1] == fresh || replid[0] == fresh ||
       replid[1] == fresh || known_replid[0] == fresh || known_replid[1] == fresh ->
        fresh++
    :: else -> break
    od;
    into = fresh;
    fresh = 0
}

/* ---- the guard ---- */

inline disconnect(guard)
{
    open[guard] = false;
    to[guard] = 0;
    known_replid[guard] = 0;
    since[guard] = 0;
    nonce[guard] = 0;
#ifdef EVICTION
    known_evicted[guard] = 0;
    last_full[guard] = 0;
#endif
}

/* The use is over, with whatever answer: its owner never asks again. */
inline finish()
{
    wants = false;
    if
    :: held[0] == OWNER -> held[0] = SOMEBODY
    :: else
    fi;
    if
    :: held[1] == OWNER -> held[1] = SOMEBODY
    :: else
    fi
}

proctype Guard(bit me)
{
    bool wants;
    byte my_time, fresh;

idle:
    /* A token, or only a connection. */
    atomic {
        if
        :: iat <= CLOCK + FUTURE_LEEWAY && !(open[me] && TOO_OLD) -> wants = true
        :: !open[me]
        fi;
        if
        :: open[me] -> goto reserve
        :: else
        fi;
connect:
        if
        :: primary[0] -> to[me] = 0
        :: primary[1] -> to[me] = 1
        fi;
        open[me] = true;
        known_replid[me] = replid[SERVER]
#ifdef DATED_BEFORE_MARKED
        ;
        my_time = CLOCK
#endif
#ifdef EVICTION
        ;
        known_evicted[me] = evicted[SERVER];
        last_full[me] = now
#endif
    };

#ifndef NO_MARKER
    /* One script: a marker that names the server stays, else a new one comes, without a time. The
     * guard's clock is read as early as it can be, for a later time refuses more. */
    atomic {
        if
        :: !open[me] || !primary[SERVER] -> goto broken
        :: else
        fi;
        if
        :: MARKER_IS_CURRENT
        :: else ->
            marked[SERVER] = true;
            marker_run[SERVER] = run_id[SERVER];
            marker_replid[SERVER] = known_replid[me];
            marker_since[SERVER] = PENDING;
            draw_nonce(marker_nonce[SERVER]);
#ifdef EVICTION
            marker_evicted[SERVER] = known_evicted[me];
#endif
        fi;
        nonce[me] = marker_nonce[SERVER];
        if
        :: marker_since[SERVER] != PENDING -> since[me] = marker_since[SERVER]; goto connected
        :: else
        fi;
#ifndef DATED_BEFORE_MARKED
        my_time = CLOCK
#endif
    };

    /* One script: the time, if it is still that marker and has none, or a later one. */
    atomic {
        if
        :: !open[me] || !primary[SERVER] -> goto broken
        :: open[me] && primary[SERVER] && marked[SERVER] && marker_nonce[SERVER] == nonce[me]
        :: else -> goto broken
        fi;
#ifndef DATED_BEFORE_MARKED
        if
        :: my_time < now + server_ahead -> my_time = now + server_ahead
        :: else
        fi;
#endif
        if
        :: my_time + NEXT < marker_since[SERVER] -> marker_since[SERVER] = my_time + NEXT
        :: else
        fi;
        since[me] = marker_since[SERVER];
connected:
        /* A token that the store may have forgotten is not sent. */
        my_time = 0;
        if
        :: wants && TOO_OLD -> finish()
        :: else
        fi;
        if
        :: !wants -> goto idle
        :: else
        fi
    };
#endif

reserve:
#ifdef MARKER_READ_BEFORE_SET
    atomic {
        if
        :: !open[me] -> goto broken
        :: marked[SERVER] && marker_nonce[SERVER] == nonce[me]
        :: else -> goto lost
        fi
    };
#endif

    /* SET NX, or the question whose it is when an answer was lost. */
    atomic {
        if
        :: !open[me] || !primary[SERVER] -> goto broken
        :: open[me] -> goto broken /* lost on its way */
        :: open[me] && primary[SERVER]
        fi;
        if
        :: held[SERVER] == FREE -> held[SERVER] = OWNER
        :: held[SERVER] == OWNER
        :: else -> finish(); goto idle /* replayed */
        fi
    };

#ifdef REPLICAS
    atomic {
        if
        :: !open[me] -> goto broken
        :: open[me] && !confirmed[SERVER] -> finish(); goto idle
        :: else
        fi
    };
#endif

#ifndef NO_MARKER
#ifndef CHECKED_AT_CONNECT_ONLY
#ifndef MARKER_READ_BEFORE_SET
    /* GET of the marker. Same nonce and a lower since: vouched for. */
    atomic {
        if
        :: !open[me] -> goto broken
        :: open[me] && marked[SERVER] && marker_nonce[SERVER] == nonce[me] &&
           marker_since[SERVER] <= since[me] ->
            since[me] = marker_since[SERVER]
        :: else -> goto lost
        fi
    };
#endif
#ifndef NO_INFO
    atomic {
        if
        :: !open[me] -> goto broken
        :: open[me] && !primary[SERVER] -> goto lost
#ifndef NO_REPLID
        :: open[me] && primary[SERVER] && replid[SERVER] != known_replid[me] -> goto lost
#endif
#ifdef EVICTION
        :: open[me] && primary[SERVER] && replid[SERVER] == known_replid[me] ->
#ifndef EVERY_BATCH
            if
            :: last_full[me] == now -> goto answered
            :: else
            fi;
#endif
            last_full[me] = now;
            if
            :: evicted[SERVER] != known_evicted[me] -> goto lost
            :: else
            fi
#else
        :: else
#endif
        fi
    };
#endif
#endif
#endif

answered:
    /* The answers are on their way: they arrive, or the connection or the guard ends before. */
    atomic {
        if
        :: goto broken
        :: open[me]
        fi;
        admitted++;
#ifdef NEVER_AFTER_A_LOSS
        assert(faults == 0 || since[me] == 0);
#endif
        assert(admitted <= 1);
        finish();
        goto idle
    };

lost:
    /* Refused; the next connect marks anew. */
    atomic {
        disconnect(me);
        finish()
    };
    goto idle;

broken:
    /* Ask again with the same owner on a new connection; or give up, or crash and start anew. */
    atomic {
        my_time = 0;
        disconnect(me);
        if
        :: wants -> goto connect
        :: finish(); goto idle
        fi
    }
}

/* ---- the world ---- */

inline break_connections(server)
{
    if
    :: open[0] && to[0] == server -> disconnect(0)
    :: else
    fi;
    if
    :: open[1] && to[1] == server -> disconnect(1)
    :: else
    fi
}

/* The data of a primary are about to become others. */
inline note_loss(after)
{
#ifdef VOUCH
    if
    :: after == FREE && (held[0] != FREE || held[1] != FREE || admitted > 0) -> forgotten = true
    :: else
    fi
#else
    skip
#endif
}

inline be_primary(server)
{
    primary[server] = true;
    draw_replid(replid[server])
}

inline start_anew(server)
{
    draw_run_id(run_id[server]);
#ifdef EVICTION
    evicted[server] = 0;
#endif
    break_connections(server)
}

#define ALONE (primary[0] != primary[1])
#define THE_PRIMARY (primary[0] -> 0 : 1)
#define THE_OTHER (primary[0] -> 1 : 0)

proctype World()
{
    bit p, other;
    byte fresh;
end:
    do
    :: d_step { now < LAST_TICK -> now++ }
    :: d_step { ALONE -> p = THE_PRIMARY; other = THE_OTHER; copy_data(p, other); p = 0; other = 0 }
    :: atomic {
        ALONE && faults < FAULTS ->
        faults++;
        p = THE_PRIMARY;
        other = THE_OTHER;
        if
        :: true -> note_loss(FREE); clear_data(p); start_anew(p); be_primary(p) /* restarted empty */
        :: true -> note_loss(held[other]); copy_data(other, p); start_anew(p); /* … with older data: some … */
            if
            :: be_primary(p)
            :: skip /* … versions keep the replication id */
            fi
        :: true -> note_loss(FREE); clear_data(p) /* flushed */
        :: true -> note_loss(held[other]); primary[p] = false; be_primary(other); /* failed over … */
            if
            :: break_connections(p) /* … because it died, or … */
            :: skip /* … because it was told to: its connections live */
            fi
#ifdef EVICTION
        :: true -> note_loss(FREE); held[p] = FREE; evicted[p]++
#endif
#ifdef PARTITION
        :: be_primary(other); confirmed[p] = false /* the third server follows the other */
#endif
        fi;
        p = 0;
        other = 0
    }
#ifdef PARTITION
    /* It heals: the server without replicas gives in. */
    :: d_step {
        primary[0] && primary[1] ->
        p = (confirmed[0] -> 1 : 0);
        primary[p] = false;
        confirmed[p] = true;
        p = 0
    }
#endif
#ifdef VOUCH
    /* An operator says that nothing is forgotten. */
    :: d_step {
#ifdef FALSE_VOUCH
        ALONE && marked[THE_PRIMARY] && marker_since[THE_PRIMARY] > 0 ->
#else
        ALONE && !forgotten && marked[THE_PRIMARY] && marker_since[THE_PRIMARY] > 0 ->
#endif
        p = THE_PRIMARY;
        if
        :: marker_run[p] == run_id[p] && marker_replid[p] == replid[p] -> marker_since[p] = 0
        :: else
        fi;
        p = 0
    }
#endif
    od
}

init
{
    atomic {
        run_id[0] = 1;
        run_id[1] = 2;
        replid[0] = 1;
        replid[1] = 1;
        primary[0] = true;
#ifdef PARTITION
        confirmed[0] = true;
        confirmed[1] = true;
#endif
        /* An older one would have to be kept since before the first tick. */
        select(iat : FUTURE_LEEWAY + MARGIN .. LAST_TICK + FUTURE_LEEWAY + MARGIN);
        if /* One guard is as good as the other. */
        :: skip
        :: server_ahead = MARGIN
        :: ahead[1] = MARGIN
        :: ahead[1] = MARGIN; server_ahead = MARGIN
        :: ahead[0] = MARGIN; ahead[1] = MARGIN
        fi;
        run Guard(0);
        run Guard(1);
        run World()
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Continuity: two guards, and stores that forget or are exchanged. docs/continuity.md tells the protocol.
 *
 * Each guard is one connection. It shows the same token again and again, each time as a new use, and when
 * an answer is lost asks again, gives up, or crashes. One token is enough, for tokens share nothing but
 * connections, markers and what a process relied on, and a guard connects without a token too. Faults come
 * between any two steps, and connections break at any of them.
 *
 * The property: the token is admitted at most once.
 *
 * Time is counted in ticks of any length; what happens within one has the same time. A clock runs up to
 * MARGIN ahead of another. check-continuity runs each world as it is, which must hold, and with switches.
 * Each leaves out a part of the protocol, and must fail.
 *
 * world_losses.pml: a server, and another whose data are older, until it is promoted or the first one
 * starts with them.
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
 *
 * world_two_stores.pml: two that know nothing of each other and live on, each with a marker of long ago.
 *
 *   BALANCED                 each connect may lead to either, for two processes. Within each of
 *                            them: holds
 *   ONE_PROCESS              … both guards are of one: holds
 *   FLUSHED                  … and a store may be emptied: holds
 *   VOUCH                    … and an operator vouches for one of them, when it is so: holds
 *   EXCHANGED                the address of both guards is led to the other store, and back. Two processes of
 *                            which one used neither meanwhile: cannot be noticed, fails
 *   LATE                     … and one starts when the other is back: holds
 *   WITNESSED                … and each is led away only after it has relied on what it was led to: holds
 *   OTHERS                   adds other tokens, of which every one is used once
 *
 *   NO_RELIANCE              what was relied on elsewhere is forgotten
 *   UNSHARED                 each connection knows only its own
 *   NOTED_LATER              what was relied on is noted after the caller has the answer
 *   BOUND_AT_CONNECT_ONLY    a marker's time is compared with it when connecting only
 *   RAISED_FOR_ITSELF_ONLY   the marker is not raised for the others
 *   RAISED_TO_THE_BOUND      it is raised to the time of the reliance elsewhere, not to now
 *   ANY_VOUCH                a vouch covers all that was relied on elsewhere, before it and after
 *   VOUCH_IN_THE_MOMENT      … before it and in the same moment
 *   VOUCH_BY_ANY_CLOCK       … before it, where the server's clock and the guard's are taken for one
 *   NEVER_AFTER_A_RETURN     the model claims that nothing is admitted after a return
 *   NEVER_BY_A_VOUCH         … or that a vouch covers nothing
 *
 * world_sentinel.pml, with SENTINEL: a primary that is replaced lives on without knowing it, and is named again.
 *
 *   NO_EPOCH                 the epoch is no part of the identity
 *   EPOCH_AT_CONNECT_ONLY    of the Sentinels' later answers only the address is compared
 *   ASKED_AT_CONNECT_ONLY    they are not asked again
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

#if defined(BALANCED) || defined(EXCHANGED)
#define TWO_STORES
#endif
#if !defined(NO_RELIANCE) && !defined(NO_MARKER)
#define RELIANCE
#endif

/* Who holds the token in a set of data. */
#define FREE 0
#define OWNER (me + 1)
#define SOMEBODY 3 /* a use that is over */

/* The data of the two servers. */
byte held[2];
bool marked[2];
byte marker_run[2], marker_replid[2], marker_since[2], marker_nonce[2];
#ifdef SENTINEL
byte marker_epoch[2];
#endif
#if defined(VOUCH) && defined(RELIANCE)
#define VOUCH_IS_DATED
#endif
#ifdef VOUCH_IS_DATED
byte marker_vouched[2]; /* when, by the server's clock and a tick later; 0: nobody did */
#endif

bool primary[2];
byte run_id[2], replid[2];
#ifdef PARTITION
bool confirmed[2]; /* has a replica that it reaches */
#endif
#ifdef EXCHANGED
bit leads_to; /* the address of both guards */
#endif
#ifdef SENTINEL
bit named;
byte epoch;
#endif

byte now, faults;
byte ahead[2]; /* how far each guard's clock runs ahead; the server's is SERVER_AHEAD */
byte server_ahead;
byte iat;
#define PENDING 255 /* later than everything */

bool open[2], to[2];
byte known_replid[2], since[2], nonce[2];
#ifdef SENTINEL
byte known_epoch[2];
#endif
#ifdef VOUCH_IS_DATED
byte known_vouched[2];
#endif

/* Of each process: whose yes it relied on last and when, and when on anybody else's. Times are of
 * its own clock, and a tick later, so that 0 is never. */
#ifdef RELIANCE
byte who_run[2], who_replid[2], relied[2], others[2];
#ifdef SENTINEL
byte who_epoch[2];
#endif
#endif
#if defined(ONE_PROCESS) && !defined(UNSHARED)
#define PROCESS 0
#else
#define PROCESS me
#endif

/* What only the property and the operator know. */
byte admitted[2];
#if defined(BALANCED) && !defined(ONE_PROCESS)
#define COUNT me /* each process for itself */
#else
#define COUNT 0
#endif
#if defined(VOUCH) && !defined(TWO_STORES)
bool forgotten;
#endif
#ifdef LATE
bool left, returned;
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
#if defined(SENTINEL) && !defined(NO_EPOCH)
#define SAME_EPOCH (marker_epoch[SERVER] == known_epoch[me])
#else
#define SAME_EPOCH true
#endif
#define MARKER_IS_CURRENT (marked[SERVER] && SAME_RUN && SAME_REPLID && SAME_EVICTED && SAME_EPOCH)

/* Was another's yes relied on at or after the time of the marker that the guard sees? */
#ifdef RELIANCE
#ifdef NO_RUN_ID
#define WHO_RUN_FITS true
#else
#define WHO_RUN_FITS (who_run[PROCESS] == run_id[SERVER])
#endif
#ifdef NO_REPLID
#define WHO_REPLID_FITS true
#else
#define WHO_REPLID_FITS (who_replid[PROCESS] == known_replid[me])
#endif
#if defined(SENTINEL) && !defined(NO_EPOCH)
#define WHO_EPOCH_FITS (who_epoch[PROCESS] == known_epoch[me])
#else
#define WHO_EPOCH_FITS true
#endif
#define WHO_IS_IT (WHO_RUN_FITS && WHO_REPLID_FITS && WHO_EPOCH_FITS)
#define BOUND                                                                                      \
    ((WHO_IS_IT || relied[PROCESS] < others[PROCESS]) -> others[PROCESS] : relied[PROCESS])
#ifdef VOUCH
#ifdef ANY_VOUCH
#define COVERED (known_vouched[me] > 0)
#endif
#ifdef VOUCH_IN_THE_MOMENT
#define COVERED (BOUND + server_ahead <= known_vouched[me] + ahead[me])
#endif
#ifdef VOUCH_BY_ANY_CLOCK
#define COVERED (BOUND < known_vouched[me])
#endif
#ifndef COVERED
#define COVERED (BOUND + server_ahead < known_vouched[me] + ahead[me]) /* both in one clock */
#endif
#else
#define COVERED false
#endif
#define LEFT_MEANWHILE (since[me] < BOUND && !COVERED)
#else
#define LEFT_MEANWHILE false
#endif

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
#ifdef SENTINEL
    marker_epoch[into] = marker_epoch[from];
#endif
#ifdef VOUCH_IS_DATED
    marker_vouched[into] = marker_vouched[from];
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
#ifdef SENTINEL
    marker_epoch[set] = 0;
#endif
#ifdef VOUCH_IS_DATED
    marker_vouched[set] = 0;
#endif
}

/* ---- numbers that were never used before ---- */

/* The lowest that nobody knows any more: as good as one that is new, and equal states stay equal. */
#ifdef RELIANCE
#define WHO_RUN_IS(id) (who_run[0] == id || who_run[1] == id)
#define WHO_REPLID_IS(id) (who_replid[0] == id || who_replid[1] == id)
#else
#define WHO_RUN_IS(id) false
#define WHO_REPLID_IS(id) false
#endif

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
       run_id[1] == fresh || WHO_RUN_IS(fresh) ->
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
       replid[1] == fresh || known_replid[0] == fresh || known_replid[1] == fresh ||
       WHO_REPLID_IS(fresh) ->
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
#ifdef SENTINEL
    known_epoch[guard] = 0;
#endif
#ifdef VOUCH_IS_DATED
    known_vouched[guard] = 0;
#endif
}

/* Its yes is relied on. */
inline rely()
{
#ifdef RELIANCE
    if
    :: !WHO_IS_IT && others[PROCESS] < relied[PROCESS] -> others[PROCESS] = relied[PROCESS]
    :: else
    fi;
    who_run[PROCESS] = run_id[SERVER];
    who_replid[PROCESS] = known_replid[me];
#ifdef SENTINEL
    who_epoch[PROCESS] = known_epoch[me];
#endif
    if
    :: relied[PROCESS] < CLOCK + 1 -> relied[PROCESS] = CLOCK + 1
    :: else
    fi
#else
    skip
#endif
}

/* A process that crashed knows nothing. Where nobody could notice then, none does. */
inline forget_reliance()
{
#if defined(RELIANCE)
    who_run[PROCESS] = 0;
    who_replid[PROCESS] = 0;
#ifdef SENTINEL
    who_epoch[PROCESS] = 0;
#endif
    relied[PROCESS] = 0;
    others[PROCESS] = 0
#else
    skip
#endif
}

/* The use is over, with whatever answer: its owner never asks again. */
inline finish()
{
    wants = false;
#ifdef OTHERS
    other = false;
#endif
    if
    :: held[0] == OWNER -> held[0] = SOMEBODY
    :: else
    fi;
    if
    :: held[1] == OWNER -> held[1] = SOMEBODY
    :: else
    fi
}

#ifdef OTHERS
#define MINE (!other)
#else
#define MINE true
#endif

proctype Guard(bit me)
{
    bool wants;
    byte my_time, fresh;
#ifdef OTHERS
    bool other;
#endif
#ifdef LATE
    (me == 0 || returned);
#endif

idle:
    /* A token, or only a connection. */
    atomic {
        if
        :: iat <= CLOCK + FUTURE_LEEWAY && !(open[me] && TOO_OLD) -> wants = true
        :: !open[me]
#ifdef OTHERS
        :: open[me] && since[me] + MARGIN <= CLOCK -> other = true /* one that is issued now */
#endif
        fi;
        if
        :: open[me] -> goto reserve
        :: else
        fi;
connect:
#ifdef EXCHANGED
        to[me] = leads_to;
#else
#ifdef SENTINEL
        to[me] = named;
        known_epoch[me] = epoch;
#else
        if
        :: primary[0] -> to[me] = 0
        :: primary[1] -> to[me] = 1
        fi;
#endif
#endif
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
#ifdef SENTINEL
            marker_epoch[SERVER] = known_epoch[me];
#endif
#ifdef VOUCH_IS_DATED
            marker_vouched[SERVER] = 0;
#endif
        fi;
        nonce[me] = marker_nonce[SERVER];
#ifdef VOUCH_IS_DATED
        known_vouched[me] = marker_vouched[SERVER];
#endif
        if
        :: marker_since[SERVER] != PENDING ->
            since[me] = marker_since[SERVER];
#ifdef RELIANCE
            if
            :: LEFT_MEANWHILE -> my_time = CLOCK; goto raise
            :: else
            fi;
#endif
            goto connected
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
        my_time = 0;
#ifdef LATE
        if
        :: left && SERVER == 0 -> returned = true
        :: else
        fi;
#endif
        /* A token that the store may have forgotten is not sent. */
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
#ifdef SENTINEL
    /* The Sentinels are asked whether it still is that primary. */
    atomic {
        if
        :: !open[me] -> goto broken
#ifndef ASKED_AT_CONNECT_ONLY
        :: open[me] && named != SERVER -> goto broken
#ifndef EPOCH_AT_CONNECT_ONLY
        :: open[me] && epoch != known_epoch[me] -> goto broken
#endif
#endif
        :: else
        fi
    };
#endif
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
#ifdef OTHERS
        :: other
#endif
        :: MINE && held[SERVER] == FREE -> held[SERVER] = OWNER
        :: MINE && held[SERVER] == OWNER
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
    /* GET of the marker. Same nonce and a lower since: vouched for; a later one: raised. */
    atomic {
        if
        :: !open[me] -> goto broken
        :: open[me] && marked[SERVER] && marker_nonce[SERVER] == nonce[me] ->
#ifdef RAISED_FOR_ITSELF_ONLY
            skip
#else
            since[me] = marker_since[SERVER];
#ifdef VOUCH_IS_DATED
            known_vouched[me] = marker_vouched[SERVER]
#endif
#endif
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
#ifndef BOUND_AT_CONNECT_ONLY
        if
        :: LEFT_MEANWHILE -> goto lost
        :: else
        fi;
#endif
#ifdef LATE
        left = left || SERVER == 1;
#endif
#ifdef OTHERS
        if
        :: other -> rely(); finish(); goto idle
        :: else
        fi;
#endif
        if
        :: TOO_OLD -> finish(); goto idle
        :: else
        fi;
#ifdef NEVER_BY_A_VOUCH
        assert(since[me] >= BOUND);
#endif
#ifndef NOTED_LATER
        rely();
#endif
        admitted[COUNT]++;
#ifdef NEVER_AFTER_A_LOSS
        assert(faults == 0 || since[me] == 0);
#endif
#ifdef NEVER_AFTER_A_RETURN
        assert(since[me] == 0);
#endif
        assert(admitted[COUNT] <= 1);
        finish();
#ifndef NOTED_LATER
        goto idle
#endif
    };
#ifdef NOTED_LATER
    atomic {
        if
        :: open[me] -> rely()
        :: else
        fi;
        goto idle
    };
#endif

#ifdef RELIANCE
raise:
    /* One script: a later time for the marker, for the process was elsewhere. */
    atomic {
        if
        :: !open[me] || !primary[SERVER] -> goto broken
        :: open[me] && primary[SERVER] && marked[SERVER] && marker_nonce[SERVER] == nonce[me]
        :: else -> goto broken
        fi;
        if
        :: my_time < now + server_ahead -> my_time = now + server_ahead
        :: else
        fi;
        my_time = my_time + NEXT;
#ifdef RAISED_TO_THE_BOUND
        my_time = BOUND;
#endif
#ifdef RAISED_FOR_ITSELF_ONLY
        since[me] = my_time;
#else
        if
        :: my_time > marker_since[SERVER] -> marker_since[SERVER] = my_time
        :: else
        fi;
        since[me] = marker_since[SERVER];
#endif
        goto connected
    };
#endif

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
#ifndef TWO_STORES
        :: finish(); forget_reliance(); goto idle
#endif
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
#if defined(VOUCH) && !defined(TWO_STORES)
    if
    :: after == FREE && (held[0] != FREE || held[1] != FREE || admitted[0] > 0) -> forgotten = true
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

#ifdef TWO_STORES
#include "world_two_stores.pml"
#else
#ifdef SENTINEL
#include "world_sentinel.pml"
#else
#include "world_losses.pml"
#endif
#endif

/* Long ago. */
inline mark(server)
{
    marked[server] = true;
    marker_run[server] = run_id[server];
    marker_replid[server] = replid[server];
    marker_nonce[server] = server + 1
}

init
{
    atomic {
        run_id[0] = 1;
        run_id[1] = 2;
        replid[0] = 1;
        replid[1] = 1;
        primary[0] = true;
#ifdef TWO_STORES
        replid[1] = 2;
        primary[1] = true;
        mark(0);
        mark(1);
#endif
#ifdef SENTINEL
        epoch = 1;
        mark(0);
        marker_epoch[0] = 1;
        copy_data(0, 1);
#endif
#ifdef PARTITION
        confirmed[0] = true;
        confirmed[1] = true;
#endif
        /* An older one would have to be kept since before the first tick. */
        select(iat : FUTURE_LEEWAY + MARGIN .. LAST_TICK + FUTURE_LEEWAY + MARGIN);
        if /* One guard is as good as the other. */
        :: skip
        :: server_ahead = MARGIN
#ifndef ONE_PROCESS
        :: ahead[1] = MARGIN
        :: ahead[1] = MARGIN; server_ahead = MARGIN
#endif
        :: ahead[0] = MARGIN; ahead[1] = MARGIN
        fi;
        run Guard(0);
        run Guard(1);
        run World()
    }
}

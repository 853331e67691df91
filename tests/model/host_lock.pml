/* SPDX-License-Identifier: Apache-2.0 */
/* The lock word of a store that processes share (lib/table/lock.c), their places and generations
 * (lib/host/place.c), and a death at every step.
 *
 * A process takes a place, which the kernel frees when it dies, and counts the place's generation up.
 * Then it looks for locks that a predecessor left. Its word in a lock is place and generation. Who waits
 * judges the holder: another generation is at the place, or nobody is.
 *
 * The properties: one is inside; what a dead one left half changed is repaired before it is used; and a
 * waiter takes nobody for alive who is not, but while a successor is about to take the place.
 *
 * It holds as it is. Each switch leaves out a part:
 *
 *   NO_GENERATION     the word names the place alone: fails
 *   NO_LOOK           the lock is taken after the wait, whoever holds it: fails
 *   NO_REPAIR         what a dead one left is used as it is: fails
 *   LOCK_ALONE        a waiter looks at the kernel's lock, and not at the generation: holds
 *   NO_SCAN           nobody looks for what a predecessor left: holds, for a waiter sees it by the generation;
 *                     with LOCK_ALONE it fails
 *   UNCHECKED_LOOK    the descriptor that is looked through may be another file's by now: fails
 *   ANY_WORD          the lock is taken over from whoever holds it then, not from the one judged: fails
 *   COUNTED_FIRST     the generation is counted up before the place is held: fails
 */

#define PLACES 2
#define NOBODY 0
#ifndef PROCESSES
#define PROCESSES 3
#endif
#ifndef OPERATIONS
#define OPERATIONS 2
#endif

byte held[PLACES]; /* the kernel's lock: by which process, from 1 */
byte generation[PLACES];
bool coming[PLACES]; /* a successor holds the place and has not yet counted */
byte word;           /* of the one lock */
byte inside;
bool broken;
byte holder; /* who is in the lock, dead or alive */
bool alive[PROCESSES + 1];

#ifdef NO_GENERATION
#define WORD(place) (1 + (place))
#define SAME_GENERATION(word) true
#else
#define WORD(place) (1 + (place) + PLACES * generation[place])
#define SAME_GENERATION(word) ((word) == WORD(PLACE(word)))
#endif
#define PLACE(word) (((word) - 1) % PLACES)

/* Where only the kernel's lock is looked at, it is the scan that ends the time in which a predecessor
 * seems to be alive. */
#if defined(LOCK_ALONE) && !defined(NO_SCAN)
#define COUNTED skip
#define SCANNED coming[place] = false
#else
#define COUNTED coming[place] = false
#define SCANNED skip
#endif

inline may_die()
{
    if
    :: goto dead
    :: skip
    fi
}

inline take_place()
{
    if
    :: place = 0
    :: place = 1
    fi;
#ifdef COUNTED_FIRST
    generation[place]++;
    mine = WORD(place);
    may_die();
    atomic { held[place] == NOBODY -> held[place] = me };
#else
    atomic { held[place] == NOBODY -> held[place] = me; coming[place] = true };
    may_die();
    atomic { generation[place]++; mine = WORD(place); COUNTED };
#endif
    may_die()
}

/* What the waiter sees of the holder: gone is set. */
inline judge(seen)
{
    gone = false;
#ifdef NO_LOOK
    gone = true;
#else
    if
    :: held[PLACE(seen)] == NOBODY -> gone = true
    :: else
#ifndef LOCK_ALONE
        if
        :: !SAME_GENERATION(seen) -> gone = true
        :: else
        fi
#endif
    fi;
#ifdef UNCHECKED_LOOK
    if
    :: gone = true /* nobody holds a lock on that other file */
    :: skip
    fi;
#endif
#endif
}

proctype process(byte me)
{
    byte place, mine, seen, operations;
    bool gone, registered;
    alive[me] = true;
    take_place();
#ifndef NO_SCAN
    seen = word;
    if
    :: seen != NOBODY && seen != mine && PLACE(seen) == place ->
        if
        :: atomic { word == seen -> word = mine; holder = me; SCANNED }; goto inherited
        :: atomic { word != seen }
        fi
    :: else
    fi;
    SCANNED;
#endif
again:
    if
    :: operations == OPERATIONS -> goto dead
    :: else -> operations++
    fi;
wait:
    may_die();
    if
    :: atomic { word == NOBODY -> word = mine; holder = me }; goto taken
    :: atomic { word != NOBODY -> seen = word }
    fi;
    atomic {
        judge(seen);
        assert(gone || word != seen || alive[holder] || coming[PLACE(seen)])
    };
    if
    :: !gone -> goto blocked
    :: else
    fi;
    may_die();
    if
#ifdef ANY_WORD
    :: atomic { word = mine; holder = me }; goto inherited
#else
    :: atomic { word == seen -> word = mine; holder = me }; goto inherited
    :: atomic { word != seen -> goto wait }
#endif
    fi;
blocked: /* the bound is over, or it waits on */
    if
    :: goto again
    :: atomic { word != seen -> goto wait }
    fi;
inherited:
    inside++;
    assert(inside == 1);
    if
    :: atomic { inside--; goto dead }
    :: skip
    fi;
#ifndef NO_REPAIR
    broken = false;
#endif
    goto use;
taken:
    inside++;
    assert(inside == 1);
use:
    assert(!broken);
    broken = true; /* in the middle of a change */
    if
    :: atomic { inside--; goto dead }
    :: skip
    fi;
    broken = false;
    inside--;
    assert(word == mine);
    word = NOBODY;
    goto again;
dead: /* the mapping goes, and with it the kernel's lock; the word stays as it is */
    atomic {
        alive[me] = false;
        if
        :: held[place] == me -> held[place] = NOBODY; coming[place] = false
        :: else
        fi
    }
}

init
{
    byte i;
    atomic {
        for (i : 1 .. PROCESSES) {
            run process(i)
        }
    }
}

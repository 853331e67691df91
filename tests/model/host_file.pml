/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a host store that is removed or replaced under its users (lib/host/file.c, visit.c).
 *
 * A user holds a file as long as the path leads to it, as far as it knows: it reads the clock, looks at the
 * path again if its last look is more than SECOND old, and then operates. Before that it has seen, by a clock
 * read earlier, that the time since which it asks is not one to come: a guard refuses a token of the future.
 * This order is what makes one look enough, and none is needed behind the operation. A new file has kept
 * everything since the moment at which it stood at the path, and the second, and a tick. Whoever opens a file
 * that its maker did not date, because it died, dates it.
 *
 * No file comes back: one that was elsewhere is dated when it is opened again, as a new one is.
 *
 * One token, of which a use may have been made since `earliest`. Users show it at any time, may be stopped
 * between any two steps, and open the store anew. Somebody removes the file or, with REPLACED, replaces it
 * when nobody uses it, because it is of another layout.
 *
 * The property: the token is admitted at most once. It holds as it is. Each switch must fail:
 *
 *   ANY_TIME           a time to come is asked about too
 *   TIME_READ_BEHIND   that it is none is seen by a clock that is read behind the look
 *   LOOK_DATED_LATE    a look is dated by a clock that was read after it
 *   NO_LOOK            nobody looks
 *   NO_SECOND          a new file has kept everything since it stood at the path
 *   NO_TICK            … since a second after it, but not a tick later
 *   DATED_BEFORE_LINK  it is dated before it stands at the path: fails with BOTH, which removes and replaces
 *   UNDATED_IS_OLD     a file that its maker did not date is taken to have kept everything
 *   NO_RECHECK         the path is not looked at again when the place is taken
 *   NEVER_AFTER_A_LOSS the model claims that nothing is admitted by a new file, which would be no use
 */

#define SECOND 1
#ifndef LAST_TICK
#define LAST_TICK 3
#endif
#ifndef USES
#define USES 2
#endif
#define FILES 3
#define NOWHERE FILES
#define UNDATED 255

byte now;
byte path = 0; /* which file stands there */
byte made = 1; /* files so far */
byte since[FILES]; /* of file 0: ever */
bool maker_is_dead[FILES];
byte users[FILES];
bool closed_to_users[FILES]; /* its replacer holds every place */
bool held[FILES];            /* the token, in each of them */
byte earliest;
byte admitted;

#if defined(NO_SECOND)
#define SINCE now
#elif defined(NO_TICK)
#define SINCE (now + SECOND)
#else
#define SINCE (now + SECOND + 1)
#endif

inline date(which)
{
#ifdef DATED_BEFORE_LINK
    skip
#else
    since[which] = SINCE
#endif
}

/* A file that nobody sees yet; its maker has a place in it. */
inline make(which)
{
    atomic {
        which = made;
        made++;
        users[which] = 1;
#ifdef DATED_BEFORE_LINK
        since[which] = SINCE
#else
        since[which] = UNDATED
#endif
    }
}

/* A look is dated before the path is read. */
inline look_at_path()
{
#ifdef LOOK_DATED_LATE
    replaced = (path != file);
    look = now
#else
    look = now;
    replaced = (path != file)
#endif
}

proctype user()
{
    byte file, look, uses = USES;
    bool replaced, first;
opening:
    atomic { replaced = false; file = path };
    if
    :: file == NOWHERE ->
        if
        :: atomic { made == FILES -> goto gone }
        :: atomic { made < FILES -> make(file) }
        fi;
        look = now;
        if
        :: atomic { path == NOWHERE -> path = file }
        :: atomic { path != NOWHERE -> users[file] = 0; goto opening } /* another was quicker */
        fi;
        if
        :: atomic { users[file]--; maker_is_dead[file] = true; goto opening } /* and another comes */
        :: date(file)
        fi;
        goto use
    :: else
    fi;
    if
    :: atomic { closed_to_users[file] -> goto opening }
    :: atomic { !closed_to_users[file] -> users[file]++ }
    fi;
#ifdef NO_RECHECK
    look = now;
#else
    look_at_path();
    if
    :: replaced -> goto leave
    :: else
    fi;
#endif
    /* Undated: its maker lives, and is waited for, or is dead. */
    if
    :: since[file] != UNDATED
    :: atomic { since[file] == UNDATED && maker_is_dead[file] ->
#ifdef UNDATED_IS_OLD
           since[file] = 0
#else
           date(file)
#endif
       }
    :: now == LAST_TICK -> goto leave
    fi;
use:
    if
    :: uses == 0 -> goto leave
    :: else -> uses--
    fi;
#if !defined(ANY_TIME) && !defined(TIME_READ_BEHIND)
    if
    :: now < earliest -> goto use
    :: else
    fi;
#endif
#ifndef NO_LOOK
    if
    :: now - look > SECOND -> look_at_path()
    :: else
    fi;
    if
    :: replaced -> goto leave
    :: else
    fi;
#endif
#ifdef TIME_READ_BEHIND
    if
    :: now < earliest -> goto use
    :: else
    fi;
#endif
    atomic {
        first = !held[file];
        held[file] = true;
        if
        :: first && since[file] <= earliest ->
            admitted++;
            assert(admitted == 1);
#ifdef NEVER_AFTER_A_LOSS
            assert(file == 0)
#endif
        :: else
        fi;
        first = false
    };
    goto use;
leave:
    atomic { users[file]--; look = 0; file = 0 };
    if
    :: replaced && uses > 0 -> goto opening
    :: else
    fi;
gone:
    skip
}

/* A file that nobody uses is of another layout, or of another boot. */
proctype replacer()
{
    byte old, file;
    old = path;
    if
    :: old == NOWHERE || made == FILES -> goto end
    :: else
    fi;
    atomic {
        if
        :: users[old] > 0 -> goto end
        :: else -> closed_to_users[old] = true
        fi
    };
    if
    :: atomic { path == old && made < FILES -> make(file) }
    :: atomic { !(path == old && made < FILES) -> goto open_again }
    fi;
    path = file; /* renamed over whatever stands there */
    if
    :: date(file)
    :: maker_is_dead[file] = true
    fi;
    users[file]--;
open_again:
    closed_to_users[old] = false;
end:
    skip
}

proctype remover()
{
    path = NOWHERE
}

proctype clock()
{
    do
    :: now < LAST_TICK -> now++
    :: else -> break
    od
}

init
{
    atomic {
        select(earliest : 1 .. LAST_TICK);
        run user();
        run user();
#if defined(REPLACED) || defined(BOTH)
        run replacer();
#endif
#ifndef REPLACED
        run remover();
#endif
        run clock()
    }
}

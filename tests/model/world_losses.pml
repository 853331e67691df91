/* SPDX-License-Identifier: Apache-2.0 */
/* A server, and another whose data are older, until it is promoted or the first one starts with
 * them. */
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
        :: marker_run[p] == run_id[p] && marker_replid[p] == replid[p] ->
            marker_since[p] = 0
#ifdef VOUCH_IS_DATED
            ;
            marker_vouched[p] = now + server_ahead + 1
#endif
        :: else
        fi;
        p = 0
    }
#endif
    od
}

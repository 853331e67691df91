/* SPDX-License-Identifier: Apache-2.0 */
/* Two stores that know nothing of each other and live on. BALANCED needs nothing of the world: each
 * connect leads to either. */
#ifdef WITNESSED
#define CAN_BE_LED (who_run[0] == run_id[leads_to] && who_run[1] == run_id[leads_to])
#else
#define CAN_BE_LED true
#endif

proctype World()
{
    bit p;
    byte fresh;
end:
    do
    :: d_step { now < LAST_TICK -> now++ }
#ifdef EXCHANGED
    :: atomic {
        faults < FAULTS && CAN_BE_LED ->
        faults++;
        break_connections(leads_to);
        leads_to = 1 - leads_to
    }
#endif
#ifdef FLUSHED
    :: atomic {
        faults < FAULTS ->
        faults++;
        if
        :: true -> p = 0
        :: true -> p = 1
        fi;
        clear_data(p);
        if
        :: start_anew(p); be_primary(p)
        :: skip
        fi;
        p = 0
    }
#endif
#ifdef VOUCH
    /* An operator says that the first store has all that was used: nothing was on the other. Look
     * and write are one step: the write takes the date of the look, and changes no marker that was
     * changed since (lower.lua). */
    :: d_step {
        held[1] == FREE ->
        marker_since[0] = 0;
        marker_vouched[0] = now + server_ahead + 1
    }
#endif
    od
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A primary that is replaced lives on without knowing it, for it was frozen or cut off; or it dies, or is
 * told, at once or later. It is named again in any case, by a new epoch. */
proctype World()
{
    bit before;
    byte fresh;
end:
    do
    :: d_step { now < LAST_TICK -> now++ }
    :: d_step { !primary[1 - named] -> copy_data(named, 1 - named) }
    :: atomic {
        faults < FAULTS ->
        faults++;
        before = named;
        named = 1 - named;
        epoch++;
        if
        :: primary[named] /* it never knew */
        :: else -> be_primary(named)
        fi;
        if
        :: skip
        :: primary[before] = false; break_connections(before)
        fi;
        before = 0
    }
    :: d_step { primary[1 - named] -> primary[1 - named] = false }
    od
}

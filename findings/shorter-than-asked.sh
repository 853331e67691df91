#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# memcached 1.6.45 (Debian sid): what is stored for N seconds lives for N - 1 to N seconds.
#
# One would guess: "add key 0 2 …" holds for at least two seconds; a store may forget late, but not early.
#
# Instead: memcached's clock is a counter that ticks once a second. The end is this counter, rounded down,
# plus N, and the entry is gone with the tick that reaches it. An entry stored just before a tick has lost
# almost a second at once; one stored for a second may be gone after some milliseconds.
#
# Seen on 2026-12-01, the second add of the same key was STORED after
#
#     add for 2 s, 0.05 s after a tick    1.9 s
#     add for 2 s, 0.9 s after a tick     1.1 s
#
# Why it matters: add is memcached's SET NX, and exp - now is what one stores a token for. Up to the last
# second of its life the token is good and its record gone: it is admitted twice, more often the shorter
# tokens live. One has to store for a second more than the token and the leeway last.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid memcached=1.6.45-1 libevent-2.1-7t64 liblua5.4-0 libsasl2-2 libssl3t64 libzstd1 zlib1g libc6
free_port
start "$lab/sid/run/memcached" -u root -l 127.0.0.1 -p "$port" -U 0
until_true listens "$port"
exec 3<>"/dev/tcp/127.0.0.1/$port"

now_ms() {
    echo $((${EPOCHREALTIME/./} / 1000))
}

stored() {
    local reply
    printf 'add %s 0 %s 1\r\nx\r\n' "$1" "$2" >&3
    read -r -t 5 reply <&3
    [ "$reply" = STORED$'\r' ]
}

# An entry for a second ends with a tick: the moment that another can be stored in its place.
await_tick() {
    local key=tick.$1
    stored "$key" 1
    until stored "$key" 1; do
        sleep 0.01
    done
}

# life_after DELAY: how many ms an entry for 2 seconds lives that is stored so long after a tick.
life_after() {
    local began
    await_tick "$1"
    sleep "$1"
    began=$(now_ms)
    stored "key.$1" 2
    until stored "key.$1" 2; do
        sleep 0.01
    done
    echo $(($(now_ms) - began))
}

# A busy machine may store after the next tick, for nearly two seconds: the shortest of three lives.
early=$(life_after 0.05)
late=$(for delay in 0.5 0.6 0.7; do life_after "$delay"; done | sort -n | head -n 1)
echo "lived for $early ms after a tick, $late ms before one" >&2
[ "$early" -ge 1700 ] && early=long
[ "$late" -lt 1700 ] && late=short
expect "stored after a tick" long "$early"
expect "stored before a tick" short "$late"
verdict

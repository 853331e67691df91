#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Sentinel of Valkey 9.1.2 (Debian sid): turning "announce-hostnames" off for a moment makes it forget the
# host names it was given, for good.
#
# One would guess: announce-hostnames is about what Sentinel tells; what it was told to monitor stays as it
# was written, and turning the setting on again brings the name back.
#
# Instead: SENTINEL CONFIG SET announce-hostnames no writes the configuration file anew, with the address in
# the place of the name in the line "sentinel monitor". While the process lives, turning it on again
# brings the name back; after the next start only the address is known, whatever the setting says.
#
# Seen on 2026-12-01, "sentinel monitor tokens localhost PORT 1", get-master-addr-by-name:
#
#     at the start                                  localhost
#     announce-hostnames no                         127.0.0.1
#     announce-hostnames yes                        localhost
#     no, started again, yes                        127.0.0.1    monitor tokens 127.0.0.1 … in the file
#
# Why it matters: the name is what a certificate is checked against and what outlives the move of a server.
# Who tries the setting for an afternoon finds out at a restart weeks later: every client is led to an
# address that no certificate covers, and refuses, or to one that is by then another machine's, an empty
# store that grants each token again.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

getent hosts localhost >/dev/null || cannot "localhost has no address here"
debian sid valkey-server=9.1.2-1 valkey-tools=9.1.2-1 "${store_libraries[@]}"
free_port && primary=$port
start "$lab/sid/run/valkey-server" --port "$primary" --bind 127.0.0.1 -::1 --save '' --dir "$lab"
free_port && watcher=$port
cat >"$lab/sentinel.conf" <<END
port $watcher
bind 127.0.0.1
dir $lab
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel monitor tokens localhost $primary 1
END

ask() {
    timeout 10 "$lab/sid/run/valkey-cli" -p "$watcher" "$@"
}

start_sentinel() {
    until_true listens "$primary"
    start "$lab/sid/run/valkey-server" "$lab/sentinel.conf" --sentinel
    until_true ask PING
}

stop_sentinel() {
    ask SHUTDOWN >/dev/null 2>&1 || true
    wait "$started" || true
}

# announce yes|no; prints what a client that asks is told.
announce() {
    ask SENTINEL CONFIG SET announce-hostnames "$1" >/dev/null
    told
}

told() {
    ask SENTINEL GET-MASTER-ADDR-BY-NAME tokens | head -n 1 | kind
}

# Which address localhost has is the machine's matter.
kind() {
    sed -E 's/^(127\..*|::1)$/an address/'
}

start_sentinel
expect "at the start" localhost "$(told)"
expect "turned off" "an address" "$(announce no)"
expect "turned on" localhost "$(announce yes)"
expect "turned off again" "an address" "$(announce no)"
stop_sentinel
start_sentinel
expect "on, after a start" "an address" "$(announce yes)"
expect "in the file" "an address" "$(awk '$2 == "monitor" { print $4 }' "$lab/sentinel.conf" | kind)"
verdict

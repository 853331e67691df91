#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Redis 8.0.6 and Valkey 9.1.2 (Debian sid): WAIT in a transaction, and in a script, confirms a write
# that no replica has.
#
# One would guess: WAIT cannot block there, so it answers at once how many replicas have what was
# written before it: 0 right after the write.
#
# Instead: in MULTI it counts who has acknowledged the last write that this connection made BEFORE the
# transaction. With the only replica frozen it answers 1 in both; a WAIT after EXEC says 0. In a script
# Redis answers 1 in the same way; Valkey waits for nobody either, but says 0.
#
# Seen on 2026-12-01, the replica stopped by SIGSTOP before the transaction:
#
#              SET a   WAIT   | frozen |   MULTI, SET b, WAIT, EXEC   WAIT after it   script: SET, WAIT
#     Redis    OK      1      |        |   OK 1                       0               1
#     Valkey   OK      1      |        |   OK 1                       0               0
#
# Why it matters: who stores a token and asks for its copy in one transaction, to have both in one round
# trip, is told "copied" when nothing was; after a failover the token is admitted again. WAIT has to
# stand by itself behind EXEC, on the same connection, and a script cannot ask at all.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid redis-server=5:8.0.6-3 redis-tools=5:8.0.6-3 valkey-server=9.1.2-1 valkey-tools=9.1.2-1 \
    "${store_libraries[@]}"
cli=$lab/sid/run/redis-cli

has_replica() {
    "$cli" -p "$1" INFO replication | grep -q '^slave0:.*state=online'
}

# Commands on one connection; the reply to each is a line.
talk() {
    timeout 20 "$cli" -p "$@" | sed '/^$/d' | paste -sd' '
}

# One connection: a confirmed write, then the replica is frozen, then the rest.
observe() {
    local server=$1 primary replica frozen
    mkdir "$lab/$server" "$lab/$server/replica"
    free_port && primary=$port
    start "$lab/sid/run/$server" --port "$primary" --bind 127.0.0.1 --save '' --dir "$lab/$server"
    until_true "$cli" -p "$primary" PING
    free_port && replica=$port
    start "$lab/sid/run/$server" --port "$replica" --bind 127.0.0.1 --save '' \
        --dir "$lab/$server/replica" --replicaof "127.0.0.1 $primary"
    frozen=$started
    until_true has_replica "$primary"
    {
        printf 'SET a 1\nWAIT 1 5000\n'
        sleep 1
        kill -STOP "$frozen"
        printf 'MULTI\nSET b 1\nWAIT 1 5000\nEXEC\nWAIT 1 300\n'
        printf 'EVAL "redis.call([[SET]], KEYS[1], 1) return redis.call([[WAIT]], 1, 300)" 1 c\n'
    } | talk "$primary"
}

seen=$(observe redis-server)
expect Redis "OK 1 OK QUEUED QUEUED OK 1 0 1" "$seen"
seen=$(observe valkey-server)
expect Valkey "OK 1 OK QUEUED QUEUED OK 1 0 0" "$seen"
verdict

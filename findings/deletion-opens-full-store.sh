#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Redis 8.0.6 and Valkey 9.1.2 (Debian sid): a full store (noeviction) refuses a script's SET, unless the
# script has deleted something before, be it a key that does not exist.
#
# One would guess: over maxmemory each SET is refused, in a script too, and the store grows no further.
#
# Instead: only the first write of a script is looked at. A DEL is allowed because it can free memory, and from
# then on the script is in the middle of its writes and may do anything: after a DEL of a missing key the
# same SET answers OK, for ten million bytes as well. A transaction with the same two commands is
# refused as a whole.
#
# Seen on 2026-12-01 in both, maxmemory 1 byte and an empty store:
#
#     SET k v                           OOM …
#     EVAL: SET k v                     OOM …
#     EVAL: DEL missing, SET k v        OK
#     EVAL: DEL missing, SET k 10 MB    OK, STRLEN k 10000000
#     MULTI, DEL missing, SET, EXEC     EXECABORT …
#
# Why it matters: "full means refused" is what a reservation rests on under noeviction. A script that clears an
# old key before it reserves goes on admitting in a full store, until the kernel ends the process and all
# reservations with it; one that reserves first is refused. Which of the two a store has is the order of
# two lines.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid redis-server=5:8.0.6-3 redis-tools=5:8.0.6-3 valkey-server=9.1.2-1 valkey-tools=9.1.2-1 \
    "${store_libraries[@]}"

# The first word of each reply.
observe() {
    local cli=("$lab/sid/run/redis-cli" -p)
    free_port
    cli+=("$port")
    start "$lab/sid/run/$1" --port "$port" --bind 127.0.0.1 --save '' --dir "$lab" --maxmemory 1 \
        --maxmemory-policy noeviction
    until_true "${cli[@]}" PING
    {
        "${cli[@]}" SET k v
        "${cli[@]}" EVAL "return redis.call('SET', KEYS[1], ARGV[1])" 1 k v
        "${cli[@]}" EVAL "redis.call('DEL', KEYS[2]) return redis.call('SET', KEYS[1], ARGV[1])" \
            2 k missing v
        "${cli[@]}" EVAL \
            "redis.call('DEL', KEYS[2]) return redis.call('SET', KEYS[1], string.rep('x', ARGV[1]))" \
            2 k missing 10000000
        "${cli[@]}" STRLEN k
        printf 'MULTI\nDEL missing\nSET k v\nEXEC\n' | "${cli[@]}" | tail -n 2
    } | sed '/^$/d' | cut -d' ' -f1 | paste -sd' '
}

for server in redis-server valkey-server; do
    seen=$(observe "$server")
    expect "$server" "OOM OOM OK OK 10000000 EXECABORT" "$seen"
done
verdict

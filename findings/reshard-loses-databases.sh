#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# redis-cli 8.0.6 on a Cluster of Valkey 9.1.2 with databases (Debian sid): moving slots deletes what is in
# every database but 0, mostly with success reported.
#
# One would guess: redis-cli moves the keys or fails; both sides speak the same CLUSTER commands, and the
# owner of a slot is not changed while it still has keys: it answers "I still hold keys".
#
# Instead: since Valkey 9 a Cluster may have numbered databases, and GETKEYSINSLOT and COUNTKEYSINSLOT
# look into the selected one alone. redis-cli asks in database 0, moves what it finds there, and tells the new
# owner first that the slot is its own. The old owner hears of it from the new one, gives the slot up and
# deletes the rest. Only if redis-cli gets there before the news is it refused with "I still hold
# keys", and exits 1; the news arrives a moment later, and the keys are deleted all the same.
# valkey-cli 9.1.2 asks in every database and moves them all.
#
# Seen on 2026-12-01, one key in database 0 and one in database 1, both in the slot that is moved:
#
#                   exit status   GET in 0   GET in 1   SET NX in 1
#     valkey-cli    0             zero       one        nil
#     redis-cli     0 or 1        zero       nil        OK           (25 slots: 15 times 0, 10 times 1)
#
# Why it matters: Debian installs redis-cli for whoever asks for a client, and it works on Valkey. Who keeps
# used tokens in a database of their own has them granted a second time after the Cluster was grown with
# it; where it did exit 1, the owner's refusal reads as if nothing had been lost.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid redis-tools=5:8.0.6-3 valkey-server=9.1.2-1 valkey-tools=9.1.2-1 "${store_libraries[@]}"
cli=$lab/sid/run/valkey-cli

start_node() {
    free_port && bus=$port
    free_port
    mkdir "$lab/$port"
    start "$lab/sid/run/valkey-server" --port "$port" --bind 127.0.0.1 --save '' --dir "$lab/$port" \
        --cluster-enabled yes --cluster-port "$bus" --cluster-databases 2
    until_true "$cli" -p "$port" PING
}

both_agree() {
    "$cli" -p "$from" CLUSTER INFO | grep -q cluster_state:ok &&
        "$cli" -p "$to" CLUSTER INFO | grep -q cluster_state:ok
}

make_cluster() {
    start_node && from=$port
    start_node && to=$port
    "$cli" -p "$from" CLUSTER ADDSLOTSRANGE 0 8191
    "$cli" -p "$to" CLUSTER ADDSLOTSRANGE 8192 16383
    "$cli" -p "$to" CLUSTER SET-CONFIG-EPOCH 2
    "$cli" -p "$from" CLUSTER MEET 127.0.0.1 "$to" "$bus"
    until_true both_agree
}

# observe TOOL KEY: the key in both databases afterwards, and whether it can be reserved again. How the
# tool ended is a matter of luck, and only told.
observe() {
    local tool=$1 key=$2 status=0
    "$cli" -p "$from" -n 0 SET "$key" zero NX PX 600000 >"$lab/stored"
    "$cli" -p "$from" -n 1 SET "$key" one NX PX 600000 >>"$lab/stored"
    timeout 20 "$lab/sid/run/$tool" --cluster reshard "127.0.0.1:$from" --cluster-slots 1 \
        --cluster-from "$("$cli" -p "$from" CLUSTER MYID)" \
        --cluster-to "$("$cli" -p "$to" CLUSTER MYID)" --cluster-yes >"$lab/$tool.output" || status=$?
    echo "$tool: exit status $status" >&2
    echo "$("$cli" --no-raw -p "$to" -n 0 GET "$key")" \
        "$("$cli" --no-raw -p "$to" -n 1 GET "$key")" \
        "$("$cli" --no-raw -p "$to" -n 1 SET "$key" again NX PX 600000)"
}

make_cluster >"$lab/made"
# The lowest slot that the node has is the one that is moved: 0, then 1.
seen=$(observe valkey-cli token:100466)
expect valkey-cli '"zero" "one" (nil)' "$seen"
seen=$(observe redis-cli token:148426)
expect redis-cli '"zero" (nil) OK' "$seen"
verdict

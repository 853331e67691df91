#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# node-redis 5.12.1 beside ioredis 5.8.2 (npm), Redis 7.0.15 of Debian 12: the same call to set() reserves in one
# client and overwrites in the other.
#
# One would guess: set(key, value, "PX", 60000, "NX") is either sent as written or refused, as a wrong option is
# refused by the server and by ioredis.
#
# Instead: node-redis takes "PX" for its object of options, finds no option in it, passes over the rest, and
# sends SET key value. An object with names in lower case, { px: 60000, nx: true }, is passed over in the
# same way. Both answer OK each time and leave a key without an end, while the documented forms work,
# and values in lower case ({ condition: "nx" }) do too, since the server reads them.
#
# Seen on 2026-12-01, each call twice on an empty key:
#
#                                                     1st   2nd    PTTL
#     ioredis     "PX", 60000, "NX"                   OK    null   60 s
#     node-redis  "PX", 60000, "NX"                   OK    OK     none
#     node-redis  { px: 60000, nx: true }             OK    OK     none
#     node-redis  { PX: 60000, NX: true }             OK    null   60 s
#     node-redis  { condition: "nx", expiration: … }  OK    null   60 s
#
# Why it matters: whoever moves a replay check from ioredis (or from node-redis 3, which had this form) to
# node-redis 5 in plain JavaScript has one that admits every token, with no error and a store that looks
# busy. A test that shows the same token twice finds it; one that shows each once does not.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

npm_packages redis@5.12.1 ioredis@5.8.2 &
debian bookworm redis-server=5:7.0.15-1~deb12u7 redis-tools=5:7.0.15-1~deb12u7 libjemalloc2 liblzf1 \
    libssl3 libsystemd0 liblua5.1-0 lua-bitop lua-cjson libatomic1
wait $!
free_port
start "$lab/bookworm/run/redis-server" --port "$port" --bind 127.0.0.1 --save '' --dir "$lab"
until_true listens "$port"

cat >"$lab/calls.mjs" <<'END'
import Redis from "ioredis";
import { createClient } from "redis";

const port = Number(process.argv[2]);
const io = new Redis(port, "127.0.0.1");
const node = await createClient({ socket: { host: "127.0.0.1", port } }).connect();
const time = { type: "px", value: 60000 };
const calls = [
    [io, "PX", 60000, "NX"],
    [node, "PX", 60000, "NX"],
    [node, { px: 60000, nx: true }],
    [node, { PX: 60000, NX: true }],
    [node, { condition: "nx", expiration: time }],
];
for (const [number, [client, ...options]] of calls.entries()) {
    const key = `token:${number}`;
    const answers = [await client.set(key, "1", ...options), await client.set(key, "1", ...options)];
    console.log(...answers, (await io.pttl(key)) > 0 ? "ends" : "endless");
}
io.disconnect();
node.destroy();
END
timeout 20 node "$lab/calls.mjs" "$port" >"$lab/seen"
mapfile -t seen <"$lab/seen"
expect "ioredis, in a row" "OK null ends" "${seen[0]}"
expect "node-redis, in a row" "OK OK endless" "${seen[1]}"
expect "node-redis, names in lower case" "OK OK endless" "${seen[2]}"
expect "node-redis, documented" "OK null ends" "${seen[3]}"
expect "node-redis, values in lower case" "OK null ends" "${seen[4]}"
verdict

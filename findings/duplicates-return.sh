#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# NATS Server 2.15.1 (Debian sid) with @nats-io/jetstream 3.4.0: a restart shortens what a duplicate window
# remembers to what is still in the stream.
#
# One would guess: with duplicate_window set to ten minutes, a second message with the same Nats-Msg-Id is
# recognised for ten minutes. The stream is on disk, and a message that was consumed before the restart
# is recognised as long as the server runs, so the server keeps these ids for themselves.
#
# Instead: it keeps them in memory, and after a start makes the list anew from the messages that the stream
# still holds. A work queue removes a message once it is acknowledged, and with it the only record of its
# id. The server stops and starts in an orderly way here, and the window has nine minutes to go.
#
# Seen on 2026-12-01, two streams, the message acknowledged by the consumer in both:
#
#                            retention: limits    retention: workqueue
#     first message          accepted             accepted
#     again                  duplicate            duplicate
#     again, when consumed   duplicate            duplicate
#     again, after restart   duplicate            accepted
#
# Why it matters: the window is for publishers that try again because no answer came, as they do when a
# server restarts. A work queue is where doing something twice hurts; of all streams it is the one that
# does not notice then. The consumer has to remember the ids itself for as long as the window is.
#
# shellcheck source-path=SCRIPTDIR source=ground.bash
. "$(dirname "$(readlink -f "$0")")/ground.bash"

debian sid nats-server=2.15.1-1 libc6
npm_packages @nats-io/transport-node@3.4.0 @nats-io/jetstream@3.4.0

cat >"$lab/step.mjs" <<'EOF'
import { connect } from "@nats-io/transport-node";
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";

const [port, step] = process.argv.slice(2);
const connection = await connect({ servers: `127.0.0.1:${port}` });
const stream = jetstream(connection);
const TEN_MINUTES = 600e9;

async function make(retention) {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: retention, subjects: [retention], retention,
                              duplicate_window: TEN_MINUTES, storage: "file" });
  await manager.consumers.add(retention, { durable_name: "worker", ack_policy: AckPolicy.Explicit });
}

async function consume(name) {
  const consumer = await stream.consumers.get(name, "worker");
  const message = await consumer.next({ expires: 5000 });
  if (!await message?.ackAck())
    throw new Error(`nothing to consume in ${name}`);
}

async function publish(name) {
  const answer = await stream.publish(name, "work", { msgID: "one" });
  return answer.duplicate ? "duplicate" : "accepted";
}

const said = [];
for (const name of ["limits", "workqueue"]) {
  if (step === "make")
    await make(name);
  else if (step === "consume")
    await consume(name);
  else
    said.push(await publish(name));
}
console.log(said.join(" "));
await connection.close();
EOF

free_port
serve() {
    start "$lab/sid/run/nats-server" -a 127.0.0.1 -p "$port" -js -sd "$lab/store"
    server=$started
    until_true listens "$port"
}

step() {
    node "$lab/step.mjs" "$port" "$1"
}

# JetStream answers a little later than the port.
serve
until_true step make
expect "first message, limits and workqueue" "accepted accepted" "$(step publish)"
expect "again" "duplicate duplicate" "$(step publish)"
step consume >>"$lab/output"
expect "again, when consumed" "duplicate duplicate" "$(step publish)"
kill -TERM "$server"
wait "$server" || true
serve
expect "again, after restart" "duplicate accepted" "$(step publish)"
verdict

// SPDX-License-Identifier: Apache-2.0
// One address leads to A, to B, and to A again. What was used on B is not used again on A, by the process
// that saw both: A was never told.
import fs from 'node:fs';
import path from 'node:path';
import os from 'node:os';
import { claims, firstThatPasses, judgeOn, openForwarder, startRedis, tell, uriOf, vouch } from '../support/redis.mjs';
import { atEnd, expect, run } from '../support/verdict.mjs';

async function thereAndBack(what, uri, leadTo, a, b) {
  const judge = judgeOn(uri);
  const first = claims();
  expect(`${what}: on A`, await judge.judge(first), 'admitted');
  await leadTo(b);
  expect(`${what}: the same on B`, await judge.judge(first), 'continuity_lost');
  const second = await firstThatPasses(judge);
  expect(`${what}: a new one on B`, second !== undefined, true);
  expect(`${what}: again`, await judge.judge(second), 'replayed');
  await leadTo(a);
  expect(`${what}: again, on A`, await judge.judge(second), 'continuity_lost');
  expect(`${what}: and once more`, await judge.judge(second), 'continuity_lost');
  const third = await firstThatPasses(judge);
  expect(`${what}: a new one on A`, third !== undefined, true);
  expect(`${what}: that again`, await judge.judge(third), 'replayed');
}

async function bySocket() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jtiguard-link-'));
  atEnd(() => fs.rmSync(folder, { recursive: true, force: true }));
  const link = path.join(folder, 'redis');
  const sockets = ['a', 'b'].map((name) => path.join(folder, name));
  const servers = [];
  for (const socket of sockets) servers.push(await startRedis('--unixsocket', socket));
  const leadTo = async (server) => {
    fs.rmSync(link, { force: true });
    fs.symlinkSync(sockets[servers.indexOf(server)], link);
    // The link alone moves nobody who is connected.
    for (const other of servers) await tell(other, 'CLIENT', 'KILL', 'TYPE', 'normal');
  };
  fs.symlinkSync(sockets[0], link);
  await vouch(`unix://${link}?timeout=300ms`);
  await thereAndBack('a socket', `unix://${link}?timeout=300ms`, leadTo, ...servers);
}

run(async () => {
  const [a, b] = [await startRedis(), await startRedis()];
  await vouch(uriOf(a));
  const forwarder = await openForwarder(a);
  await thereAndBack('an address', uriOf(forwarder), forwarder.leadTo, a, b);
  await bySocket();
});

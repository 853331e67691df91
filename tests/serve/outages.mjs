// SPDX-License-Identifier: Apache-2.0
// outages.mjs [TOKENS [SEED]]: tokens that are each shown six times, over three instances, while their Redis is
// stopped, killed and started again, with and without its data. No token is let in twice, and no request
// stays without an answer.
import http from 'node:http';
import process from 'node:process';
import { makeKey, makeToken } from '../cases/support/jose.mjs';
import { startRedis, tell, uriOf, vouch } from '../cases/support/redis.mjs';
import { ISSUER, ask, serve, writeFile } from '../cases/support/service.mjs';
import { expect, pause, run } from '../cases/support/verdict.mjs';

const TOKENS = Number(process.argv[2] ?? 1500);
const SEED = Number(process.argv[3] ?? process.env.JTIGUARD_TEST_SEED ?? Date.now() % 2 ** 32);
const SHOWN = 6;
const INSTANCES = 3;
const AT_ONCE = Math.max(20, Math.min(600, Math.floor(TOKENS / 10))); // tokens on their way
const SPREAD_MS = 2500; // between the first and the last time that one is shown
const PERSISTENT = ['--appendonly', 'yes', '--appendfsync', 'always'];

// Marsaglia's xorshift: the same moments and victims for the same seed.
let state = SEED | 1;
function random(below) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

const agent = new http.Agent({ keepAlive: true });
const told = { admitted: 0, silent: 0, twice: 0, events: [] };
let over = false;

// ---- what happens to the store ----

async function stopForAWhile(store) {
  store.child.kill('SIGSTOP');
  await pause(100 + random(900));
  store.child.kill('SIGCONT');
}

async function startAgain(store) {
  const again = await startRedis('--port', String(store.port), ...(store.persistent ? PERSISTENT : []));
  store.child = again.child;
}

async function kill(store) {
  store.child.kill('SIGKILL');
  await store.child.ended;
  await pause(random(400));
  await startAgain(store);
}

async function shutDown(store) {
  await tell(store, 'SHUTDOWN', 'NOSAVE');
  await store.child.ended;
  await startAgain(store);
}

async function flush(store) {
  await tell(store, 'FLUSHALL');
}

async function disturb(store) {
  const events = [stopForAWhile, stopForAWhile, kill, shutDown, flush];
  while (!over) {
    await pause(1500 + random(2500));
    const event = events[random(events.length)];
    told.events.push(event.name);
    await event(store);
  }
}

// ---- who shows tokens ----

async function showOnce(port, token) {
  const answer = await ask(port, '/check', { headers: { Authorization: `Bearer ${token}` }, agent });
  if (answer.status === 200) return true;
  if (answer.status !== 403 && answer.status !== 401) {
    told.silent += 1;
    console.log(`no answer: ${answer.status} ${answer.reason}`);
  }
  return false;
}

async function showToken(key, ports) {
  const token = makeToken(key, { iss: ISSUER });
  const showings = Array.from({ length: SHOWN }, async (_, i) => {
    await pause(i === 0 ? 0 : random(SPREAD_MS));
    return showOnce(ports[random(INSTANCES)], token);
  });
  const admitted = (await Promise.all(showings)).filter((passed) => passed).length;
  told.admitted += admitted > 0 ? 1 : 0;
  told.twice += admitted > 1 ? 1 : 0;
}

async function startInstances(key, store) {
  const keys = writeFile({ keys: [key.jwk] });
  const ports = [];
  for (let i = 0; i < INSTANCES; i += 1) {
    const service = await serve('--issuer', ISSUER, '--audience', 'api', '--jwks-file', keys, '--instances', String(INSTANCES),
      '--margin', '1s', '--future-leeway', '0s', '--replay-cache', '0', '--store', `${uriOf(store)}?timeout=400ms`);
    if (service.code !== undefined) throw new Error(service.log());
    ports.push(service.port);
  }
  return ports;
}

run(async () => {
  console.log(`seed ${SEED}`);
  const key = makeKey('ES256', 'k');
  const persistent = random(2) === 1;
  const store = { ...await startRedis(...(persistent ? PERSISTENT : [])), persistent };
  await vouch(uriOf(store));
  const ports = await startInstances(key, store);
  const saboteur = disturb(store);
  const began = Date.now();
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < TOKENS) {
      next += 1;
      await showToken(key, ports);
    }
  }));
  over = true;
  await saboteur;
  agent.destroy();
  expect('tokens let in twice', told.twice, 0);
  expect('requests without an answer', told.silent, 0);
  // Else it was no test.
  expect('some were let in', told.admitted > TOKENS / 20, true);
  expect('something happened', told.events.length > 2, true);
  console.log(`${TOKENS} tokens, each ${SHOWN} times, ${told.admitted} let in, ${told.twice} twice, ${told.silent} requests without an answer; `
    + `${told.events.length} events (${[...new Set(told.events)].join(', ')}), ${persistent ? 'with' : 'without'} an append-only file, ${(Date.now() - began) / 1000} s`);
});

// SPDX-License-Identifier: Apache-2.0
// The client and the service itself, over its socket and over the network.
import crypto from 'node:crypto';
import { Guard, UniqueStore } from 'jtiguard';
import { seconds } from './support/jose.mjs';
import { serve, writeFile } from './support/service.mjs';
import { atEnd, expect, run } from './support/verdict.mjs';
import { startService } from './service.mjs';

const SECRET = 'a-secret-of-the-test-alone';

function claims(more = {}) {
  const now = seconds();
  return { kind: 'id_token', iss: 'https://id.example', aud: 'api', jti: crypto.randomUUID(), iat: now, exp: now + 60, ...more };
}

const reasonOf = (promise) => promise.then(() => 'admitted', (error) => error.reason ?? error);

async function judge(where, guard) {
  const one = claims({ owner: 'request 7' });
  const { reservation, ttlMs } = await guard.reserve(one);
  expect(`${where}: for how long`, ttlMs > 60_000 && ttlMs <= 300_000, true);
  expect(`${where}: the same attempt`, await reasonOf(guard.reserve(one)), 'admitted');
  expect(`${where}: another`, await reasonOf(guard.reserve({ ...one, owner: 'request 8' })), 'replayed');
  expect(`${where}: given back`, await guard.release(reservation), true);
  expect(`${where}: given back again`, await guard.release(reservation), false);
  expect(`${where}: after that`, await guard.isFirstUse({ ...one, owner: undefined }), true);
  expect(`${where}: expired`, await reasonOf(guard.reserve(claims({ iat: 1, exp: 2 }))), 'expired');
  expect(`${where}: a member that is none`, await reasonOf(guard.reserve(claims({ jit: 'x' }))), 'unknown_member');
  expect(`${where}: no time`, await reasonOf(guard.reserve(claims({ iat: undefined, exp: Number.NaN }))), 'wrong_type');
  const many = await guard.admitMany([claims(), one, claims({ exp: 2, iat: 1 }), claims()]);
  expect(`${where}: many`, many.map((decision) => decision.reason).join(), 'admitted,replayed,expired,admitted');
  const tooMany = await guard.admitMany(Array.from({ length: 101 }, () => claims()));
  expect(`${where}: too many`, new Set(tooMany.map((decision) => decision.reason)).has('malformed_batch'), true);
}

async function judgeNames(guard) {
  const store = new UniqueStore(guard, { kind: 'names', lifetimeMs: 60_000 });
  const ids = ['a', 'ä', '\ud800', '\udbff', 'a\0b', 'a\0c', '\0', 'sha256:a', `sha256:${'a'.repeat(43)}`, 'x'.repeat(256), 'x'.repeat(257), 'x'.repeat(258), '"\\\n'];
  for (const issuer of [undefined, 'i', 'i'.repeat(2049)]) {
    for (const id of ids) expect(`${JSON.stringify(id).slice(0, 20)}`, await store.isUnique(id, { issuer }), true);
    for (const id of ids) expect(`${JSON.stringify(id).slice(0, 20)}, again`, await store.isUnique(id, { issuer }), false);
  }
  for (const id of ['', undefined, 7]) expect(`no id: ${id}`, await store.isUnique(id).catch((error) => error.name), 'TypeError');
}

run(async () => {
  const local = await startService();
  await judge('over its socket', local.guard);
  await judgeNames(local.guard);
  const networked = await serve('--api-secret-file', writeFile(SECRET));
  if (networked.code !== undefined) throw new Error(networked.log());
  const at = { url: `http://127.0.0.1:${networked.port}/`, deadlineMs: 1000 };
  const [known, unknown, silent] = [{ ...at, secret: SECRET }, { ...at, secret: 'another-secret-entirely' }, at].map((options) => new Guard(options));
  atEnd(() => { for (const guard of [known, unknown, silent]) guard.close(); });
  await judge('over the network', known);
  expect('with another secret', await reasonOf(unknown.reserve(claims())), 'unauthorized');
  expect('without one', await reasonOf(silent.reserve(claims())), 'unauthorized');
  await local.stop();
  expect('nobody there', await reasonOf(local.guard.reserve(claims())), 'unreachable');
});

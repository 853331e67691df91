// SPDX-License-Identifier: Apache-2.0
// proofs.mjs [COUNT]: proofs of the dpop package, each shown five times at once over three instances that
// share a Redis. Each is let in once.
import crypto from 'node:crypto';
import http from 'node:http';
import process from 'node:process';
import makeProof, { generateKeyPair } from 'dpop';
import { makeKey, makeToken, thumbprint } from './support/jose.mjs';
import { startRedis, uriOf, vouch } from './support/redis.mjs';
import { ISSUER, ask, serve, writeFile } from './support/service.mjs';
import { expect, run } from './support/verdict.mjs';

globalThis.crypto ??= crypto.webcrypto; // Node 18

const COUNT = Number(process.argv[2] ?? 1000);
const SHOWN = 5;
const INSTANCES = 3;
const AT_ONCE = 20; // proofs, each five times
const URL_OF_ALL = 'https://api.example/orders';

const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE * SHOWN });

async function startInstances(issuerKey) {
  const store = uriOf(await startRedis());
  await vouch(store);
  const keys = writeFile({ keys: [issuerKey.jwk] });
  const instances = [];
  for (let i = 0; i < INSTANCES; i += 1) {
    const service = await serve('--issuer', ISSUER, '--audience', 'api', '--kind', 'dpop_proof', '--dpop-target', 'original',
      '--jwks-file', keys, '--instances', String(INSTANCES), '--store', store);
    if (service.code !== undefined) throw new Error(service.log());
    instances.push(service.port);
  }
  return instances;
}

async function showToAll(instances, headers, first) {
  const answers = await Promise.all(Array.from({ length: SHOWN }, (_, i) => ask(instances[(first + i) % INSTANCES], '/check', { headers, agent })));
  return answers.map(({ status, reason }) => `${status} ${reason}`).sort().join();
}

run(async () => {
  const issuerKey = makeKey('ES256', 'k');
  const pair = await generateKeyPair('ES256');
  const jwk = await crypto.webcrypto.subtle.exportKey('jwk', pair.publicKey);
  const token = makeToken(issuerKey, { iss: ISSUER, cnf: { jkt: thumbprint(jwk) } }, { typ: 'at+jwt' });
  const instances = await startInstances(issuerKey);
  const wanted = ['200 admitted', ...Array(SHOWN - 1).fill('403 replayed')].join();
  const outcomes = new Map();
  let next = 0;
  const began = Date.now();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < COUNT) {
      const mine = next;
      next += 1;
      const proof = await makeProof(pair, URL_OF_ALL, 'GET', undefined, token);
      const headers = { Authorization: `DPoP ${token}`, DPoP: proof, 'X-Original-Method': 'GET', 'X-Original-URL': URL_OF_ALL };
      const outcome = await showToAll(instances, headers, mine);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  }));
  agent.destroy();
  for (const [outcome, times] of outcomes) expect(`${times} proofs`, outcome, wanted);
  console.log(`${outcomes.get(wanted) ?? 0} of ${COUNT} proofs were let in once of ${SHOWN}, in ${(Date.now() - began) / 1000} s`);
});

// SPDX-License-Identifier: Apache-2.0
// One DPoP proof at a gate and at the resource server behind it: examples/node/proof_at_two.mjs by the API, and the same
// by /check of two instances on one store.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { atGate, atResource } from '../../examples/node/proof_at_two.mjs';
import { Guard } from 'jtiguard';
import { makeBoundToken, makeKey, makeProof, seconds, thumbprint } from '../cases/support/jose.mjs';
import { ISSUER, runTool, said, serve, writeFile } from '../cases/support/service.mjs';
import { atEnd, expect, run, skip } from '../cases/support/verdict.mjs';

const URL_OF = 'https://api.example/orders';
const folder = fs.existsSync('/dev/shm') ? fs.mkdtempSync('/dev/shm/jtiguard-recipe-') : undefined;
atEnd(() => { if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true }); });

async function byTheApi(store) {
  const socket = path.join(folder, 'api.sock');
  const service = await serve('--store', store, '--api-listen', `unix:${socket}`);
  if (service.code !== undefined) throw new Error(service.log());
  const guard = new Guard({ socket, deadlineMs: 20_000 });
  atEnd(() => guard.close());
  let served = 0;
  const verify = async (headers) => headers.proof;
  const resource = atResource({ guard, verify, serve: async () => { served += 1; return 200; } });
  const gate = atGate({ guard, verify, pass: resource });
  const proof = { thumbprint: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', jti: crypto.randomUUID(), iat: seconds() };
  const four = await Promise.all([gate({ proof }), gate({ proof }), gate({ proof }), gate({ proof })]);
  expect('a proof, four times at once', four.filter((status) => status === 200).length, 1);
  expect('the same with an id of the client', await gate({ proof, 'x-request-id': 'mine' }), 401);
  expect('past the gate', await resource({ proof, 'x-request-id': 'mine' }), 401);
  expect('past the gate without an id', await resource({ proof }), 401);
  expect('served', served, 1);
}

async function byCheck(store) {
  const keys = { issuer: makeKey('ES256', 'k'), client: makeKey('ES256') };
  const settings = ['--store', store, '--instances', '2', '--issuer', ISSUER, '--audience', 'api', '--kind', 'dpop_proof',
    '--jwks-file', writeFile({ keys: [keys.issuer.jwk] }), '--dpop-target', 'original', '--owner-header', 'X-Request-ID'];
  const socket = path.join(folder, 'beside.sock');
  const [gate, resource] = [await serve(...settings), await serve(...settings, '--api-listen', `unix:${socket}`)];
  if (gate.code !== undefined) throw new Error(gate.log());
  const token = makeBoundToken(keys.issuer, keys.client, { iss: ISSUER });
  const show = (service, proof, id) => service.check({
    Authorization: `DPoP ${token}`, DPoP: proof, 'X-Original-Method': 'GET', 'X-Original-URL': URL_OF, 'X-Request-ID': id,
  }).then(said);
  const proof = makeProof(keys.client, token, 'GET', URL_OF);
  const id = crypto.randomUUID();
  expect('/check of the gate', await show(gate, proof, id), '200 admitted');
  expect('/check of the resource server', await show(resource, proof, id), '200 admitted');
  expect('another request at the gate', await show(gate, proof, crypto.randomUUID()), '403 replayed');
  expect('another request past the gate', await show(resource, proof, crypto.randomUUID()), '403 replayed');
  // By the API the id is another owner.
  const guard = new Guard({ socket, deadlineMs: 20_000 });
  atEnd(() => guard.close());
  const { jti, iat } = JSON.parse(Buffer.from(proof.split('.')[1], 'base64url'));
  const asked = guard.reserve({ kind: 'dpop_proof', thumbprint: thumbprint(keys.client.jwk), jti, iat, owner: id });
  expect('by the API with the same id', await asked.then(() => 'admitted', (error) => error.reason), 'replayed');
  expect('the token with a new proof', await show(gate, makeProof(keys.client, token, 'GET', URL_OF), crypto.randomUUID()), '200 admitted');
}

run(async () => {
  if (folder === undefined) await skip('no tmpfs at /dev/shm');
  const store = `host:${folder}/store`;
  const { code, text } = await runTool('vouch', '--store', store, '--yes');
  if (code !== 0) throw new Error(text);
  await byTheApi(store);
  await byCheck(store);
});

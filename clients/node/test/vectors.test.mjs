// SPDX-License-Identifier: Apache-2.0
// docs/vectors, in another language: the keys by the description in docs/guard.md alone, and the owners by which an
// answer is known to be the client's own.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { test } from 'node:test';
import { Guard } from '../src/index.js';
import { answer, openStranger } from './stranger.mjs';

const { vectors, owners } = JSON.parse(fs.readFileSync(new URL('../../../docs/vectors/keys.json', import.meta.url), 'utf8'));

const scopes = ['custom_kind', 'iss', 'aud', 'client', 'thumbprint'];
const uses = {
  id_token: ['iss', 'aud'], client_assertion: ['iss', 'aud'], logout_token: ['iss', 'aud'], saml_assertion: ['iss', 'aud'],
  dpop_proof: ['thumbprint'], security_event: ['iss', 'aud'], attestation_proof: ['aud', 'thumbprint'], workload_proof: ['thumbprint'],
  message_signature: ['aud', 'thumbprint'], passport: ['iss'], credential_proof: ['aud', 'thumbprint'], custom: scopes,
};

function part(bytes) {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(Buffer.byteLength(bytes)));
  return Buffer.concat([length, Buffer.from(bytes)]);
}

function keyOf(claims, { key_form: form = 'digest', key_prefix: prefix = form === 'plain' ? 'sts:jti:' : 'jtg:' }) {
  if (form === 'plain') return prefix + claims.jti;
  const identity = claims.jti === undefined
    ? Buffer.concat([Buffer.from('d'), crypto.createHash('sha256').update(claims.signing_input).digest()]) : `j${claims.jti}`;
  const scope = scopes.map((name) => (uses[claims.kind].includes(name) ? claims[name] ?? '' : ''));
  const bytes = Buffer.concat(['jtiguard key 1', claims.kind, ...scope, identity].map(part));
  return prefix + crypto.createHash('sha256').update(bytes).digest('base64url');
}

test('keys are as told', () => {
  const keyed = vectors.filter(({ key }) => key !== undefined);
  assert.ok(keyed.length > 20);
  for (const { name, claims, options = {}, key } of keyed) assert.equal(keyOf(claims, options), key, name);
});

test('owners are as told', async (t) => {
  for (const { owner, hex } of owners) {
    const whole = { result: 'admitted', reason: 'admitted', ttl_ms: 1, reservation: { key: 'k', owner: hex } };
    const stranger = await openStranger(t, answer(200, whole));
    const guard = new Guard({ socket: stranger.socket });
    t.after(() => guard.close());
    assert.equal((await guard.reserve({ kind: 'custom', jti: '1', owner })).reservation.owner, hex);
  }
});

// SPDX-License-Identifier: Apache-2.0
// @atproto/oauth-provider: DPoP proofs that its verifier checks, with our replay store; and each time frame that it asks for.
import crypto from 'node:crypto';
import { atprotoReplayStore } from 'jtiguard';
import atproto from '@atproto/oauth-provider';
import { makeKey, seconds, sign } from './support/jose.mjs';
import { expect, run } from './support/verdict.mjs';
import { judgeStore, letIn, startService } from './service.mjs';

const { JoseKey, OAuthVerifier } = atproto;
const ISSUER = 'https://pds.example';
const url = new URL('/xrpc/it', ISSUER);

async function verifierOn(guard, options) {
  return new OAuthVerifier({ issuer: ISSUER, keyset: [await JoseKey.generate(['ES256'])], dpopSecret: false, replayStore: atprotoReplayStore(guard, options) });
}

function proof(key) {
  const { crv, kty, x, y } = key.jwk;
  return sign(key, { typ: 'dpop+jwt', jwk: { crv, kty, x, y } }, { jti: crypto.randomUUID(), htm: 'GET', htu: url.href, iat: seconds() });
}

run(async () => {
  const key = makeKey('ES256');
  const service = await startService();
  const verifier = await verifierOn(service.guard);
  await judgeStore('atproto, proofs', service, async () => {
    const dpop = proof(key);
    return () => letIn(verifier.checkDpopProof('GET', url, { dpop }));
  });

  // A code challenge lasts for more than a day there.
  const [short, long] = [await startService(), await startService('--max-lifetime', '27h')];
  const challenge = ({ guard }, options) => atprotoReplayStore(guard, options).unique('CodeChallenge', 'c', 95_040_000);
  const refused = await challenge(short).then(() => 'let in', (error) => error.reason);
  expect('a code challenge within a day', refused, 'lifetime_too_long');
  expect('a code challenge, shortened', await challenge(short, { timeFrameMs: (namespace, frame) => Math.min(frame, 3_600_000) }), true);
  expect('a code challenge', await challenge(long), true);
  expect('a code challenge, again', await challenge(long), false);
  expect('in another namespace', await atprotoReplayStore(long.guard).unique('Auth@x', 'c', 60_000), true);
});

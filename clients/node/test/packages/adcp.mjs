// SPDX-License-Identifier: Apache-2.0
// @adcp/sdk: requests signed by RFC 9421 and verified by it, with our replay store.
import crypto from 'node:crypto';
import { adcpReplayStore } from 'jtiguard';
import { expect, run, skip } from './support/verdict.mjs';
import { judgeStore, letIn, startService } from './service.mjs';

const use = { kid: 'k', alg: 'EdDSA', use: 'sig', key_ops: ['verify'], adcp_use: 'request-signing' };

// It says that it runs on Node 18, and requires a package there that cannot be required.
async function load() {
  try {
    return (await import('@adcp/sdk/signing')).default;
  } catch (error) {
    if (error.code !== 'ERR_REQUIRE_ESM') throw error;
    return skip('@adcp/sdk cannot be loaded by this Node');
  }
}

run(async () => {
  const { InMemoryRevocationStore, StaticJwksResolver, signRequest, verifyRequestSignature } = await load();
  const pair = crypto.generateKeyPairSync('ed25519');
  const privateKey = { ...pair.privateKey.export({ format: 'jwk' }), ...use };
  const service = await startService();
  const options = {
    capability: { supported: true, covers_content_digest: 'either', required_for: [] },
    jwks: new StaticJwksResolver([{ ...pair.publicKey.export({ format: 'jwk' }), ...use }]),
    replayStore: adcpReplayStore(service.guard),
    revocationStore: new InMemoryRevocationStore(),
  };
  await judgeStore('adcp', service, async () => {
    const request = { method: 'POST', url: 'https://seller.example/create_media_buy', headers: { 'Content-Type': 'application/json' }, body: '{}' };
    const { headers } = signRequest(request, { keyid: 'k', alg: 'ed25519', privateKey });
    return () => letIn(verifyRequestSignature({ ...request, headers: { ...request.headers, ...headers } }, options));
  });

  const full = await startService('--max-entries', '1');
  const store = adcpReplayStore(full.guard);
  const insert = (nonce) => store.insert('k', 'https://seller.example', nonce, 360, 0);
  expect('the first', await insert('a'), 'ok');
  let answer = 'ok';
  for (let i = 0; i < 10_000 && answer === 'ok'; i += 1) answer = await insert(`n${i}`);
  expect('in a full store', answer, 'rate_abuse');
  expect('the first, again', await insert('a'), 'replayed');
});

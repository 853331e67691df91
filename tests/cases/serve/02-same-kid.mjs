// SPDX-License-Identifier: Apache-2.0
// A new key under the kid of the old one is taken within keys_retry, and the old one ends with it.
import { makeKey, makeToken } from '../support/jose.mjs';
import { openIssuer, said, serve } from '../support/service.mjs';
import { eventually, expect, run } from '../support/verdict.mjs';

async function tryOne(alg) {
  const old = makeKey(alg, 'k');
  const fresh = makeKey(alg, 'k');
  let set = { keys: [old.jwk] };
  const issuer = await openIssuer(() => set);
  const service = await serve('--issuer', issuer.url, '--audience', 'api', '--keys-loopback-http', '--keys-retry', '1s');
  const show = async (key) => said(await service.bearer(makeToken(key, { iss: issuer.url })));
  expect(`${alg}, the old key`, await show(old), '200 admitted');
  set = { keys: [fresh.jwk] };
  expect(`${alg}, the new key`, await eventually(() => show(fresh), '200 admitted'), '200 admitted');
  expect(`${alg}, the withdrawn key`, await show(old), '401 bad_signature');
}

run(async () => {
  await tryOne('ES256');
  await tryOne('RS256');
});

// SPDX-License-Identifier: Apache-2.0
// An issuer without a usable key is asked again after keys_retry, and not after keys_max_age.
import { makeKey, makeToken } from '../support/jose.mjs';
import { openIssuer, said, serve } from '../support/service.mjs';
import { eventually, expect, run } from '../support/verdict.mjs';

const useless = [
  ['an empty set', { keys: [] }],
  ['a key that is none', { keys: [{}] }],
  ['a key for encryption', { keys: [{ ...makeKey('ES256', 'k').jwk, use: 'enc' }] }],
];

async function tryOne([what, begin]) {
  const key = makeKey('ES256', 'k');
  let set = begin;
  const issuer = await openIssuer(() => set);
  const service = await serve('--issuer', issuer.url, '--audience', 'api', '--keys-loopback-http', '--keys-retry', '1s');
  const show = async () => said(await service.bearer(makeToken(key, { iss: issuer.url })));
  expect(`${what}, at first`, await show(), '403 keys_unavailable');
  set = { keys: [key.jwk] };
  expect(`${what}, then a key`, await eventually(show, '200 admitted'), '200 admitted');
  expect(`${what}: fetches`, issuer.fetches >= 2, true);
}

run(async () => {
  for (const one of useless) await tryOne(one);
});

// SPDX-License-Identifier: Apache-2.0
// An issuer without kids that publishes its old and its new key: both are tried, within bounds.
import { makeKey, makeToken } from '../support/jose.mjs';
import { ISSUER, said, serve, writeFile } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

async function serveKeys(keys) {
  return serve('--issuer', ISSUER, '--audience', 'api', '--jwks-file', writeFile({ keys: keys.map((key) => key.jwk) }));
}

run(async () => {
  const keys = Array.from({ length: 5 }, () => makeKey('ES256'));
  const show = async (service, key) => said(await service.bearer(makeToken(key, { iss: ISSUER })));
  const two = await serveKeys(keys.slice(0, 2));
  expect('the old key', await show(two, keys[0]), '200 admitted');
  expect('the new key', await show(two, keys[1]), '200 admitted');
  expect('a stranger\'s', await show(two, keys[2]), '401 bad_signature');
  const many = await serveKeys(keys);
  expect('the fourth of five', await show(many, keys[3]), '200 admitted');
  expect('the fifth: four are tried', await show(many, keys[4]), '401 ambiguous_key');
});

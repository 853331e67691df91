// SPDX-License-Identifier: Apache-2.0
// Why keys were not fetched: which document, which status, whose name it has instead.
import { makeKey, makeToken } from '../support/jose.mjs';
import { ISSUER, openIssuer, said, serve } from '../support/service.mjs';
import { eventually, expect, run } from '../support/verdict.mjs';

const key = makeKey('ES256', 'k');

async function logOf(answer) {
  const issuer = await openIssuer(() => answer);
  const service = await serve('--issuer', issuer.url, '--audience', 'api', '--keys-loopback-http');
  await eventually(() => service.log().includes('not fetched'), true, 8000);
  return service.log();
}

run(async () => {
  expect('403', await logOf({ status: 403, text: '{}' }), /not fetched: key set http:\S+\/keys: .*403/);
  expect('429', await logOf({ status: 429, headers: { 'Retry-After': '3600' }, text: '{}' }), /key set http:\S+\/keys: .*429/);
  expect('one key and no set', await logOf(key.jwk), /not fetched: key set http:\S+\/keys: .*keys/);

  const marked = await openIssuer(() => `\ufeff${JSON.stringify({ keys: [key.jwk] })}`);
  const service = await serve('--issuer', marked.url, '--audience', 'api', '--keys-loopback-http');
  const show = async () => said(await service.bearer(makeToken(key, { iss: marked.url })));
  expect('a byte order mark', await eventually(show, '200 admitted'), '200 admitted');

  const plain = await serve('--issuer', ISSUER.replace('https', 'http'), '--audience', 'api');
  expect('an issuer without https', plain.code, 2);
  expect('what it says', plain.log(), /https/);
});

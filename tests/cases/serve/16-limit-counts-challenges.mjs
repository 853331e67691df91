// SPDX-License-Identifier: Apache-2.0
// What a browser and a DPoP client do at first is no attempt: the limit of refusals does not count it.
import { makeBoundToken, makeKey, makeProof, makeToken } from '../support/jose.mjs';
import { ISSUER, said, serve, writeFile } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

const client = { 'X-Forwarded-For': '198.51.100.7' };
const preflight = { ...client, Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' };

run(async () => {
  const key = makeKey('ES256', 'k');
  const clientKey = makeKey('ES256');
  const usual = ['--issuer', ISSUER, '--audience', 'api', '--jwks-file', writeFile({ keys: [key.jwk] }), '--refusal-rate', '1', '--refusal-burst', '4'];

  const bearer = await serve(...usual);
  for (let i = 0; i < 8; i += 1) await bearer.check(preflight, 'OPTIONS');
  expect('after eight preflights', said(await bearer.bearer(makeToken(key, { iss: ISSUER }), client)), '200 admitted');
  for (let i = 0; i < 8; i += 1) await bearer.bearer('no.token.here', client);
  expect('after eight guesses', said(await bearer.bearer(makeToken(key, { iss: ISSUER }), client)), '403 too_many_refusals');

  const dpop = await serve(...usual, '--kind', 'dpop_proof', '--dpop-nonce', '--dpop-target', 'original');
  const url = 'https://api.example/x';
  const token = makeBoundToken(key, clientKey, { iss: ISSUER });
  const show = (claims) => dpop.check({
    ...client, Authorization: `DPoP ${token}`, DPoP: makeProof(clientKey, token, 'GET', url, claims), 'X-Original-Method': 'GET', 'X-Original-URL': url,
  });
  let answer;
  for (let i = 0; i < 8; i += 1) answer = await show();
  expect('the eighth without a nonce', said(answer), '401 proof_wrong_nonce');
  expect('with the nonce', said(await show({ nonce: answer.headers['dpop-nonce'] })), '200 admitted');
});

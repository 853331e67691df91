// SPDX-License-Identifier: Apache-2.0
// Logout tokens as providers write them: without exp, and with the typ of their ID tokens.
import { makeKey, makeToken } from '../support/jose.mjs';
import { ISSUER, said, serve, writeFile } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };

run(async () => {
  const key = makeKey('ES256', 'k');
  const keys = writeFile({ keys: [key.jwk] });
  const logout = (claims, typ = 'logout+jwt') => makeToken(key, { iss: ISSUER, events, sid: 's', ...claims }, { typ });
  const usual = ['--issuer', ISSUER, '--audience', 'api', '--jwks-file', keys, '--kind', 'logout_token', '--typ', 'JWT', '--typ', 'logout+jwt'];

  const strict = await serve(...usual);
  expect('with exp', said(await strict.bearer(logout())), '200 admitted');
  expect('without exp', said(await strict.bearer(logout({ exp: undefined }))), '401 missing_exp');

  const lenient = await serve(...usual, '--life-without-exp', '2m');
  const bare = logout({ exp: undefined });
  expect('without exp, by option', said(await lenient.bearer(bare)), '200 admitted');
  expect('the same again', said(await lenient.bearer(bare)), '403 replayed');
  const old = Math.floor(Date.now() / 1000) - 300;
  expect('without exp, too old', said(await lenient.bearer(logout({ exp: undefined, iat: old }))), '401 expired');

  const both = await serve('--issuers', JSON.stringify([
    { issuer: ISSUER, audience: 'api', jwks_file: keys },
    { issuer: ISSUER, audience: 'api', jwks_file: keys, kind: 'logout_token', typ: ['JWT'] },
  ]));
  expect('ID and logout tokens of one typ: start', both.code, undefined);
  expect('the logout token', said(await both.bearer(logout({}, 'JWT'))), '200 admitted');
  expect('the ID token', said(await both.bearer(makeToken(key, { iss: ISSUER }))), '200 admitted');
});

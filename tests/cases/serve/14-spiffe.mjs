// SPDX-License-Identifier: Apache-2.0
// SPIFFE: keys of use jwt-svid, tokens without iss, believed by the trust domain of their sub.
import { makeKey, makeToken } from '../support/jose.mjs';
import { ISSUER, said, serve, writeFile } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

const sub = 'spiffe://example.org/workload';
const typ = 'JOSE';

run(async () => {
  const key = makeKey('ES256', 'k');
  const bundle = writeFile({ keys: [{ ...key.jwk, use: 'jwt-svid' }] });
  const token = (claims) => makeToken(key, { sub, jti: undefined, ...claims }, { typ });

  const domain = await serve('--trust-domain', 'example.org', '--audience', 'api', '--jwks-file', bundle, '--missing-jti', 'digest');
  const shown = token({});
  expect('without iss', said(await domain.bearer(shown)), '200 admitted');
  expect('the same again', said(await domain.bearer(shown)), '403 replayed');
  expect('of another domain', (await domain.bearer(token({ sub: 'spiffe://example.net/w' }))).status, 401);

  const issuer = await serve('--issuer', ISSUER, '--audience', 'api', '--jwks-file', bundle, '--typ', typ, '--missing-jti', 'digest');
  expect('with iss, use jwt-svid', said(await issuer.bearer(token({ iss: ISSUER }))), '200 admitted');
});

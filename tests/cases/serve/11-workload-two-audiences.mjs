// SPDX-License-Identifier: Apache-2.0
// A workload token for two audiences, which has no azp.
import { makeKey, makeToken } from '../support/jose.mjs';
import { ISSUER, said, serve, writeFile } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

run(async () => {
  const key = makeKey('ES256', 'k');
  const keys = writeFile({ keys: [key.jwk] });
  const two = { iss: ISSUER, aud: ['api', 'https://kubernetes.default.svc'] };
  const usual = ['--issuer', ISSUER, '--audience', 'api', '--jwks-file', keys];
  const login = await serve(...usual);
  expect('as an ID token, of which OIDC wants azp', said(await login.bearer(makeToken(key, two))), '401 wrong_client');
  const service = await serve(...usual, '--kind', 'workload');
  expect('two audiences', said(await service.bearer(makeToken(key, two))), '200 admitted');
  expect('neither is this one', said(await service.bearer(makeToken(key, { iss: ISSUER, aud: ['a', 'b'] }))), '401 wrong_audience');
});

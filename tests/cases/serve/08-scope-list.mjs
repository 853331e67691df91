// SPDX-License-Identifier: Apache-2.0
// scope as a list, which some token servers write.
import { makeKey, makeToken } from '../support/jose.mjs';
import { ISSUER, said, serve, writeFile } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

const cases = [
  [{ scope: 'openid api.read' }, '200 admitted'],
  [{ scope: ['openid', 'api.read'] }, '200 admitted'],
  [{ scope: ['api.read'] }, '200 admitted'],
  [{ scp: ['openid', 'api.read'] }, '200 admitted'],
  [{ scope: ['openid'] }, '403 insufficient_scope'],
  [{ scope: [] }, '403 insufficient_scope'],
  [{}, '403 insufficient_scope'],
];

run(async () => {
  const key = makeKey('ES256', 'k');
  const service = await serve('--issuer', ISSUER, '--audience', 'api', '--scope', 'api.read',
    '--jwks-file', writeFile({ keys: [key.jwk] }));
  for (const [claims, wanted] of cases)
    expect(JSON.stringify(claims), said(await service.bearer(makeToken(key, { iss: ISSUER, ...claims }))), wanted);
});

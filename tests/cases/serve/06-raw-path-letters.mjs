// SPDX-License-Identifier: Apache-2.0
// The path of a DPoP proof, with letters that browsers do not encode.
import { makeBoundToken, makeKey, makeProof } from '../support/jose.mjs';
import { ISSUER, said, serve, writeFile } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

const paths = ['/plain', '/files/[name].js', '/a|b', '/a^b', '/100%', '/a%7Cb', '/a%2fb'];

run(async () => {
  const issuerKey = makeKey('ES256', 'k');
  const clientKey = makeKey('ES256');
  const service = await serve('--issuer', ISSUER, '--audience', 'api', '--kind', 'dpop_proof', '--dpop-target', 'original',
    '--jwks-file', writeFile({ keys: [issuerKey.jwk] }));
  for (const path of paths) {
    const url = new URL(path, 'https://api.example').href;
    const token = makeBoundToken(issuerKey, clientKey, { iss: ISSUER });
    const headers = { Authorization: `DPoP ${token}`, 'X-Original-Method': 'GET', 'X-Original-URL': url };
    const show = async (DPoP) => said(await service.check({ ...headers, DPoP }));
    const proof = makeProof(clientKey, token, 'GET', url);
    expect(path, await show(proof), '200 admitted');
    expect(`${path} again`, await show(proof), '403 replayed');
    expect(`${path}, a proof for another`, await show(makeProof(clientKey, token, 'GET', `${url}x`)), '401 proof_wrong_url');
  }
});

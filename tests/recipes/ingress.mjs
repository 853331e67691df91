// SPDX-License-Identifier: Apache-2.0
// What ingress controllers send to /check, as docs/recipes.md has it: the same client through each, with DPoP.
import crypto from 'node:crypto';
import { makeBoundToken, makeKey, makeProof } from '../cases/support/jose.mjs';
import { ISSUER, ask, said, serve, writeFile } from '../cases/support/service.mjs';
import { expect, run } from '../cases/support/verdict.mjs';

const WHERE = 'https://shop.example/orders?page=2';

// The client's own X-Request-ID is handed on by the first of them.
const controllers = {
  'ingress-nginx': {
    target: ['--dpop-target', 'original', '--owner-header', 'X-JTI-Owner'],
    send: (port, method, headers, id) => ask(port, '/check', {
      headers: { ...headers, 'X-Request-ID': 'the client\'s', 'X-JTI-Owner': id, 'X-Original-Method': method, 'X-Original-URL': WHERE, 'X-Forwarded-For': '198.51.100.7' },
    }),
  },
  traefik: {
    target: ['--dpop-target', 'forwarded'],
    send: (port, method, headers) => ask(port, '/check', {
      headers: { ...headers, 'X-Forwarded-Method': method, 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'shop.example', 'X-Forwarded-Uri': '/orders?page=2', 'X-Forwarded-For': '198.51.100.7' },
    }),
  },
  envoy: {
    target: ['--dpop-target', 'request', '--public-url', 'https://shop.example'],
    send: (port, method, headers) => ask(port, '/check/orders?page=2', { method, headers: { ...headers, Host: 'shop.example', 'X-Request-ID': 'the client\'s' } }),
  },
};

run(async () => {
  const keys = { issuer: makeKey('ES256', 'k'), client: makeKey('ES256') };
  const jwks = writeFile({ keys: [keys.issuer.jwk] });
  const token = makeBoundToken(keys.issuer, keys.client, { iss: ISSUER });
  for (const [name, { target, send }] of Object.entries(controllers)) {
    const service = await serve('--issuer', ISSUER, '--audience', 'api', '--kind', 'dpop_proof', '--jwks-file', jwks, ...target);
    if (service.code !== undefined) throw new Error(service.log());
    const headers = (method) => ({ Authorization: `DPoP ${token}`, DPoP: makeProof(keys.client, token, method, WHERE.split('?')[0]) });
    const mine = headers('POST');
    const id = crypto.randomUUID();
    const four = await Promise.all([1, 2, 3, 4].map(() => send(service.port, 'POST', mine, crypto.randomUUID()).then(said)));
    expect(`${name}: a proof, four times at once`, four.filter((one) => one === '200 admitted').length, 1);
    expect(`${name}: once more`, said(await send(service.port, 'POST', mine, id)), '403 replayed');
    expect(`${name}: for another method`, said(await send(service.port, 'POST', headers('GET'), id)), '401 proof_wrong_method');
    const again = headers('POST');
    expect(`${name}: a new proof`, said(await send(service.port, 'POST', again, id)), '200 admitted');
    expect(`${name}: asked twice for one request`, said(await send(service.port, 'POST', again, id)), name === 'ingress-nginx' ? '200 admitted' : '403 replayed');
    expect(`${name}: nothing`, said(await send(service.port, 'POST', {}, id)), '401 missing_token');
  }
});

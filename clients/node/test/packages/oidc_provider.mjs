// SPDX-License-Identifier: Apache-2.0
// node-oidc-provider with our ReplayDetection: client assertions at its token endpoint, and DPoP proofs there.
import http from 'node:http';
import crypto from 'node:crypto';
import { guardOidcProvider } from 'jtiguard';
import Provider from 'oidc-provider';
import { makeKey, seconds, sign } from './support/jose.mjs';
import { expect, run } from './support/verdict.mjs';
import { judgeStore, listen, startService } from './service.mjs';

const SCOPE = { grant_type: 'client_credentials', scope: 'api.read', resource: 'https://api.example' };

function setUp(url, keys) {
  const client = (client_id, method) => ({
    client_id, token_endpoint_auth_method: method, id_token_signed_response_alg: 'ES256', grant_types: ['client_credentials'], redirect_uris: [], response_types: [],
    ...(method === 'private_key_jwt' ? { token_endpoint_auth_signing_alg: 'ES256', jwks: { keys: [{ ...keys.client.jwk, alg: 'ES256', use: 'sig' }] } }
      : { client_secret: 'a secret of the test alone' }),
  });
  const issuerKey = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return new Provider(url, {
    clients: [client('asserts', 'private_key_jwt'), client('proves', 'client_secret_post')],
    jwks: { keys: [{ ...issuerKey, kid: 'issuer-key', use: 'sig', alg: 'ES256' }] },
    features: {
      dPoP: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true, defaultResource: () => undefined,
        getResourceServerInfo: () => ({ scope: 'api.read', audience: SCOPE.resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
      },
    },
  });
}

async function post(url, form, headers = {}) {
  const answer = await fetch(`${url}/token`, { method: 'POST', headers, body: new URLSearchParams(form) });
  await answer.text();
  return answer.status === 200;
}

function assertion(url, keys, more = {}) {
  const now = seconds();
  const payload = { iss: 'asserts', sub: 'asserts', aud: url, jti: crypto.randomUUID(), iat: now, exp: now + 60, ...more };
  const form = {
    ...SCOPE, client_id: 'asserts', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: sign(keys.client, { kid: 'client' }, payload),
  };
  return () => post(url, form);
}

function proof(url, keys) {
  const { crv, kty, x, y } = keys.proof.jwk;
  const DPoP = sign(keys.proof, { typ: 'dpop+jwt', jwk: { crv, kty, x, y } }, { jti: crypto.randomUUID(), htm: 'POST', htu: `${url}/token`, iat: seconds() });
  return () => post(url, { ...SCOPE, client_id: 'proves', client_secret: 'a secret of the test alone' }, { DPoP });
}

run(async () => {
  const keys = { client: makeKey('ES256', 'client'), proof: makeKey('ES256') };
  for (const make of [assertion, proof]) {
    const server = http.createServer();
    const url = await listen(server);
    const provider = setUp(url, keys);
    const service = await startService();
    guardOidcProvider(provider, service.guard);
    provider.on('server_error', () => {}); // a guard that is gone
    server.on('request', provider.callback());
    if (make === assertion) {
      expect('an assertion that ends later than it may', await assertion(url, keys, { exp: seconds() + 700 })(), false);
      expect('a jti beyond the bounds', await assertion(url, keys, { jti: 'x'.repeat(5000) })(), true);
    }
    await judgeStore(`oidc-provider, ${make.name}`, service, async () => make(url, keys));
  }
});

// SPDX-License-Identifier: Apache-2.0
// oidc-provider as an issuer: ID tokens, JWT access tokens bound by DPoP, back-channel logout, client
// assertions.
import crypto from 'node:crypto';
import http from 'node:http';
import Provider from 'oidc-provider';
import { atEnd } from './support/verdict.mjs';

export async function openIssuer(clients) {
  const server = http.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'issuer-key', use: 'sig', alg: 'ES256' };
  const provider = new Provider(url, {
    clients,
    jwks: { keys: [key] },
    cookies: { keys: ['for the test alone'] },
    pkce: { required: () => false },
    findAccount: (context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    ttl: { AccessToken: 300, ClientCredentials: 300, IdToken: 300, Session: 3600, Grant: 3600, Interaction: 600 },
    features: {
      dPoP: { enabled: true },
      clientCredentials: { enabled: true },
      backchannelLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: () => ({
          scope: 'api.read', audience: 'https://api.example', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  provider.on('server_error', (context, error) => console.log(`issuer: ${error.stack}`));
  server.on('request', provider.callback());
  atEnd(() => { server.close(); server.closeAllConnections(); });
  return { url, port: server.address().port };
}

// SPDX-License-Identifier: Apache-2.0
// An id that passes once, as assertUnique: beside @openid4vc/oauth2, which checks a wallet's attestation and its
// proof of possession and leaves to its caller that the proof is used once.
import crypto from 'node:crypto';
import { UniqueStore } from 'jtiguard';
import { Oauth2AuthorizationServer, clientAuthenticationClientAttestationJwt, createClientAttestationJwt } from '@openid4vc/oauth2';
import { makeKey, sign } from './support/jose.mjs';
import { expect, run } from './support/verdict.mjs';
import { judgeStore, letIn, startService } from './service.mjs';

const ISSUER = 'https://issuer.example';
const provider = makeKey('ES256', 'provider');
const wallet = makeKey('ES256', 'wallet');

const callbacks = {
  hash: (data, alg) => crypto.createHash(alg.replace('-', '')).update(data).digest(),
  generateRandom: (bytes) => crypto.randomBytes(bytes),
  signJwt: async (signer, { header, payload }) => {
    const key = signer.publicJwk?.kid === 'wallet' ? wallet : provider;
    return { jwt: sign(key, header, payload), signerJwk: key.jwk };
  },
  verifyJwt: async (signer, { compact }) => {
    const key = signer.method === 'jwk' ? signer.publicJwk : provider.jwk;
    const [head, body, signature] = compact.split('.');
    const verified = crypto.verify('sha256', Buffer.from(`${head}.${body}`), { key: crypto.createPublicKey({ key, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'));
    return verified ? { verified, signerJwk: key } : { verified };
  },
  fetch, clientAuthentication: () => {},
};

const attestation = () => createClientAttestationJwt({
  callbacks, clientId: 'wallet-1', issuer: 'did:example:provider', expiresAt: new Date(Date.now() + 3_600_000),
  confirmation: { jwk: wallet.jwk }, signer: { method: 'did', didUrl: 'did:example:provider#1', alg: 'ES256' },
});

run(async () => {
  const service = await startService();
  const store = new UniqueStore(service.guard, { kind: 'client attestation pop', lifetimeMs: 300_000 });
  const server = new Oauth2AuthorizationServer({ callbacks });
  const clientAttestationJwt = await attestation();

  async function show(clientAttestationPopJwt) {
    const { clientAttestationPop } = await server.verifyClientAttestation({
      authorizationServer: ISSUER, clientAttestationJwt, clientAttestationPopJwt,
    });
    const { jti, iss, exp } = clientAttestationPop.payload;
    await store.assertUniqueUntil(jti, exp * 1000, { issuer: iss });
  }

  await judgeStore('oid4vc', service, async () => {
    const headers = new Headers();
    await clientAuthenticationClientAttestationJwt({ callbacks, clientAttestationJwt })({ headers, authorizationServerMetadata: { issuer: ISSUER } });
    return () => letIn(show(headers.get('OAuth-Client-Attestation-PoP')));
  });
  expect('no lifetime', await letIn(Promise.resolve().then(() => new UniqueStore(service.guard, { kind: 'x' }))), false);
});

// SPDX-License-Identifier: Apache-2.0
// What crowd.mjs shows, by package: prepare() makes in one process what is shown in another, as text or plain objects;
// open() has the package itself, with our store, and answers whether it let something in.
import crypto from 'node:crypto';
import http from 'node:http';
import { adcpReplayStore, atprotoReplayStore, claimsOf, expressOnce, fastifyOnce, guardOidcProvider, guardSaml, samlRequests } from 'jtiguard';
import { makeKey, seconds, sign } from './support/jose.mjs';
import { letIn, listen } from './service.mjs';

const pem = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
const payload = (more) => ({ jti: crypto.randomUUID(), iat: seconds(), exp: seconds() + 590, ...more });

// ---- oidc-provider: client assertions at its token endpoint ----

const AS = 'https://as.example';

async function prepareAssertions() {
  const key = makeKey('ES256', 'client');
  const issuer = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return { context: { jwk: key.jwk, issuer }, make: async () => sign(key, { kid: 'client' }, payload({ iss: 'asserts', sub: 'asserts', aud: AS })) };
}

async function openOidcProvider(guard, { jwk, issuer }) {
  const { default: Provider } = await import('oidc-provider');
  const provider = new Provider(AS, {
    clients: [{
      client_id: 'asserts', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', id_token_signed_response_alg: 'ES256',
      grant_types: ['client_credentials'], redirect_uris: [], response_types: [], jwks: { keys: [{ ...jwk, alg: 'ES256', use: 'sig' }] },
    }],
    jwks: { keys: [{ ...issuer, kid: 'issuer-key', use: 'sig', alg: 'ES256' }] },
    features: { clientCredentials: { enabled: true } },
  });
  guardOidcProvider(provider, guard);
  provider.on('server_error', () => {});
  provider.proxy = true;
  const server = http.createServer(provider.callback());
  const url = await listen(server);
  return async (assertion) => {
    const form = { grant_type: 'client_credentials', client_id: 'asserts', client_assertion: assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };
    const answer = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(form) });
    await answer.text();
    return answer.status === 200;
  };
}

// ---- node-saml: assertions, and the requests they answer ----

const [IDP, SP] = ['https://idp.example', 'https://sp.example'];

async function samlOn(guard, { publicKey, secret }) {
  const { default: { SAML, ValidateInResponseTo } } = await import('@node-saml/node-saml');
  return guardSaml(new SAML({
    callbackUrl: `${SP}/acs`, entryPoint: `${IDP}/sso`, issuer: SP, audience: SP, idpCert: publicKey, idpIssuer: IDP,
    wantAuthnResponseSigned: false, wantAssertionsSigned: true, validateInResponseTo: ValidateInResponseTo.always, ...samlRequests(guard, { secret }),
  }), guard);
}

async function signedAssertion(privateKey, request) {
  const { default: { SignedXml } } = await import('xml-crypto');
  const id = `_${crypto.randomUUID()}`;
  const at = (later) => new Date(Date.now() + later * 1000).toISOString();
  const assertion = `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${at(0)}"><saml:Issuer>${IDP}</saml:Issuer>`
    + `<saml:Subject><saml:NameID>user-1</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${at(7000)}" `
    + `Recipient="${SP}/acs" InResponseTo="${request}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${at(-5)}" NotOnOrAfter="${at(7000)}"><saml:AudienceRestriction>`
    + `<saml:Audience>${SP}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="${at(0)}"><saml:AuthnContext>`
    + '<saml:AuthnContextClassRef>x</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement></saml:Assertion>';
  const signature = new SignedXml({ privateKey, signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#' });
  signature.addReference({
    xpath: `//*[@ID="${id}"]`, digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
    transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#'],
  });
  signature.computeSignature(assertion, { location: { reference: "//*[local-name(.)='Issuer']", action: 'after' } });
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r${id}" Version="2.0" IssueInstant="${at(0)}" InResponseTo="${request}">`
    + `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${IDP}</saml:Issuer>`
    + `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>${signature.getSignedXml()}</samlp:Response>`;
}

async function prepareSaml(guard) {
  const { publicKey, privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048, ...pem });
  const context = { publicKey, secret: 'a secret of the test alone' };
  const saml = await samlOn(guard, context);
  const make = async () => {
    const [, request] = / ID="([^"]+)"/.exec(await saml.generateAuthorizeRequestAsync(false, true));
    return Buffer.from(await signedAssertion(privateKey, request)).toString('base64');
  };
  return { context, make };
}

async function openSaml(guard, context) {
  const saml = await samlOn(guard, context);
  return (SAMLResponse) => letIn(saml.validatePostResponseAsync({ SAMLResponse }));
}

// ---- atproto: DPoP proofs ----

const it = new URL('/xrpc/it', 'https://pds.example');

async function prepareProofs() {
  const key = makeKey('ES256');
  const { crv, kty, x, y } = key.jwk;
  return { context: {}, make: async () => sign(key, { typ: 'dpop+jwt', jwk: { crv, kty, x, y } }, { jti: crypto.randomUUID(), htm: 'GET', htu: it.href, iat: seconds() }) };
}

async function openAtproto(guard) {
  const { default: { JoseKey, OAuthVerifier } } = await import('@atproto/oauth-provider');
  const verifier = new OAuthVerifier({ issuer: it.origin, keyset: [await JoseKey.generate(['ES256'])], dpopSecret: false, replayStore: atprotoReplayStore(guard) });
  return (dpop) => letIn(verifier.checkDpopProof('GET', it, { dpop }));
}

// ---- adcp: signed requests ----

const request = { method: 'POST', url: 'https://seller.example/create_media_buy', headers: { 'Content-Type': 'application/json' }, body: '{}' };
const use = { kid: 'k', alg: 'EdDSA', use: 'sig', key_ops: ['verify'], adcp_use: 'request-signing' };

async function prepareSigned() {
  const { default: { signRequest } } = await import('@adcp/sdk/signing');
  const pair = crypto.generateKeyPairSync('ed25519');
  const privateKey = { ...pair.privateKey.export({ format: 'jwk' }), ...use };
  return { context: { jwk: { ...pair.publicKey.export({ format: 'jwk' }), ...use } }, make: async () => signRequest(request, { keyid: 'k', alg: 'ed25519', privateKey }).headers };
}

async function openAdcp(guard, { jwk }) {
  const { default: { InMemoryRevocationStore, StaticJwksResolver, verifyRequestSignature } } = await import('@adcp/sdk/signing');
  const options = {
    capability: { supported: true, covers_content_digest: 'either', required_for: [] },
    jwks: new StaticJwksResolver([jwk]), replayStore: adcpReplayStore(guard), revocationStore: new InMemoryRevocationStore(),
  };
  return (headers) => letIn(verifyRequestSignature({ ...request, headers: { ...request.headers, ...headers } }, options));
}

// ---- express, fastify: what a verifier before them has left with the request ----

async function preparePayloads() {
  return { context: {}, make: async () => Buffer.from(JSON.stringify(payload({ iss: 'https://id.example', aud: 'api' }))).toString('base64url') };
}

const read = (headers) => JSON.parse(Buffer.from(headers.authorization, 'base64url'));
const claims = ({ payload: mine }) => claimsOf(mine, { audience: 'api' });

async function asker(url) {
  return async (authorization) => {
    const answer = await fetch(url, { headers: { authorization } });
    await answer.text();
    return answer.status === 200;
  };
}

async function openExpress(guard) {
  const { default: express } = await import('express');
  const app = express();
  app.use((asked, answer, next) => { asked.payload = read(asked.headers); next(); });
  app.get('/', expressOnce(guard, claims), (asked, answer) => { answer.json({}); });
  return asker(await listen(http.createServer(app)));
}

async function openFastify(guard) {
  const { default: Fastify } = await import('fastify');
  const app = Fastify();
  app.addHook('onRequest', async (asked) => { asked.payload = read(asked.headers); });
  app.get('/', { preHandler: fastifyOnce(guard, claims) }, async () => ({}));
  await app.listen({ port: 0, host: '127.0.0.1' });
  return asker(`http://127.0.0.1:${app.server.address().port}`);
}

export const packages = {
  oidc_provider: { prepare: prepareAssertions, open: openOidcProvider },
  node_saml: { prepare: prepareSaml, open: openSaml },
  atproto: { prepare: prepareProofs, open: openAtproto },
  adcp: { prepare: prepareSigned, open: openAdcp },
  express: { prepare: preparePayloads, open: openExpress },
  fastify: { prepare: preparePayloads, open: openFastify },
};

// SPDX-License-Identifier: Apache-2.0
// Each flow of a real issuer and of real clients once, and each repeat of it: the first is let in, the
// second is not.
import crypto from 'node:crypto';
import makeProof from 'dpop';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { Browser } from './browser.mjs';
import { openDoor } from './door.mjs';
import { openIssuer } from './issuer.mjs';
import { ask, serve, writeFile } from './support/service.mjs';
import { expect, run } from './support/verdict.mjs';

globalThis.crypto ??= crypto.webcrypto; // Node 18

const RESOURCE = 'https://api.example';
const APP = 'https://app.example/cb';
const SECRET = 'a secret of the test alone';

async function makeClientKey() {
  const pair = await oauth.generateKeyPair('ES256', { extractable: true });
  const exported = async (key) => {
    const { kty, crv, x, y, d } = await crypto.webcrypto.subtle.exportKey('jwk', key);
    return { kty, crv, x, y, d, kid: 'client-key', alg: 'ES256', use: 'sig' };
  };
  return { privateKey: pair.privateKey, jwk: await exported(pair.publicKey), secretJwk: await exported(pair.privateKey) };
}

function person(logoutDoor) {
  return {
    client_id: 'person', client_secret: SECRET, redirect_uris: [APP], response_types: ['code'], grant_types: ['authorization_code'],
    id_token_signed_response_alg: 'ES256', backchannel_logout_uri: `${logoutDoor.url}/logout`, backchannel_logout_session_required: true,
  };
}

function machine(id, key) {
  return {
    client_id: id, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256',
    id_token_signed_response_alg: 'ES256', jwks: { keys: [key.jwk] }, grant_types: ['client_credentials'], redirect_uris: [],
    response_types: [],
  };
}

let shownAgain = 0;

async function assertNoneAgain(what, door, letIn) {
  const again = await door.showAgain();
  shownAgain += again.length;
  expect(`${what}: let in`, again.length, letIn);
  for (const answer of again) expect(`${what}, once more`, answer, '403 replayed');
}

// ---- ID tokens, and the logout that ends the session ----

async function signIn(issuer, door) {
  const browser = new Browser();
  const { Client } = await openid.Issuer.discover(issuer.url);
  const client = new Client({
    client_id: 'person', client_secret: SECRET, redirect_uris: [APP], response_types: ['code'], id_token_signed_response_alg: 'ES256',
  });
  const nonce = openid.generators.nonce();
  const start = client.authorizationUrl({ scope: 'openid', nonce });
  const back = await browser.signIn(start, (at) => at.href.startsWith(APP));
  const tokens = await client.callback(APP, client.callbackParams(back.href), { nonce });
  const show = () => fetch(door.url, { headers: { Authorization: `Bearer ${tokens.id_token}` } });
  expect('an ID token', (await show()).status, 200);
  expect('the same ID token', (await show()).status, 403);
  return { browser, end: client.endSessionUrl({ id_token_hint: tokens.id_token }) };
}

// ---- client assertions, in front of the issuer's token endpoint ----

function assertionOf(request, body) {
  return { Authorization: `Bearer ${new URLSearchParams(body).get('client_assertion')}` };
}

async function grantByOpenid(issuer, door, key) {
  const found = await openid.Issuer.discover(issuer.url);
  const { Client } = new openid.Issuer({ ...found.metadata, token_endpoint: `${door.url}/token` });
  const client = new Client({
    client_id: 'machine-1', token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256',
  }, { keys: [key.secretJwk] });
  const DPoP = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const tokens = await client.grant({ grant_type: 'client_credentials', resource: RESOURCE, scope: 'api.read' }, { DPoP });
  return { client, token: tokens.access_token, DPoP };
}

async function grantByOauth(issuer, door, key) {
  const url = new URL(issuer.url);
  const found = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
  const server = { ...found, token_endpoint: `${door.url}/token` };
  const client = { client_id: 'machine-2', token_endpoint_auth_method: 'private_key_jwt' };
  const DPoP = await oauth.generateKeyPair('ES256');
  const response = await oauth.clientCredentialsGrantRequest(server, client, new URLSearchParams({ resource: RESOURCE, scope: 'api.read' }), {
    DPoP, clientPrivateKey: { key: key.privateKey, kid: 'client-key' },
  });
  const tokens = await oauth.processClientCredentialsResponse(server, client, response);
  if (oauth.isOAuth2Error(tokens)) throw new Error(`no token: ${tokens.error_description}`);
  return { client, token: tokens.access_token, DPoP };
}

// ---- access tokens that are bound to a key ----

function boundQuestion(request) {
  return {
    Authorization: request.headers.authorization ?? '', DPoP: request.headers.dpop ?? '',
    'X-Original-Method': request.method, 'X-Original-URL': `http://${request.headers.host}${request.url}`,
  };
}

async function useByOpenid(door, { client, token, DPoP }) {
  const answer = await client.requestResource(`${door.url}/orders?page=1`, token, { DPoP, tokenType: 'DPoP' });
  expect('openid-client with its proof', answer.statusCode, 200);
}

async function useByOauth(door, { token, DPoP }) {
  const show = () => oauth.protectedResourceRequest(token, 'POST', new URL(`${door.url}/orders`), new Headers(), null, { DPoP });
  expect('oauth4webapi, without a nonce', (await show()).status, 401);
  expect('oauth4webapi, with it', (await show()).status, 200);
}

async function useByDpop(door, { token, DPoP }) {
  const url = new URL('/orders/[7]', door.url).href;
  const show = (proof) => fetch(url, { method: 'DELETE', headers: { Authorization: `DPoP ${token}`, DPoP: proof } });
  const first = await show(await makeProof(DPoP, url, 'DELETE', undefined, token));
  expect('dpop, without a nonce', first.status, 401);
  const proof = await makeProof(DPoP, url, 'DELETE', first.headers.get('dpop-nonce'), token);
  expect('dpop, with it', (await show(proof)).status, 200);
  expect('dpop, the same proof', (await show(proof)).status, 403);
}

// ---- all together ----

function entries(issuer, keys) {
  const usual = { audience: [issuer.url], alg: ['ES256'] };
  return JSON.stringify([
    { ...usual, issuer: issuer.url, audience: ['person'], kind: 'id_token' },
    { ...usual, issuer: issuer.url, audience: ['person'], kind: 'logout_token', life_without_exp: '2m' },
    { ...usual, issuer: issuer.url, audience: [RESOURCE], kind: 'dpop_proof' },
    ...keys.map((key, i) => ({ ...usual, issuer: `machine-${i + 1}`, kind: 'client_assertion', jwks_file: key.file })),
  ]);
}

run(async () => {
  const keys = [await makeClientKey(), await makeClientKey()];
  for (const key of keys) key.file = writeFile({ keys: [key.jwk] });
  const bearer = (request) => ({ Authorization: request.headers.authorization ?? '' });
  const loginDoor = await openDoor(bearer);
  const logoutDoor = await openDoor((request, body) => ({ Authorization: `Bearer ${new URLSearchParams(body).get('logout_token')}` }));
  const orderDoor = await openDoor(boundQuestion);
  const issuer = await openIssuer([person(logoutDoor), machine('machine-1', keys[0]), machine('machine-2', keys[1])]);
  const tokenDoor = await openDoor(assertionOf, (request, body) => ask(issuer.port, '/token', { method: 'POST', headers: request.headers, body }));

  const service = await serve('--issuers', entries(issuer, keys), '--keys-loopback-http', '--missing-jti', 'digest', '--dpop-nonce',
    '--dpop-target', 'original');
  if (service.code !== undefined) throw new Error(`the service did not start: ${service.log()}`);
  for (const door of [loginDoor, logoutDoor, orderDoor, tokenDoor]) door.service = service.port;

  const session = await signIn(issuer, loginDoor);
  await session.browser.signOut(session.end);
  await assertNoneAgain('ID tokens', loginDoor, 1);
  await assertNoneAgain('logout tokens', logoutDoor, 1);

  const first = await grantByOpenid(issuer, tokenDoor, keys[0]);
  const second = await grantByOauth(issuer, tokenDoor, keys[1]);
  await assertNoneAgain('client assertions', tokenDoor, 2);

  await useByOpenid(orderDoor, first);
  await useByOauth(orderDoor, second);
  await useByDpop(orderDoor, second);
  await assertNoneAgain('proofs', orderDoor, 3);
  console.log(`${shownAgain} tokens and proofs of real issuers and clients were let in, and none of them once more`);
});

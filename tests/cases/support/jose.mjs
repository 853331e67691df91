// SPDX-License-Identifier: Apache-2.0
// Keys, tokens and proofs, signed by what Node itself has.
import crypto from 'node:crypto';

const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

function encode(value) {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

export function seconds() {
  return Math.floor(Date.now() / 1000);
}

// alg, and kid if it is to have one.
export function makeKey(alg, kid) {
  const pair = alg.startsWith('RS')
    ? crypto.generateKeyPairSync('rsa', { modulusLength: 2048 })
    : crypto.generateKeyPairSync('ec', { namedCurve: curves[alg] });
  const jwk = pair.publicKey.export({ format: 'jwk' });
  if (kid !== undefined) jwk.kid = kid;
  return { alg, kid, jwk, secret: pair.privateKey };
}

export function sign(key, header, payload) {
  const input = `${encode({ alg: key.alg, ...header })}.${encode(payload)}`;
  const signature = crypto.sign(`sha${key.alg.slice(2)}`, Buffer.from(input), {
    key: key.secret,
    dsaEncoding: 'ieee-p1363',
  });
  return `${input}.${signature.toString('base64url')}`;
}

// An ID token of five minutes. A claim that is undefined is left out.
export function makeToken(key, claims, header = {}) {
  const now = seconds();
  const kid = key.kid === undefined ? {} : { kid: key.kid };
  const usual = { aud: 'api', sub: 'user-1', iat: now, exp: now + 300, jti: crypto.randomUUID() };
  return sign(key, { typ: 'JWT', ...kid, ...header }, { ...usual, ...claims });
}

// RFC 7638.
export function thumbprint({ crv, kty, x, y }) {
  return crypto.createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

// An access token that is bound to a client's key, and the client's proof for one request.
export function makeBoundToken(issuerKey, clientKey, claims) {
  return makeToken(issuerKey, { ...claims, cnf: { jkt: thumbprint(clientKey.jwk) } }, { typ: 'at+jwt' });
}

export function makeProof(clientKey, token, method, url, claims = {}) {
  const { crv, kty, x, y } = clientKey.jwk;
  const ath = crypto.createHash('sha256').update(token).digest('base64url');
  return sign(
    clientKey,
    { typ: 'dpop+jwt', jwk: { crv, kty, x, y } },
    { jti: crypto.randomUUID(), htm: method, htu: url, iat: seconds(), ath, ...claims },
  );
}

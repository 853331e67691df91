// SPDX-License-Identifier: Apache-2.0
// Keys as some issuers write them: a zero byte too many or too few, padding. They are taken.
import { makeKey, makeToken } from '../support/jose.mjs';
import { ISSUER, said, serve, writeFile } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

function recode(text, change) {
  return change(Buffer.from(text, 'base64url')).toString('base64url');
}

const longer = (bytes) => Buffer.concat([Buffer.alloc(1), bytes]);

// One P-521 key in two begins with a zero byte that is easily lost.
function keyThatLosesAByte() {
  for (;;) {
    const key = makeKey('ES512', 'k');
    if (Buffer.from(key.jwk.x, 'base64url')[0] === 0) return key;
  }
}

async function tryOne(what, key, members) {
  const set = { keys: [{ ...key.jwk, ...members }, makeKey('ES256', 'another').jwk] };
  const service = await serve('--issuer', ISSUER, '--audience', 'api', '--jwks-file', writeFile(set));
  expect(what, said(await service.bearer(makeToken(key, { iss: ISSUER }))), '200 admitted');
}

run(async () => {
  const rsa = makeKey('RS256', 'k');
  const ec = makeKey('ES256', 'k');
  const short = keyThatLosesAByte();
  await tryOne('n with a zero byte in front', rsa, { n: recode(rsa.jwk.n, longer) });
  await tryOne('e with a zero byte in front', rsa, { e: recode(rsa.jwk.e, longer) });
  await tryOne('n with padding', rsa, { n: `${rsa.jwk.n}==` });
  await tryOne('x with a zero byte in front', ec, { x: recode(ec.jwk.x, longer) });
  await tryOne('x without its zero byte', short, { x: recode(short.jwk.x, (bytes) => bytes.subarray(1)) });
});

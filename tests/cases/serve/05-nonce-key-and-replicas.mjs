// SPDX-License-Identifier: Apache-2.0
// Several instances that each make nonces of their own would send every client in circles: no start.
import { makeKey } from '../support/jose.mjs';
import { ISSUER, serve, writeFile } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

run(async () => {
  const set = writeFile({ keys: [makeKey('ES256', 'k').jwk] });
  const args = ['--issuer', ISSUER, '--audience', 'api', '--jwks-file', set, '--kind', 'dpop_proof', '--dpop-nonce',
    '--store', 'redis://127.0.0.1:1?timeout=50ms'];
  const several = await serve(...args, '--instances', '2');
  expect('two instances without a key', several.code, 2);
  expect('what it says', several.log(), /dpop_nonce_key/);
  const shared = await serve(...args, '--instances', '2', '--dpop-nonce-key', '0123456789abcdef'.repeat(4));
  expect('two instances with one', shared.code, undefined);
  const single = await serve(...args);
  expect('one instance', single.code, undefined);
});

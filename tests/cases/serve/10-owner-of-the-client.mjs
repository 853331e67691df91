// SPDX-License-Identifier: Apache-2.0
// A proxy that keeps the request id of the client: the token is good for seconds, not for its life; and
// a header that every client writes is no owner header at all, and one that some client may write
// is none until the operator says that the proxy overwrites it.
import { makeKey, makeToken } from '../support/jose.mjs';
import { ISSUER, said, serve, writeFile } from '../support/service.mjs';
import { eventually, expect, run } from '../support/verdict.mjs';

run(async () => {
  const key = makeKey('ES256', 'k');
  const args = ['--issuer', ISSUER, '--audience', 'api', '--jwks-file', writeFile({ keys: [key.jwk] })];
  const service = await serve(...args, '--owner-header', 'X-Request-ID', '--owner-quiet', '1s');
  const token = makeToken(key, { iss: ISSUER });
  const show = async (id) => said(await service.bearer(token, { 'X-Request-ID': id }));
  expect('first', await show('mine'), '200 admitted');
  expect('the proxy asks again', await show('mine'), '200 admitted');
  expect('another request', await show('yours'), '403 replayed');
  expect('the same id, later', await eventually(() => show('mine'), '403 replayed', 5000), '403 replayed');
  for (const name of ['Authorization', 'DPoP', 'Cookie', 'Host', 'X-Forwarded-For'])
    expect(`owner_header ${name}`, (await serve(...args, '--owner-header', name, '--owner-header-overwritten')).code, 2);
  for (const name of ['X-Correlation-ID', 'X-API-Key', 'X-Datadog-Trace-Id'])
    expect(`owner_header ${name}`, (await serve(...args, '--owner-header', name)).code, 2);
});

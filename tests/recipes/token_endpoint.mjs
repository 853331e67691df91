// SPDX-License-Identifier: Apache-2.0
// examples/node/token_endpoint.mjs: what a client's nonce, its proofs and its assertion cost it.
import crypto from 'node:crypto';
import { tokenEndpoint } from '../../examples/node/token_endpoint.mjs';
import { Guard } from 'jtiguard';
import { seconds } from '../cases/support/jose.mjs';
import { serve, writeFile } from '../cases/support/service.mjs';
import { atEnd, expect, run } from '../cases/support/verdict.mjs';

const SECRET = 'a-secret-of-the-test-alone';

// A client that sends what was verified as it is.
const verify = {
  assertion: async (form) => { if (form.assertion === undefined) throw new Error('none'); return form.assertion; },
  proof: async (headers) => { if (headers.dpop === undefined) throw new Error('none'); return headers.dpop; },
};
const proof = (nonce) => ({ thumbprint: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', jti: crypto.randomUUID(), iat: seconds(), nonce });
const assertion = () => ({ iss: 'client-7', aud: 'https://as.example', jti: crypto.randomUUID(), iat: seconds(), exp: seconds() + 60 });
const word = ({ status, body }) => `${status} ${body.error ?? body.token_type}`;

run(async () => {
  const service = await serve('--api-secret-file', writeFile(SECRET));
  const guard = new Guard({ url: `http://127.0.0.1:${service.port}/`, secret: SECRET, deadlineMs: 20_000 });
  atEnd(() => guard.close());
  let issued = 0;
  const ask = tokenEndpoint({
    guard,
    verify,
    nonces: { isGood: (nonce) => nonce === 'n-2', fresh: () => 'n-2' },
    grant: async (form) => { if (form.scope === 'none') throw new Error(); return () => { issued += 1; return { token_type: 'DPoP' }; }; },
  });
  const mine = { assertion: assertion() };
  const without = await ask(mine, { dpop: proof() });
  expect('without a nonce', word(without), '400 use_dpop_nonce');
  expect('a scope that is none', word(await ask({ ...mine, scope: 'none' }, { dpop: proof('n-2') })), '400 invalid_request');
  const used = proof(without.headers['DPoP-Nonce']);
  const answers = await Promise.all([ask(mine, { dpop: used }), ask(mine, { dpop: used }), ask(mine, { dpop: used })]);
  expect('the same assertion with the nonce', answers.filter(({ status }) => status === 200).length, 1);
  expect('once more', word(await ask(mine, { dpop: proof('n-2') })), '401 invalid_client');
  const chosen = { assertion: { ...assertion(), owner: 'of the client', kind: 'custom' } };
  expect('with an owner of its own', word(await ask(chosen, { dpop: proof('n-2') })), '200 DPoP');
  expect('with it again', word(await ask(chosen, { dpop: proof('n-2') })), '401 invalid_client');
  const other = { assertion: assertion() };
  expect('a used proof', word(await ask(other, { dpop: used })), '401 invalid_client');
  expect('has not used up the assertion', word(await ask(other, { dpop: proof('n-2') })), '200 DPoP');
  service.child.kill('SIGKILL');
  await service.child.ended;
  expect('nobody there', word(await ask({ assertion: assertion() }, { dpop: proof('n-2') })), '503 temporarily_unavailable');
  expect('issued', issued, 3);
});

// SPDX-License-Identifier: Apache-2.0
// That our types fit those of the packages, and refuse what would admit by mistake. Only compiled.
import type { ReplayStore } from '@atproto/oauth-provider';
import type { ReplayStore as SignatureStore } from '@adcp/sdk/signing';
import { SAML } from '@node-saml/node-saml';
import express from 'express';
import Fastify from 'fastify';
import {
  Guard, Refused, UniqueStore, adcpReplayStore, atprotoReplayStore, claimsOf, expressOnce, fastifyOnce, guardSaml, samlRequests,
} from 'jtiguard';

const guard = new Guard({ socket: '/run/jtiguard/api.sock', deadlineMs: 500 });

export const proofs: ReplayStore = atprotoReplayStore(guard);
export const signatures: SignatureStore = adcpReplayStore(guard);
export const saml: SAML = guardSaml(
  new SAML({ callbackUrl: 'x', issuer: 'x', idpCert: 'x', ...samlRequests(guard, { secret: 'a secret of the test' }) }), guard,
);

Fastify().get('/', { preHandler: fastifyOnce(guard, () => claimsOf({}, { audience: 'api' })) }, async () => 'ok');
export const handler = expressOnce(guard, (request: { payload: unknown }) => claimsOf(request.payload));
export const app: unknown = express;

export async function ask(): Promise<boolean> {
  const store = new UniqueStore(guard, { kind: 'link', lifetimeMs: 60_000 });
  await store.assertUnique('x', { issuer: 'y' });
  const [decision] = await guard.admitMany([{ kind: 'custom', custom_kind: 'link', jti: 'x', lifetime: 60 }]);
  try {
    const { reservation } = await guard.reserve({ kind: 'id_token', iss: 'i', aud: 'a', jti: 'j', exp: 1 });
    return await guard.release(reservation);
  } catch (error) {
    return error instanceof Refused && error.replayed && decision?.admitted === true;
  }
}

// @ts-expect-error: a kind that is none
guard.reserve({ kind: 'id-token' });
// @ts-expect-error: nowhere to ask
new Guard();

// SPDX-License-Identifier: Apache-2.0
// node-oidc-provider: ReplayDetection as a whole. Behind its adapter a look and a write are two steps, and of two
// requests at once both pass.
import { UniqueStore, firstOrReplay } from '../unique.js';

// A DPoP proof is taken from 300 s before to 300 s after its iat.
const LIFETIME_MS = 600_000;

// lifetimeMs: of the longest client assertion too. One that ends later is refused.
export function guardOidcProvider(provider, guard, { lifetimeMs = LIFETIME_MS, kind = 'oidc-provider' } = {}) {
  if (typeof provider?.ReplayDetection?.unique !== 'function') throw new TypeError('jtiguard: this is no oidc-provider');
  if (lifetimeMs < LIFETIME_MS) throw new TypeError(`jtiguard: lifetimeMs is at least ${LIFETIME_MS}, for proofs`);
  const store = new UniqueStore(guard, { kind, lifetimeMs });
  provider.ReplayDetection.unique = (iss, jti, exp) => firstOrReplay(() => store.assertUniqueUntil(jti, exp * 1000, { issuer: iss }));
  return provider;
}

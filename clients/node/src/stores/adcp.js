// SPDX-License-Identifier: Apache-2.0
// @adcp/sdk: its ReplayStore for RFC 9421 signatures. Its first look may pass everything: insert() decides, in one step.
import { UniqueStore } from '../unique.js';

const LIFETIME_MS = 420_000; // the longest window, and its leeway on both sides
const FULL = new Set(['store_full', 'issuer_share_full']);

export function adcpReplayStore(guard, { kind = 'adcp signature' } = {}) {
  const store = new UniqueStore(guard, { kind, lifetimeMs: LIFETIME_MS });
  return {
    async has() {
      return false;
    },
    async isCapHit() {
      return false;
    },
    async insert(keyid, scope, nonce, ttlSeconds) {
      try {
        const first = await store.isUnique(nonce, { issuer: keyid, audience: scope, lifetimeMs: ttlSeconds * 1000 });
        return first ? 'ok' : 'replayed';
      } catch (error) {
        if (FULL.has(error?.reason)) return 'rate_abuse';
        throw error;
      }
    },
  };
}

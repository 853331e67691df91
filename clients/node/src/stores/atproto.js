// SPDX-License-Identifier: Apache-2.0
// @atproto/oauth-provider: its ReplayStore.
import { UniqueStore } from '../unique.js';

// It takes proofs from 190 s before to 180 s after their iat, and hands over 198 s; for a client assertion with exp
// what is left of it. None of both is accepted for longer than this.
const LIFETIME_MS = 400_000;
const DAY_MS = 86_400_000;

// timeFrameMs(namespace, timeFrame): how long a namespace is to last. Code challenges last a day and more there
// (CodeChallenge, 95040000), which is beyond the service's max_lifetime unless that is set.
export function atprotoReplayStore(guard, { kind = 'atproto', timeFrameMs = (namespace, timeFrame) => timeFrame } = {}) {
  const store = new UniqueStore(guard, { kind, lifetimeMs: LIFETIME_MS });
  return {
    async unique(namespace, nonce, timeFrame) {
      const lifetimeMs = timeFrameMs(namespace, timeFrame);
      if (!(Number.isFinite(lifetimeMs) && lifetimeMs <= 31 * DAY_MS)) throw new TypeError('jtiguard: a time frame is a number of milliseconds');
      return store.isUnique(nonce, { issuer: namespace, lifetimeMs });
    },
  };
}

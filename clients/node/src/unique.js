// SPDX-License-Identifier: Apache-2.0
// What the store interfaces of frameworks have in common: an id, perhaps whose it is, and for how long it matters.
import { within256, withinClaim } from './names.js';
import { Refused } from './refused.js';

function positive(name, ms) {
  if (!(Number.isFinite(ms) && ms > 0)) throw new TypeError(`jtiguard: ${name} is a number of milliseconds above 0`);
  return ms;
}

// kind: the name of what is remembered; all programs that are to know each other's share it.
// lifetimeMs: the longest time from the first to the last moment at which anybody accepts one. The way to the
// guard comes on top of it.
export class UniqueStore {
  #guard;
  #kind;
  #lifetimeMs;

  constructor(guard, { kind, lifetimeMs }) {
    if (guard === undefined) throw new TypeError('jtiguard: guard is missing');
    this.#guard = guard;
    this.#kind = withinClaim(kind);
    this.#lifetimeMs = positive('lifetimeMs', lifetimeMs);
  }

  get lifetimeMs() {
    return this.#lifetimeMs;
  }

  // Throws Refused unless this is the first use. lifetimeMs: of this one, where it is known to be longer.
  async assertUnique(id, { issuer, audience, lifetimeMs = 0 } = {}) {
    const lasts = Math.max(this.#lifetimeMs, lifetimeMs) + this.#guard.deadlineMs;
    return this.#guard.reserve({
      kind: 'custom',
      custom_kind: this.#kind,
      iss: issuer === undefined ? undefined : withinClaim(issuer),
      aud: audience === undefined ? undefined : withinClaim(audience),
      jti: within256(id),
      lifetime: lasts / 1000,
    });
  }

  // The same for what tells when it ends (ms since 1970): it may not be later than lifetimeMs from now.
  async assertUniqueUntil(id, endMs, scope = {}) {
    positive('the end', endMs);
    if (endMs - Date.now() > this.#lifetimeMs)
      throw new Refused({ result: 'refused', reason: 'lifetime_too_long', text: 'it ends later than lifetimeMs allows' });
    return this.assertUnique(id, scope);
  }

  // true: the first use. false: a replay. Anything else throws: a guard that cannot answer is no replay.
  async isUnique(id, scope) {
    return firstOrReplay(() => this.assertUnique(id, scope));
  }
}

export async function firstOrReplay(reserve) {
  try {
    await reserve();
    return true;
  } catch (error) {
    if (error?.name === 'Refused' && error.replayed) return false;
    throw error;
  }
}

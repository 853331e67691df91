// SPDX-License-Identifier: Apache-2.0
// @node-saml/node-saml. It removes a request's id before it has looked at audience and times, ignores what the
// removal answers, and does not remove it at all where the confirmation has no InResponseTo. So an assertion is
// guarded by its own ID, behind all checks (guardSaml); and requests need no place where they are kept: their ids
// say when they were made, and that it was here (samlRequests).
import crypto from 'node:crypto';
import { within256, withinClaim } from '../names.js';
import { Refused } from '../refused.js';
import { UniqueStore } from '../unique.js';

const REQUEST_MS = 28_800_000; // requestIdExpirationPeriodMs, as it is by default
const ID = /^_([0-9a-f]{12})([0-9a-f]{32})([0-9a-f]{32})$/;

// ---- assertions ----

function ends(assertion) {
  const found = [];
  const note = (element) => {
    const end = Date.parse(element?.$?.NotOnOrAfter);
    if (!Number.isNaN(end)) found.push(end);
  };
  note(assertion.Conditions?.[0]);
  for (const confirmation of assertion.Subject?.[0]?.SubjectConfirmation ?? []) note(confirmation.SubjectConfirmationData?.[0]);
  return found;
}

// lifetimeMs: for assertions that do not say when they end, and where acceptedClockSkewMs is -1, which takes all times.
function claimsOf({ profile, skewMs, lifetimeMs }) {
  const assertion = profile.getAssertion().Assertion;
  const made = Date.parse(assertion.$?.IssueInstant);
  const said = skewMs < 0 ? [] : ends(assertion);
  const claims = { kind: 'saml_assertion', iss: withinClaim(profile.issuer), jti: within256(assertion.$?.ID) };
  if (said.length > 0 && !Number.isNaN(made)) return { ...claims, iat: (made - skewMs) / 1000, exp: (Math.max(...said) + skewMs) / 1000 };
  if (lifetimeMs === undefined)
    throw new Refused({ result: 'refused', reason: 'missing_exp', text: 'the assertion does not say when it ends' });
  return { ...claims, lifetime: lifetimeMs / 1000 };
}

// Makes a SAML object let each assertion in once: whatever it takes, the guard is asked last. A login that ended in
// a logout message is handed on as it is.
export function guardSaml(saml, guard, { lifetimeMs } = {}) {
  if (typeof saml?.validatePostResponseAsync !== 'function') throw new TypeError('jtiguard: this is no SAML object of node-saml');
  const validate = saml.validatePostResponseAsync.bind(saml);
  saml.validatePostResponseAsync = async (container) => {
    const answer = await validate(container);
    if (answer.profile) {
      const skewMs = saml.options?.acceptedClockSkewMs ?? 0;
      await guard.reserve(claimsOf({ profile: answer.profile, skewMs, lifetimeMs }));
    }
    return answer;
  };
  return saml;
}

// ---- requests ----

function seal(secret, made, random) {
  return crypto.createHmac('sha256', secret).update(`saml request\0${made}${random}`).digest('hex').slice(0, 32);
}

function readId(secret, id) {
  const parts = ID.exec(id ?? '');
  if (parts === null) return undefined;
  const [, made, random, given] = parts;
  const ours = seal(secret, made, random);
  return crypto.timingSafeEqual(Buffer.from(given), Buffer.from(ours)) ? Number.parseInt(made, 16) : undefined;
}

// Options for node-saml: { generateUniqueId, cacheProvider, requestIdExpirationPeriodMs }. secret: the same for all
// workers and hosts, at least 16 bytes. A request's id passes until it is removed, once, anywhere.
export function samlRequests(guard, { secret, expirationMs = REQUEST_MS, kind = 'saml request' }) {
  if (!(Buffer.byteLength(secret ?? '') >= 16)) throw new TypeError('jtiguard: secret has at least 16 bytes');
  const store = new UniqueStore(guard, { kind, lifetimeMs: expirationMs });
  const madeAt = (id) => {
    const made = readId(secret, id);
    return made !== undefined && Date.now() < made + expirationMs ? made : undefined;
  };
  return {
    requestIdExpirationPeriodMs: expirationMs,
    generateUniqueId() {
      const made = Date.now().toString(16).padStart(12, '0');
      const random = crypto.randomBytes(16).toString('hex');
      return `_${made}${random}${seal(secret, made, random)}`;
    },
    cacheProvider: {
      async saveAsync(id, value) {
        const made = madeAt(id);
        if (made === undefined) throw new TypeError('jtiguard: generateUniqueId is to be samlRequests\' own');
        return { value, createdAt: made };
      },
      async getAsync(id) {
        const made = madeAt(id);
        return made === undefined ? null : new Date(made).toISOString();
      },
      // Its answer is ignored, so what is no first removal is thrown.
      async removeAsync(id) {
        if (madeAt(id) === undefined) return null;
        await store.assertUnique(id);
        return id;
      },
    },
  };
}

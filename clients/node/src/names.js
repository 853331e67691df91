// SPDX-License-Identifier: Apache-2.0
// Names that strangers make, within the bounds of the guard: what is longer, or has letters that it refuses, is
// remembered by its digest.
import crypto from 'node:crypto';

const MARK = 'sha256:';
export const JTI_BYTES = 256; // max_jti_bytes, as it is by default
export const CLAIM_BYTES = 2048;

// No other text has the name of a digest, so that no two texts share one.
export function within(text, bytes) {
  if (typeof text !== 'string' || text === '') throw new TypeError('jtiguard: a name is a text that is not empty');
  const lone = /\p{Surrogate}/u.test(text); // JSON has no way to say it that is understood everywhere
  if (!lone && !text.includes('\0') && !text.startsWith(MARK) && Buffer.byteLength(text) <= bytes) return text;
  return MARK + crypto.createHash('sha256').update(lone ? 'utf16' : 'utf8').update(text, lone ? 'utf16le' : 'utf8').digest('base64url');
}

export function within256(jti) {
  return within(jti, JTI_BYTES);
}

export function withinClaim(text) {
  return within(text, CLAIM_BYTES);
}

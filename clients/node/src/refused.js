// SPDX-License-Identifier: Apache-2.0
// Why nobody was let in.

// result: 'replayed' or 'refused'. reason: a name of the service's, or `unreachable`, `unreadable`, `unauthorized`.
// trouble: it says nothing about what was shown, for the guard could not answer. With `owner` the same may be asked
// again: what is not known settles then.
export class Refused extends Error {
  constructor({ result, reason, text, owner, reservation, trouble = false, cause }) {
    super(`${result}: ${text ?? reason}`, cause === undefined ? undefined : { cause });
    this.name = 'Refused';
    this.result = result;
    this.reason = reason;
    this.trouble = trouble;
    this.owner = owner;
    this.reservation = reservation;
  }

  get replayed() {
    return this.result === 'replayed';
  }
}

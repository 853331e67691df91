// SPDX-License-Identifier: Apache-2.0
// An authorization server's token endpoint with client assertions (RFC 7523) and DPoP nonces (RFC 9449 section 8):
// what is used once is used up last. A client whose proof lacks the nonce comes again with a new proof and, as many
// do, with the same assertion.
import { Refused } from 'jtiguard';

class Wrong extends Error {
  constructor(error, headers = {}) {
    super(error);
    this.headers = headers;
  }
}

// verify: your library's checks of signature, audience and times, which use up nothing:
//   assertion(form) -> { iss, aud, jti, iat, exp }, proof(headers) -> { thumbprint, jti, iat, nonce }; they throw.
// nonces: { isGood(nonce), fresh() }. grant(form): all other checks; a function that issues the token.
export function tokenEndpoint({ guard, verify, nonces, grant }) {
  async function answer(form, headers) {
    const assertion = await verify.assertion(form);
    const proof = await verify.proof(headers);
    if (!nonces.isGood(proof.nonce)) throw new Wrong('use_dpop_nonce', { 'DPoP-Nonce': nonces.fresh() });
    const issue = await grant(form, assertion);
    // Only now, and the proof first: it is the one that a client can make anew by itself.
    const { thumbprint, jti, iat } = proof;
    await guard.reserve({ kind: 'dpop_proof', thumbprint, jti, iat });
    const { iss, aud } = assertion; // by name: a claim `owner` of the client's is none of the guard's
    await guard.reserve({ kind: 'client_assertion', iss, aud, jti: assertion.jti, iat: assertion.iat, exp: assertion.exp });
    return issue(thumbprint);
  }

  return async (form, headers) => {
    try {
      return { status: 200, headers: {}, body: await answer(form, headers) };
    } catch (error) {
      if (error instanceof Wrong) return { status: 400, headers: error.headers, body: { error: error.message } };
      if (!(error instanceof Refused)) return { status: 400, headers: {}, body: { error: 'invalid_request' } };
      if (error.trouble) return { status: 503, headers: { 'Retry-After': '1' }, body: { error: 'temporarily_unavailable' } };
      return { status: 401, headers: {}, body: { error: 'invalid_client' } };
    }
  };
}

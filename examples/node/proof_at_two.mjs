// SPDX-License-Identifier: Apache-2.0
// A gate and the resource server behind it, which both check one DPoP proof: the gate makes an id for the request, and
// both ask with it as the owner. For the guard they are one use.
import crypto from 'node:crypto';

// verify(headers) -> { thumbprint, jti, iat } of a proof that is good but for its being used.
// pass(headers): the request, on its way to the resource server.
export function atGate({ guard, verify, pass }) {
  return async (headers) => {
    const { thumbprint, jti, iat } = await verify(headers);
    const owner = crypto.randomUUID(); // of this request, and whatever the client has sent for one is overwritten
    if (!await guard.isFirstUse({ kind: 'dpop_proof', thumbprint, jti, iat, owner })) return 401;
    return pass({ ...headers, 'x-request-id': owner });
  };
}

// Nobody but the gate reaches it, as behind every gate: who could would choose the owner.
export function atResource({ guard, verify, serve }) {
  return async (headers) => {
    const { thumbprint, jti, iat } = await verify(headers);
    if (!await guard.isFirstUse({ kind: 'dpop_proof', thumbprint, jti, iat, owner: headers['x-request-id'] })) return 401;
    return serve(headers);
  };
}

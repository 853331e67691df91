// SPDX-License-Identifier: Apache-2.0
// Express and Fastify: behind the verification of a token, before what it is for.
import { within256, withinClaim } from './names.js';

// Claims for the guard from the payload of a token that was verified.
export function claimsOf(payload, { kind = 'id_token', audience } = {}) {
  if (payload === null || typeof payload !== 'object') throw new TypeError('jtiguard: there is no verified payload');
  const { iss, aud, jti, iat, nbf, exp } = payload;
  const list = Array.isArray(aud) ? aud : [aud];
  const accepted = audience ?? (list.length === 1 ? list[0] : undefined);
  if (accepted === undefined || !list.includes(accepted)) throw new TypeError('jtiguard: audience is to be one of the token\'s');
  return { kind, iss: withinClaim(iss), aud: withinClaim(accepted), jti: within256(jti), iat, nbf, exp };
}

// What a client is told: whoever shows something twice has an invalid token; trouble is the server's.
function answerTo(error) {
  if (error?.name !== 'Refused') return undefined;
  if (error.trouble) return { status: 503, headers: { 'Retry-After': '1' }, body: { error: 'temporarily_unavailable' } };
  const headers = { 'WWW-Authenticate': 'Bearer error="invalid_token", error_description="the token was used before, or is none that can be"' };
  return { status: 401, headers, body: { error: 'invalid_token' } };
}

async function admit(request, guard, claims) {
  const given = await claims(request);
  if (given === undefined || given === null) throw new TypeError('jtiguard: claims() gave none');
  return guard.reserve(given);
}

// claims(request): of what its token verifier has left there. next() is called for a first use and for nothing else.
export function expressOnce(guard, claims) {
  return async (request, response, next) => {
    let admission;
    try {
      admission = await admit(request, guard, claims);
    } catch (error) {
      const answer = answerTo(error);
      if (answer === undefined) next(error);
      else response.status(answer.status).set(answer.headers).json(answer.body);
      return;
    }
    request.jtiguard = admission;
    next();
  };
}

// A preHandler hook.
export function fastifyOnce(guard, claims) {
  return async (request, reply) => {
    try {
      request.jtiguard = await admit(request, guard, claims);
    } catch (error) {
      const answer = answerTo(error);
      if (answer === undefined) throw error;
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    }
    return undefined;
  };
}

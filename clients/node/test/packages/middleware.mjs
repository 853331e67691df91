// SPDX-License-Identifier: Apache-2.0
// Express and Fastify: the handler runs once for each token, and never when the guard cannot answer.
import crypto from 'node:crypto';
import http from 'node:http';
import express from 'express';
import Fastify from 'fastify';
import { claimsOf, expressOnce, fastifyOnce } from 'jtiguard';
import { seconds } from './support/jose.mjs';
import { atEnd, expect, run } from './support/verdict.mjs';
import { judgeStore, listen, startService } from './service.mjs';

// What stands for a verifier of tokens: it leaves the payload with the request.
const payloadOf = (headers) => (headers.authorization === undefined ? undefined : JSON.parse(Buffer.from(headers.authorization, 'base64url')));
const claims = (request) => claimsOf(request.payload, { audience: 'api' });
let ran = 0;

async function onExpress(guard) {
  const app = express();
  app.use((request, response, next) => { request.payload = payloadOf(request.headers); next(); });
  app.get('/', expressOnce(guard, claims), (request, response) => { ran += 1; response.json(request.jtiguard); });
  app.use((error, request, response, next) => { response.status(500).json({ error: error.name }); next; });
  return listen(http.createServer(app));
}

async function onFastify(guard) {
  const app = Fastify();
  app.addHook('onRequest', async (request) => { request.payload = payloadOf(request.headers); });
  app.get('/', { preHandler: fastifyOnce(guard, claims) }, async (request) => { ran += 1; return request.jtiguard; });
  await app.listen({ port: 0, host: '127.0.0.1' });
  atEnd(() => app.close());
  return `http://127.0.0.1:${app.server.address().port}`;
}

function token(more = {}) {
  const now = seconds();
  const payload = { iss: 'https://id.example', aud: ['api', 'other'], jti: crypto.randomUUID(), iat: now, exp: now + 60, ...more };
  return Buffer.from(JSON.stringify(payload)).toString('base64url');
}

async function ask(url, authorization) {
  const answer = await fetch(url, { headers: authorization === undefined ? {} : { authorization } });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

async function judge(name, open) {
  const service = await startService();
  const url = await open(service.guard);
  const once = token();
  const first = await ask(url, once);
  expect(`${name}: let in, and can be given back`, typeof first.body.reservation.key, 'string');
  const again = await ask(url, once);
  expect(`${name}: again`, `${again.status} ${again.body.error} ${again.headers.get('www-authenticate').split(',')[0]}`, '401 invalid_token Bearer error="invalid_token"');
  expect(`${name}: expired`, (await ask(url, token({ iat: 1, exp: 2 }))).status, 401);
  expect(`${name}: without a jti`, (await ask(url, token({ jti: undefined }))).status, 500);
  expect(`${name}: for others`, (await ask(url, token({ aud: 'other' }))).status, 500);
  expect(`${name}: without a token`, (await ask(url)).status, 500);
  ran = 0;
  const shown = { letIn: 0 };
  await judgeStore(name, service, async () => {
    const one = token();
    return async () => {
      const { status } = await ask(url, one);
      shown.letIn += status === 200 ? 1 : 0;
      return status === 200;
    };
  });
  expect(`${name}: the handler ran`, ran, shown.letIn);
  const trouble = await ask(url, token());
  expect(`${name}: nobody there`, `${trouble.status} ${trouble.headers.get('retry-after')} ${trouble.body.error}`, '503 1 temporarily_unavailable');
}

run(async () => {
  await judge('express', onExpress);
  await judge('fastify', onFastify);
});

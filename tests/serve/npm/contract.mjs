// SPDX-License-Identifier: Apache-2.0
// docs/openapi.json is a document of OpenAPI 3.1, the service hands it out, and every answer that it
// documents is brought about and is as documented.
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Validator } from '@seriousme/openapi-schema-validator';
import Ajv from 'ajv/dist/2020.js';
import { makeKey, makeToken, seconds } from './support/jose.mjs';
import { startRedis, uriOf, vouch } from './support/redis.mjs';
import { ISSUER, runTool, serve, writeFile } from './support/service.mjs';
import { atEnd, expect, run } from './support/verdict.mjs';

const SECRET = 'a-secret-of-the-test-alone';
const page = fs.readFileSync(process.env.OPENAPI, 'utf8');
const document = JSON.parse(page);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jtiguard-contract-'));
atEnd(() => fs.rmSync(folder, { recursive: true, force: true }));

// The whole document is one schema, so that its references lead where they say; what of it is no schema
// counts for nothing.
const ajv = new Ajv.default({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'https://jtiguard.test/openapi', ...document, jsonSchemaDialect: undefined });

function at(...steps) {
  const pointer = steps.map((step) => encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  return `https://jtiguard.test/openapi#/${pointer}`;
}

function fits(value, ...steps) {
  const validate = ajv.getSchema(at(...steps)) ?? ajv.compile({ $ref: at(...steps) });
  return validate(value) ? '' : ajv.errorsText(validate.errors);
}

// ---- one question, and its answer held against the document ----

const seen = new Set();

function send({ socketPath, port }, route, { method, headers, body }) {
  return new Promise((resolve, reject) => {
    const place = socketPath === undefined ? { host: '127.0.0.1', port } : { socketPath };
    const request = http.request({ ...place, path: route, method, headers, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (data) => { text += data; });
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

function judgeHeaders(what, answer, documented, where) {
  for (const [name, header] of Object.entries(documented.headers ?? {})) {
    const value = answer.headers[name.toLowerCase()];
    if (value === undefined) {
      expect(`${what}: ${name} may be missing`, header.required !== true, true);
      continue;
    }
    const typed = header.schema.type === 'integer' ? Number(value) : value;
    expect(`${what}: ${name}`, fits(typed, ...where, 'headers', name, 'schema'), '');
  }
}

async function question(place, route, wanted, { method = 'POST', headers = {}, body } = {}) {
  const answer = await send(place, route, { method, headers, body });
  const operation = document.paths[route][method.toLowerCase()] ?? document.paths[route].post;
  const verb = document.paths[route][method.toLowerCase()] === undefined ? 'post' : method.toLowerCase();
  const what = `${method} ${route} ${answer.status}`;
  const documented = operation.responses[answer.status];
  expect(what, answer.status, wanted);
  if (documented === undefined) throw new Error(`${what} is not documented: ${answer.text}`);
  const where = ['paths', route, verb, 'responses', answer.status];
  seen.add(`${verb} ${route} ${answer.status}`);
  judgeHeaders(what, answer, documented, where);
  if (documented.content === undefined) {
    expect(`${what}: body`, answer.text, '');
    return undefined;
  }
  expect(`${what}: type`, answer.headers['content-type'], 'application/json');
  const value = JSON.parse(answer.text);
  expect(`${what}: ${answer.text}`, fits(value, ...where, 'content', 'application/json', 'schema'), '');
  return value;
}

// ---- what is asked ----

let tokens = 0;

function claims(more = {}) {
  tokens += 1;
  const now = seconds();
  return { kind: 'id_token', iss: ISSUER, aud: 'api', jti: `t${tokens}`, iat: now, exp: now + 60, ...more };
}

// A body that the document allows; what it forbids is refused as well (refusedFor).
function post(place, route, wanted, value, allowed = true) {
  const schema = ['paths', route, 'post', 'requestBody', 'content', 'application/json', 'schema'];
  expect(`${route} ${JSON.stringify(value)}: allowed`, fits(value, ...schema) === '', allowed);
  const secret = place.socketPath === undefined ? { Authorization: `Bearer ${SECRET}` } : {};
  return question(place, route, wanted, { headers: { 'Content-Type': 'application/json', ...secret }, body: JSON.stringify(value) });
}

async function askForOne(place) {
  const once = claims({ owner: 'request 7' });
  const { reservation } = await post(place, '/v1/reserve', 200, once);
  await post(place, '/v1/reserve', 200, once);
  await post(place, '/v1/reserve', 409, { ...once, owner: 'request 8' });
  await post(place, '/v1/reserve', 200, { kind: 'custom', custom_kind: 'link', jti: 'a', lifetime: 0.5 });
  await post(place, '/v1/reserve', 422, claims({ exp: seconds() - 1000, iat: undefined }));
  await post(place, '/v1/reserve', 422, claims({ jit: 'x' }), false);
  await post(place, '/v1/reserve', 422, claims({ exp: 'soon' }), false);
  await post(place, '/v1/reserve', 422, claims({ lifetime: 0 }), false);
  await post(place, '/v1/reserve', 422, claims({ owner: '' }), false);
  await post(place, '/v1/reserve', 422, { jti: 'x' }, false);
  await post(place, '/v1/release', 200, { reservation });
  await post(place, '/v1/release', 409, { reservation });
  await post(place, '/v1/release', 422, { reservation: { key: 'k' } }, false);
}

async function askForMany(place) {
  const used = claims();
  await post(place, '/v1/check', 200, { tokens: [used, claims()] });
  await post(place, '/v1/check', 409, { tokens: [claims(), used] });
  await post(place, '/v1/check', 422, { tokens: [claims(), used, claims({ exp: 1, iat: undefined })] });
  await post(place, '/v1/check', 422, { tokens: [] }, false);
}

async function askForChallenges(place) {
  const purpose = 'webauthn session 9f2c';
  const { challenge } = await post(place, '/v1/challenge', 200, { purpose, lifetime: 60 });
  await post(place, '/v1/challenge', 422, { purpose: '' }, false);
  await post(place, '/v1/challenge', 422, { purpose, lifetime: 86401 }, false);
  await post(place, '/v1/consume', 422, { purpose: 'another', challenge });
  await post(place, '/v1/consume', 200, { purpose, challenge });
  await post(place, '/v1/consume', 409, { purpose, challenge });
  await post(place, '/v1/consume', 422, { purpose, challenge: 7 }, false);
}

// Numbers that it has at hand are good without the store, until they are used up.
async function issueUntilRefused(place) {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${SECRET}` };
  const body = JSON.stringify({ purpose: 'many' });
  for (let count = 0; count < 5000; count += 1)
    if ((await send(place, '/v1/challenge', { method: 'POST', headers, body })).status === 503) return;
  throw new Error('it issues without a store, and does not end');
}

async function askWrongly({ port, socketPath }) {
  const json = { 'Content-Type': 'application/json' };
  for (const route of ['/v1/reserve', '/v1/check', '/v1/release', '/v1/challenge', '/v1/consume']) {
    await question({ port }, route, 401, { headers: json, body: '{}' });
    await question({ socketPath }, route, 405, { method: 'GET' });
    await question({ socketPath }, route, 413, { headers: json, body: `"${'x'.repeat(100000)}"` });
    await question({ socketPath }, route, 415, { body: '{}' });
    await question({ socketPath }, route, 422, { headers: json, body: '{"a":1,}' });
  }
}

async function askAsProxy(place, key) {
  const headers = { Authorization: `Bearer ${makeToken(key, { iss: ISSUER })}` };
  await question(place, '/check', 200, { method: 'GET', headers });
  await question(place, '/check', 403, { method: 'GET', headers });
  await question(place, '/check', 401, { method: 'GET' });
  const form = (token) => ({
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ logout_token: token }).toString(),
  });
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const logout = makeToken(key, { iss: ISSUER, events, aud: 'logout' }, { typ: 'logout+jwt' });
  await question(place, '/check', 200, form(logout));
  await question(place, '/check', 403, form(logout));
  await question(place, '/check', 401, form('none'));
}

async function askWithoutStore(place, redis) {
  const used = claims();
  const { reservation } = await post(place, '/v1/reserve', 200, used);
  const { challenge } = await post(place, '/v1/challenge', 200, { purpose: 'p' });
  redis.child.kill('SIGKILL');
  await redis.child.ended;
  await post(place, '/v1/reserve', 503, used);
  await post(place, '/v1/check', 503, { tokens: [claims({ exp: 1, iat: undefined }), used] });
  await post(place, '/v1/release', 503, { reservation });
  await post(place, '/v1/consume', 503, { purpose: 'p', challenge });
  await issueUntilRefused(place);
  await post(place, '/v1/challenge', 503, { purpose: 'p' });
}

// ---- the document ----

async function judgeDocument(admin) {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  expect(`OpenAPI: ${JSON.stringify(errors)}`, valid, true);
  const served = await admin('/openapi.json');
  expect('/openapi.json', served.status, 200);
  expect('/openapi.json: type', served.headers['content-type'], 'application/json');
  expect('/openapi.json: as in the tree', served.body, page);
  const { text } = await runTool('version');
  expect('its version', document.info.version, /\d+\.\d+\.\d+/.exec(text)[0]);
}

function judgeExamples() {
  let examples = 0;
  const walk = (value, steps) => {
    if (value === null || typeof value !== 'object') return;
    if (value.example !== undefined && value.schema !== undefined) {
      examples += 1;
      expect(`example of ${steps.join(' ')}`, fits(value.example, ...steps, 'schema'), '');
    }
    for (const [name, inner] of Object.entries(value)) if (name !== 'example') walk(inner, [...steps, name]);
  };
  walk(document.paths, ['paths']);
  expect('examples', examples > 15, true);
}

function judgeCoverage() {
  for (const [route, verbs] of Object.entries(document.paths))
    for (const [verb, { responses }] of Object.entries(verbs))
      for (const status of Object.keys(responses)) expect(`${verb} ${route} ${status} was seen`, seen.has(`${verb} ${route} ${status}`), true);
  return seen.size;
}

run(async () => {
  const key = makeKey('ES256', 'k');
  const redis = await startRedis();
  const store = uriOf(redis);
  await vouch(store);
  const socketPath = path.join(folder, 'api.sock');
  const keys = writeFile({ keys: [key.jwk] });
  const issuers = [{ issuer: ISSUER, audience: ['api'], jwks_file: keys }, { issuer: ISSUER, audience: ['logout'], kind: 'logout_token', jwks_file: keys }];
  const service = await serve('--issuers', JSON.stringify(issuers), '--store', store, '--api-listen', `unix:${socketPath}`,
    '--api-secret-file', writeFile(SECRET), '--form-field', 'logout_token');
  if (service.code !== undefined) throw new Error(service.log());
  const quiet = await serve('--api-listen', `unix:${socketPath}.open`);
  if (quiet.code !== undefined) throw new Error(quiet.log());

  await judgeDocument(service.admin);
  judgeExamples();
  await askForOne({ port: service.port });
  await askForChallenges({ port: service.port });
  await askForMany({ socketPath: `${socketPath}.open` });
  await askWrongly({ port: service.port, socketPath: `${socketPath}.open` });
  await askAsProxy({ port: service.port }, key);
  await askWithoutStore({ port: service.port }, redis);
  console.log(`${judgeCoverage()} documented answers were brought about, and are as documented`);
});

// SPDX-License-Identifier: Apache-2.0
// The tool as a process, the service among its commands, and issuers that it fetches keys from.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { atEnd, pause } from './verdict.mjs';

export const ISSUER = 'https://id.example.com';

export const tool = process.env.JTIGUARD;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jtiguard-case-'));
atEnd(() => fs.rmSync(folder, { recursive: true, force: true }));

let files = 0;

export function writeFile(content) {
  files += 1;
  const name = path.join(folder, `file-${files}`);
  fs.writeFileSync(name, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
  return name;
}

// Ends with the case, whatever becomes of that.
export function start(program, args, options = {}) {
  const child = spawn(program, args, options);
  child.text = '';
  child.stdout?.on('data', (data) => { child.text += data; });
  child.stderr?.on('data', (data) => { child.text += data; });
  child.ended = new Promise((resolve) => child.on('close', (code) => resolve(code)));
  child.running = true;
  child.ended.then(() => { child.running = false; });
  atEnd(() => {
    if (child.running) child.kill('SIGKILL');
    return child.ended;
  });
  return child;
}

// A command of the tool to its end: its exit code, and all that it said.
export async function runTool(...args) {
  const child = start(tool, args);
  const code = await child.ended;
  return { code, text: child.text };
}

// The tool with lines of claims to judge, one at a time.
export function startCheck(...args) {
  return startCheckBy(tool, ...args);
}

export function startCheckBy(program, ...args) {
  const child = start(program, ['check', '--json', ...args]);
  let asked = 0;
  return {
    child,
    async judge(claims) {
      asked += 1;
      child.stdin.write(`${JSON.stringify(claims)}\n`);
      const mine = () => child.text.split('\n').find((line) => line.includes(`"line":${asked},`));
      for (let i = 0; i < 600 && child.running && mine() === undefined; i += 1) await pause(25);
      const line = mine();
      return line === undefined ? `no answer: ${child.text}` : JSON.parse(line).reason;
    },
  };
}

export function ask(port, pathOf, { method = 'GET', headers = {}, body, agent = false } = {}) {
  return new Promise((resolve) => {
    const request = http.request({ host: '127.0.0.1', port, path: pathOf, method, headers, agent });
    request.on('error', (error) => resolve({ status: 0, reason: error.code, headers: {}, body: '' }));
    request.on('response', (answer) => {
      let text = '';
      answer.on('data', (data) => { text += data; });
      answer.on('end', () => resolve({
        status: answer.statusCode, reason: answer.headers['x-jti-reason'], headers: answer.headers, body: text,
      }));
    });
    request.end(body);
  });
}

// What came, in a word or two.
export function said(answer) {
  return `${answer.status} ${answer.reason ?? ''}`.trim();
}

// Not that of this machine.
process.env.JTIGUARD_STORE ??= 'memory';

// The service on ports of its own. When it does not start, `code` says with what it ended.
export async function serve(...args) {
  const child = start(tool, ['serve', '--listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0', ...args]);
  const started = () => / started .*[ "]listen="?127\.0\.0\.1:(\d+).*admin_listen="?127\.0\.0\.1:(\d+)/.exec(child.text);
  for (let i = 0; i < 800 && child.running && started() === null; i += 1) await pause(25);
  const ports = started();
  const service = {
    child,
    port: ports === null ? undefined : Number(ports[1]),
    code: ports === null ? await child.ended : undefined,
    log: () => child.text,
    check: (headers, method = 'GET') => ask(Number(ports[1]), '/check', { method, headers }),
    admin: (pathOf, headers = {}) => ask(Number(ports[2]), pathOf, { headers }),
  };
  service.bearer = (token, more = {}) => service.check({ Authorization: `Bearer ${token}`, ...more });
  return service;
}

// An issuer with discovery, whose key set is what `keySet` gives: an object, a text, or
// { status, headers, text }.
export async function openIssuer(keySet) {
  const issuer = { fetches: 0 };
  const server = http.createServer((request, response) => {
    let answer = { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` };
    if (request.url === '/keys') {
      issuer.fetches += 1;
      answer = keySet();
    }
    const { status = 200, headers = {}, text } = answer.status === undefined ? { text: answer } : answer;
    response.writeHead(status, headers);
    response.end(typeof text === 'string' ? text : JSON.stringify(text));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer.url = `http://127.0.0.1:${server.address().port}`;
  atEnd(() => { server.close(); server.closeAllConnections(); });
  return issuer;
}

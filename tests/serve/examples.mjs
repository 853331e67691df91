// SPDX-License-Identifier: Apache-2.0
// What docs/serve.md shows to ask the API with: each program as it stands there, but for its places. It admits
// an id once, and none when nobody answers or the answer is no answer.
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { serve, start, writeFile } from '../cases/support/service.mjs';
import { atEnd, expect, run, skip } from '../cases/support/verdict.mjs';

const SECRET = 'a-secret-of-the-test-alone';
const page = fs.readFileSync(process.env.SERVE_PAGE, 'utf8');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jtiguard-examples-'));
atEnd(() => fs.rmSync(folder, { recursive: true, force: true }));

const languages = [
  { name: 'api-curl', file: 'once.sh', by: 'sh' },
  { name: 'api-python', file: 'once.py', by: 'python3' },
  { name: 'api-node', file: 'once.mjs', by: process.execPath },
];

function programOf(name) {
  const found = new RegExp(`<!-- tested: ${name} -->\n\`\`\`\\w+\n(.*?)\`\`\``, 's').exec(page);
  if (found === null) throw new Error(`docs/serve.md has no ${name}`);
  return found[1];
}

function place(language, socketPath, port) {
  const text = programOf(language.name).replaceAll('/run/jtiguard/api.sock', socketPath).replaceAll('127.0.0.1:9870', `127.0.0.1:${port}`);
  const file = path.join(folder, language.file);
  fs.writeFileSync(file, text);
  return async (id) => start(language.by, [file, id], { env: { ...process.env, JTIGUARD_API_SECRET: SECRET } }).ended;
}

async function isThere(program) {
  const child = start(program, ['--version']);
  child.on('error', () => {});
  return await child.ended === 0;
}

// What stands where the service should: it answers, and never that anything was admitted.
async function openStranger(answer) {
  const server = http.createServer((request, response) => answer(response));
  const socketPath = path.join(folder, `stranger-${crypto.randomUUID().slice(0, 8)}.sock`);
  await new Promise((resolve) => server.listen(socketPath, resolve));
  const tcp = http.createServer((request, response) => answer(response));
  await new Promise((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  atEnd(() => { for (const one of [server, tcp]) { one.close(); one.closeAllConnections(); } });
  return { socketPath, port: tcp.address().port };
}

const strangers = {
  'an error': (response) => { response.statusCode = 500; response.end('{"result":"admitted"}'); },
  'trouble': (response) => { response.statusCode = 503; response.end('{"result":"refused"}'); },
  'half an answer': (response) => { response.writeHead(200, { 'Content-Length': 100 }); response.write('{'); response.socket.end(); },
};

run(async () => {
  for (const program of ['curl', 'python3']) if (!await isThere(program)) await skip(`there is no ${program}`);
  const socketPath = path.join(folder, 'api.sock');
  const networked = await serve('--api-secret-file', writeFile(SECRET));
  const local = await serve('--api-listen', `unix:${socketPath}`);
  for (const service of [networked, local]) if (service.code !== undefined) throw new Error(service.log());
  for (const language of languages) {
    const once = place(language, socketPath, networked.port);
    const id = crypto.randomUUID();
    expect(`${language.name}: the first time`, await once(id), 0);
    expect(`${language.name}: once more`, await once(id) !== 0, true);
    expect(`${language.name}: another`, await once(crypto.randomUUID()), 0);
  }
  for (const [what, answer] of Object.entries(strangers)) {
    const stranger = await openStranger(answer);
    for (const language of languages) {
      const once = place(language, stranger.socketPath, stranger.port);
      expect(`${language.name}: ${what}`, await once('x') !== 0, true);
    }
  }
  for (const service of [networked, local]) { service.child.kill('SIGTERM'); await service.child.ended; }
  for (const language of languages) {
    const once = place(language, socketPath, networked.port);
    expect(`${language.name}: nobody there`, await once(crypto.randomUUID()) !== 0, true);
  }
});

// SPDX-License-Identifier: Apache-2.0
// examples/prosody in Prosody itself: logins with tokens of a web application. PROSODY names another program than that
// of the path. 77: there is none.
import crypto from 'node:crypto';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { seconds } from '../cases/support/jose.mjs';
import { serve, start, writeFile } from '../cases/support/service.mjs';
import { atEnd, expect, pause, run, skip } from '../cases/support/verdict.mjs';

const SECRET = 'a-secret-of-the-test-alone';
const KEY = crypto.randomBytes(32).toString('hex');
const EXAMPLES = fs.realpathSync(new URL('../../examples/prosody', import.meta.url));
const folder = fs.mkdtempSync(path.join(process.env.PROSODY_FOLDER ?? os.tmpdir(), 'jtiguard-prosody-'));
atEnd(() => fs.rmSync(folder, { recursive: true, force: true }));

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function makeToken(more = {}, key = KEY) {
  const claims = { iss: 'https://app.example', aud: 'chat.example', sub: 'ada', jti: crypto.randomUUID(), iat: seconds(), exp: seconds() + 60, ...more };
  const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${input}.${crypto.createHmac('sha256', key).update(input).digest('base64url')}`;
}

async function startProsody(program, service, port) {
  const config = path.join(folder, 'prosody.cfg.lua');
  const modules = path.join(folder, 'modules');
  fs.cpSync(EXAMPLES, modules, { recursive: true });
  fs.writeFileSync(config, `
data_path = "${folder}"
pidfile = "${folder}/pid"
run_as_root = true
daemonize = false
plugin_paths = { "${modules}" }
log = { info = "*console" }
modules_enabled = { "saslauth" }
modules_disabled = { "s2s", "tls", "offline", "posix_never" }
c2s_ports = { ${port} }
c2s_interfaces = { "127.0.0.1" }
c2s_direct_tls_ports = {}
s2s_ports = {}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true -- a test on the loopback; else over TLS
VirtualHost "chat.example"
    authentication = "jtiguard"
    jtiguard_key = "${KEY}"
    jtiguard_issuer = "https://app.example"
    jtiguard_url = "http://127.0.0.1:${service.port}"
    jtiguard_secret = "${SECRET}"
`);
  const prosody = start(program, ['--config', config, '-F']);
  for (let i = 0; i < 1200 && prosody.running && !(await open(port).catch(() => false)); i += 1) await pause(25);
  return prosody;
}

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', reject);
  }).then((socket) => { atEnd(() => socket.destroy()); return socket; });
}

// success, failure, or what else came.
async function logIn(port, username, token) {
  const socket = await open(port);
  let text = '';
  socket.on('data', (data) => { text += data; });
  const until = async (pattern) => {
    for (let i = 0; i < 3000 && !pattern.test(text); i += 1) await pause(10);
    const [found] = pattern.exec(text) ?? [text];
    text = '';
    return found;
  };
  socket.write('<?xml version="1.0"?><stream:stream to="chat.example" version="1.0" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">');
  await until(/<\/stream:features>/);
  const plain = Buffer.from(`\0${username}\0${token}`).toString('base64');
  socket.write(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${plain}</auth>`);
  const found = await until(/<(success|failure)\b/);
  socket.destroy();
  return found.slice(1);
}

run(async () => {
  const program = process.env.PROSODY ?? 'prosody';
  if (spawnSync('which', [program]).status !== 0) await skip('no Prosody');
  const service = await serve('--api-secret-file', writeFile(SECRET));
  const port = await freePort();
  const prosody = await startProsody(program, service, port);
  if (!prosody.running) throw new Error(prosody.text);
  const token = makeToken();
  const four = await Promise.all([1, 2, 3, 4].map(() => logIn(port, 'ada', token)));
  expect('a token, four times at once', four.filter((one) => one === 'success').length, 1);
  expect('the others', four.filter((one) => one === 'failure').length, 3);
  expect('another token', await logIn(port, 'ada', makeToken()), 'success');
  const hers = makeToken();
  expect('of somebody else', await logIn(port, 'eve', hers), 'failure');
  expect('has not been used up', await logIn(port, 'ada', hers), 'success');
  expect('for another host', await logIn(port, 'ada', makeToken({ aud: 'other.example' })), 'failure');
  expect('ended', await logIn(port, 'ada', makeToken({ iat: 1, exp: 2 })), 'failure');
  expect('without a jti', await logIn(port, 'ada', makeToken({ jti: undefined })), 'failure');
  expect('by another key', await logIn(port, 'ada', makeToken({}, crypto.randomBytes(32).toString('hex'))), 'failure');
  service.child.kill('SIGKILL');
  await service.child.ended;
  expect('nobody there', await logIn(port, 'ada', makeToken()), 'failure');
  if (process.env.SHOW !== undefined) console.log(prosody.text);
});

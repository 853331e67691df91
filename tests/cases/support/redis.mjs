// SPDX-License-Identifier: Apache-2.0
// Redis servers of a case's own, what stands between them and the tool, and the tool's claims for them.
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { runTool, start, startCheck } from './service.mjs';
import { atEnd, eventually, pause, skip } from './verdict.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jtiguard-redis-'));
atEnd(() => fs.rmSync(folder, { recursive: true, force: true }));

const taken = new Set();

// One that a Cluster's bus can have its own beside, ten thousand above.
export async function freePort(host = '127.0.0.1') {
  for (;;) {
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, host, resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (port < 50000 && !taken.has(port) && taken.add(port)) return port;
  }
}

// One command; the server's answer as redis-cli shows it.
export async function tell({ host = '127.0.0.1', port, login }, ...words) {
  const who = login === undefined ? [] : ['--no-auth-warning', '-a', login];
  const child = start('redis-cli', ['-h', host, '-p', String(port), ...who, ...words.map(String)]);
  child.on('error', () => {});
  await child.ended;
  return child.text;
}

export async function startRedis(...args) {
  const server = { host: '127.0.0.1', port: await freePort() };
  for (let i = 0; i + 1 < args.length; i += 1) if (args[i] === '--bind') server.host = args[i + 1];
  for (let i = 0; i + 1 < args.length; i += 1) if (args[i] === '--port') server.port = Number(args[i + 1]);
  server.child = start('redis-server', ['--port', String(server.port), '--bind', server.host, '--save', '',
    '--dir', folder, '--dbfilename', `${server.port}.rdb`, ...args]);
  server.child.on('error', () => {});
  await eventually(async () => /PONG|NOAUTH/.test(await tell(server, 'PING')), true);
  if (!server.child.running) await skip(`redis-server did not start: ${server.child.text.slice(-200)}`);
  return server;
}

export function uriOf(server, query = '') {
  return `redis://${server.host}:${server.port}${query}`;
}

export async function vouch(uri) {
  return runTool('vouch', '--store', uri, '--yes');
}

// ---- what stands between ----

// A place that leads to a server, and can lead to another, or swallow what comes; with others it leads each
// connection to the next of them.
export async function openForwarder(target, { others = [] } = {}) {
  const forwarder = { host: '127.0.0.1', target };
  const pairs = new Set();
  const turns = [...others, target];
  const server = net.createServer((near) => {
    if (others.length > 0) { forwarder.target = turns.shift(); turns.push(forwarder.target); }
    const far = net.connect(forwarder.target.port, forwarder.target.host);
    const pair = { near, far, mute: false };
    pairs.add(pair);
    near.on('data', (data) => { if (!pair.mute) far.write(data); });
    far.on('data', (data) => { if (!pair.mute) near.write(data); });
    const end = () => { pairs.delete(pair); near.destroy(); far.destroy(); };
    for (const socket of [near, far]) socket.on('error', end).on('close', () => { if (!pair.mute) end(); });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  forwarder.port = server.address().port;
  const cut = () => { for (const { near, far } of pairs) { near.destroy(); far.destroy(); } };
  forwarder.cut = cut;
  forwarder.leadTo = (other) => { forwarder.target = other; cut(); };
  // What is connected now is never heard of again; who connects anew is served.
  forwarder.forgetAll = () => { for (const pair of pairs) pair.mute = true; };
  atEnd(() => { server.close(); cut(); });
  return forwarder;
}

// ---- names ----

// The tool where its names are those of a file, which may change: in a mount namespace of its own.
export async function withNames() {
  const file = path.join(folder, 'hosts');
  const set = (lines) => fs.writeFileSync(file, `127.0.0.1 localhost\n${lines.join('\n')}\n`);
  set([]);
  // An ordinary user has the right to mount in a namespace of users of his own only.
  const own = process.getuid() === 0 ? ['--mount'] : ['--map-root-user', '--mount'];
  const probe = start('unshare', [...own, 'mount', '--bind', file, '/etc/hosts']);
  probe.on('error', () => {});
  if (await probe.ended !== 0) await skip('no mount namespace may be made here');
  const wrapper = path.join(folder, 'with-names');
  fs.writeFileSync(wrapper, `#!/bin/sh\nexec unshare ${own.join(' ')} sh -c 'mount --bind ${file} /etc/hosts && exec "$0" "$@"' "${process.env.JTIGUARD}" "$@"\n`, { mode: 0o700 });
  return { set, wrapper };
}

// ---- tokens ----

export function claims(jti = crypto.randomUUID(), issuedAgo = 0) {
  const now = Math.floor(Date.now() / 1000) - issuedAgo;
  return { iss: 'https://id.example.com', aud: 'api', sub: 'user-1', jti, iat: now, exp: now + 300 };
}

// One process that judges; its clocks agree with the servers', so that a loss is over in a second.
export function judgeOn(uri, ...more) {
  return startCheck('--margin', '1s', '--future-leeway', '0s', '--store', uri, ...more);
}

// The same with the usual margin, for a store that is slow to mark: a wait beyond the margin is no answer.
export function judgePatientlyOn(uri) {
  return startCheck('--store', uri);
}

// New tokens until one passes, which is the one that is given back.
export async function firstThatPasses(judge) {
  let token;
  const passes = async () => {
    token = claims();
    return judge.judge(token);
  };
  const reason = await eventually(passes, 'admitted');
  return reason === 'admitted' ? token : undefined;
}

// ---- a Cluster ----

const SLOTS = 16384;

async function nodeOf(index, args) {
  const node = await startRedis('--cluster-enabled', 'yes', '--cluster-node-timeout', '2000',
    '--cluster-config-file', `nodes-${taken.size}-${index}.conf`, ...args);
  node.index = index;
  return node;
}

// nodes: how many primaries; owner(slot): which of them holds it; args: for each server.
export async function startCluster(nodes, { owner = (slot) => Math.floor((slot * nodes) / SLOTS), args = [] } = {}) {
  const all = [];
  for (let i = 0; i < nodes; i += 1) all.push(await nodeOf(i, args));
  for (const node of all) {
    const slots = Array.from({ length: SLOTS }, (_, slot) => slot).filter((slot) => owner(slot) === node.index);
    await tell(node, 'CLUSTER', 'ADDSLOTS', ...slots);
    await tell(node, 'CLUSTER', 'SET-CONFIG-EPOCH', node.index + 1);
    if (node.index > 0) await tell(node, 'CLUSTER', 'MEET', all[0].host, all[0].port);
  }
  for (const node of all) {
    const ready = async () => {
      const info = await tell(node, 'CLUSTER', 'INFO');
      return info.includes('cluster_state:ok') && info.includes(`cluster_size:${nodes}`);
    };
    if (!await eventually(ready, true, 30000)) await skip('the Cluster did not form');
  }
  return all;
}

export function clusterUri(nodes, query = '') {
  return `redis+cluster://${nodes.map(({ host, port }) => `${host}:${port}`).join(',')}${query}`;
}

export { pause };

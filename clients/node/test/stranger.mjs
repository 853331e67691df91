// SPDX-License-Identifier: Apache-2.0
// A service that says what a test has it say: each question is answered by the next of `answers`, the last one for
// all that follow.
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

export function ownerInHex(owner) {
  return crypto.createHash('sha256').update(`jtiguard owner 1\0${owner}`).digest('hex').slice(0, 32);
}

export function admitted(owner) {
  return { result: 'admitted', reason: 'admitted', text: 'first use', ttl_ms: 1000, reservation: { key: 'k', owner: ownerInHex(owner) } };
}

export const replayed = { result: 'replayed', reason: 'replayed', text: 'used before' };
export const unknown = { result: 'refused', reason: 'outcome_unknown', text: 'unknown' };

export function answer(status, value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return (socket) => socket.write(`HTTP/1.1 ${status} X\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

// What admits whoever asks, by his own owner, and a group as well.
export const admit = (socket, { body }) => answer(200, body.tokens === undefined
  ? admitted(body.owner) : { results: body.tokens.map(({ owner }) => admitted(owner)) })(socket);
export const hangUp = (socket) => socket.destroy();
export const sayNothing = () => {};

function read(text) {
  const [head, ...rest] = text.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
  if (Buffer.byteLength(body) < length) return undefined;
  return { head, route: head.split(' ')[1], body: JSON.parse(body) };
}

export async function openStranger(test, ...answers) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jtiguard-stranger-'));
  const stranger = { socket: path.join(folder, 's.sock'), questions: [], connections: 0 };
  const sockets = new Set();
  const server = net.createServer((socket) => {
    let text = '';
    stranger.connections += 1;
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      text += data;
      const question = text.includes('\r\n\r\n') ? read(text) : undefined;
      if (question === undefined) return;
      text = '';
      stranger.questions.push(question);
      (answers.length > 1 ? answers.shift() : answers[0])(socket, question);
    });
  });
  await new Promise((resolve) => server.listen(stranger.socket, resolve));
  stranger.sockets = sockets;
  test.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return stranger;
}

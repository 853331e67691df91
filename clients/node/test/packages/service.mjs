// SPDX-License-Identifier: Apache-2.0
// The service on a unix socket of its own, and what each store is put to: four at once, and nobody there.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Guard } from 'jtiguard';
import { serve } from './support/service.mjs';
import { atEnd, expect } from './support/verdict.mjs';

globalThis.crypto ??= crypto.webcrypto; // Node 18

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jtiguard-packages-'));
atEnd(() => fs.rmSync(folder, { recursive: true, force: true }));
let services = 0;

export async function startService(...args) {
  services += 1;
  const socket = path.join(folder, `${services}.sock`);
  const service = await serve('--api-listen', `unix:${socket}`, ...args);
  if (service.code !== undefined) throw new Error(service.log());
  const guard = new Guard({ socket, deadlineMs: 1000 });
  atEnd(() => guard.close());
  const stop = async () => { service.child.kill('SIGKILL'); await service.child.ended; };
  return { socket, guard, stop, log: service.log };
}

// show(): whether that was let in. Of four at once one is.
export async function expectOnce(what, show) {
  const answers = await Promise.all([show(), show(), show(), show()]);
  expect(`${what}: let in, of four at once`, answers.filter((one) => one === true).length, 1);
  expect(`${what}: once more`, await show(), false);
}

// make(): one that has never been shown, as a show().
export async function judgeStore(what, service, make) {
  await expectOnce(what, await make());
  await expectOnce(`${what}, another`, await make());
  const early = await make();
  await service.stop();
  expect(`${what}: nobody there`, await early(), false);
  expect(`${what}: nobody there, another`, await (await make())(), false);
}

// What an answer of a promise means: it resolved, or it was refused.
export function letIn(promise) {
  return promise.then(() => true, () => false);
}

export async function listen(server, ...where) {
  await new Promise((resolve) => server.listen(...(where.length > 0 ? where : [0, '127.0.0.1']), resolve));
  atEnd(() => { server.close(); server.closeAllConnections(); });
  return `http://127.0.0.1:${server.address().port}`;
}

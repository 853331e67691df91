// SPDX-License-Identifier: Apache-2.0
// crowd.mjs PACKAGE|all [COUNT]: what a package takes once (crowd_packages.mjs), COUNT of them, each shown by four
// processes that have the package with our store: each is let in once. Then the guard is gone, and none is.
import { fork } from 'node:child_process';
import process from 'node:process';
import { packages } from './crowd_packages.mjs';
import { expect, run } from './support/verdict.mjs';
import { startService } from './service.mjs';

const WORKERS = 4;
const LATER = 100; // shown when nobody is there
const COUNT = Number(process.argv[3] ?? 10_000);

function startWorker(name, socket, context) {
  const child = fork(new URL('./crowd_worker.mjs', import.meta.url), [name, socket]);
  const said = (message) => new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', () => reject(new Error(`${name}: a worker ended`)));
    child.send(message);
  });
  return { child, said, begin: () => said({ context }) };
}

async function judge(name) {
  const service = await startService();
  const { context, make } = await packages[name].prepare(service.guard);
  const items = [];
  while (items.length < COUNT + LATER) items.push(await make());
  const workers = Array.from({ length: WORKERS }, () => startWorker(name, service.socket, context));
  await Promise.all(workers.map((worker) => worker.begin()));
  const began = performance.now();
  const answers = await Promise.all(workers.map((worker, index) => {
    const from = Math.floor((index * COUNT) / WORKERS);
    return worker.said({ items: [...items.slice(from, COUNT), ...items.slice(0, from)], from, of: COUNT });
  }));
  const seconds = (performance.now() - began) / 1000;
  const times = new Array(COUNT).fill(0);
  for (const { letIn } of answers) for (const i of letIn) times[i] += 1;
  expect(`${name}: let in once`, times.filter((n) => n === 1).length, COUNT);
  expect(`${name}: let in twice`, times.filter((n) => n > 1).length, 0);
  await service.stop();
  const gone = await Promise.all(workers.map((worker) => worker.said({ items: items.slice(COUNT), from: 0, of: LATER })));
  expect(`${name}: nobody there, let in`, gone.reduce((sum, { letIn }) => sum + letIn.length, 0), 0);
  for (const { child } of workers) child.kill();
  console.log(`${name}: ${COUNT} shown ${WORKERS} times by as many processes: ${times.filter((n) => n === 1).length} let in once, ${times.filter((n) => n > 1).length} twice, in ${seconds.toFixed(1)} s; nobody there: 0 of ${LATER * WORKERS}`);
}

run(async () => {
  const name = process.argv[2] ?? 'all';
  for (const one of name === 'all' ? Object.keys(packages) : [name]) await judge(one);
});

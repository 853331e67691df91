// SPDX-License-Identifier: Apache-2.0
// workers.mjs [COUNT]: tokens that are each shown four times, by four processes of Node on one guard; each is let in
// once. And then the guard is gone, and none is.
import { fork } from 'node:child_process';
import process from 'node:process';
import { UniqueStore } from 'jtiguard';
import { expect, run } from './support/verdict.mjs';
import { startService } from './service.mjs';

const COUNT = Number(process.argv[2] ?? 10_000);
const WORKERS = 4;

function startWorker(index, socket) {
  const child = fork(new URL('./worker.mjs', import.meta.url), [String(index), socket]);
  const next = () => new Promise((resolve) => child.once('message', resolve));
  return { child, show: (from, count) => { child.send({ from, count }); return next(); } };
}

run(async () => {
  const service = await startService();
  const store = new UniqueStore(service.guard, { kind: 'worker', lifetimeMs: 60_000 });
  await store.assertUnique('ready');
  const workers = Array.from({ length: WORKERS }, (_, i) => startWorker(i, service.socket));
  const began = performance.now();
  const answers = await Promise.all(workers.map(({ show }) => show(0, COUNT)));
  const seconds = (performance.now() - began) / 1000;
  const times = new Array(COUNT).fill(0);
  for (const { letIn } of answers) for (const i of letIn) times[i] += 1;
  expect('let in once', times.filter((n) => n === 1).length, COUNT);
  expect('let in twice', times.filter((n) => n > 1).length, 0);
  expect('replayed', answers.reduce((sum, { replayed }) => sum + replayed, 0), COUNT * (WORKERS - 1));
  await service.stop();
  const gone = await Promise.all(workers.map(({ show }) => show(COUNT, 200)));
  expect('let in by nobody', gone.reduce((sum, { letIn }) => sum + letIn.length, 0), 0);
  for (const { child } of workers) child.disconnect();
  console.log(`${COUNT} tokens, each shown ${WORKERS} times by as many processes, were let in once, in ${seconds.toFixed(1)} s`);
});

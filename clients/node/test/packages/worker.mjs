// SPDX-License-Identifier: Apache-2.0
// One process of workers.mjs: it shows every token, beginning at a place of its own.
import process from 'node:process';
import { Guard, UniqueStore } from 'jtiguard';

const [index, socket] = process.argv.slice(2);
const guard = new Guard({ socket, deadlineMs: 20_000 });
const store = new UniqueStore(guard, { kind: 'worker', lifetimeMs: 60_000 });
const AT_ONCE = 32;

process.on('message', async ({ from, count }) => {
  const answer = { letIn: [], replayed: 0, others: 0 };
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < count) {
      const i = from + ((next + Number(index)) % count);
      next += 1;
      try {
        if (await store.isUnique(`token ${i}`)) answer.letIn.push(i);
        else answer.replayed += 1;
      } catch {
        answer.others += 1;
      }
    }
  }));
  process.send(answer);
});
process.on('disconnect', () => guard.close());

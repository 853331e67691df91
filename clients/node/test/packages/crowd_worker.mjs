// SPDX-License-Identifier: Apache-2.0
// One process of crowd.mjs.
import process from 'node:process';
import { Guard } from 'jtiguard';
import { packages } from './crowd_packages.mjs';

const [name, socket] = process.argv.slice(2);
const guard = new Guard({ socket, deadlineMs: 20_000 });
const AT_ONCE = 16;
let show;

async function showAll({ items, from, of }) {
  const letIn = [];
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < items.length) {
      const i = next;
      next += 1;
      if (await show(items[i])) letIn.push((from + i) % of);
    }
  }));
  return { letIn };
}

process.on('message', async (message) => {
  if (message.items !== undefined) process.send(await showAll(message));
  else {
    show = await packages[name].open(guard, message.context);
    process.send('open');
  }
});
process.on('disconnect', () => process.exit());

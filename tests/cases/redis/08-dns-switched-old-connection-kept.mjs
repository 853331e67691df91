// SPDX-License-Identifier: Apache-2.0
// A name leads to another server, and the old one lives on: a process that is connected leaves it too.
import { claims, freePort, startRedis, vouch, withNames } from '../support/redis.mjs';
import { startCheckBy } from '../support/service.mjs';
import { eventually, expect, run } from '../support/verdict.mjs';

const NAME = 'store.example';

run(async () => {
  const names = await withNames();
  const port = String(await freePort('0.0.0.0'));
  const old = await startRedis('--bind', '127.0.0.11', '--port', port);
  const fresh = await startRedis('--bind', '127.0.0.12', '--port', port);
  await vouch(`redis://127.0.0.11:${port}`);
  await vouch(`redis://127.0.0.12:${port}`);
  names.set([`${old.host} ${NAME}`]);
  // Looked up again once a second, and not only every five minutes.
  const uri = `redis://${NAME}:${port}?max_age=1s`;
  const judge = startCheckBy(names.wrapper, '--margin', '1s', '--future-leeway', '0s', '--store', uri);
  expect('on the old server', await judge.judge(claims()), 'admitted');
  names.set([`${fresh.host} ${NAME}`]);
  const leaves = () => judge.judge(claims()).then((reason) => reason === 'continuity_lost');
  // It asks for what was used on the server that it left: a loss, at first.
  expect('notices', await eventually(leaves, true, 60000), true);
  const another = startCheckBy(names.wrapper, '--margin', '1s', '--future-leeway', '0s', '--store', uri);
  let token;
  const passes = () => { token = claims(); return another.judge(token); };
  expect('another process', await eventually(passes, 'admitted'), 'admitted');
  expect('the same token at the first', await judge.judge(token), 'replayed');
});

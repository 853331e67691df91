// SPDX-License-Identifier: Apache-2.0
// A name with several addresses, of which the first is a replica: the primary among them is found.
import { claims, freePort, startRedis, vouch, withNames } from '../support/redis.mjs';
import { startCheckBy } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

const NAME = 'headless.example';

run(async () => {
  const names = await withNames();
  const port = String(await freePort('0.0.0.0'));
  const primary = await startRedis('--bind', '127.0.0.12', '--port', port);
  for (const host of ['127.0.0.11', '127.0.0.13'])
    await startRedis('--bind', host, '--port', port, '--replicaof', primary.host, port);
  names.set(['127.0.0.11', '127.0.0.12', '127.0.0.13'].map((host) => `${host} ${NAME}`));
  await vouch(`redis://127.0.0.12:${port}`);
  const judge = startCheckBy(names.wrapper, '--store', `redis://${NAME}:${port}`);
  const token = claims();
  expect('first', await judge.judge(token), 'admitted');
  expect('again', await judge.judge(token), 'replayed');
});

// SPDX-License-Identifier: Apache-2.0
// A connection of which something on the way has forgotten: no token pays for finding that out.
import { claims, judgeOn, openForwarder, startRedis, uriOf, vouch } from '../support/redis.mjs';
import { expect, pause, run } from '../support/verdict.mjs';

run(async () => {
  const server = await startRedis();
  await vouch(uriOf(server));
  const forwarder = await openForwarder(server);
  const judge = judgeOn(uriOf(forwarder, '?timeout=1s'));
  expect('before', await judge.judge(claims()), 'admitted');
  forwarder.forgetAll();
  await pause(1100); // a second without use makes a connection idle; nothing forgets one sooner
  const token = claims();
  expect('the first one after it', await judge.judge(token), 'admitted');
  expect('again', await judge.judge(token), 'replayed');
});

// SPDX-License-Identifier: Apache-2.0
// What the operator did wrong is said: no error is "not in our table", and none is a fault of ours.
import { claims, clusterUri, judgeOn, startCluster, startRedis, uriOf, vouch } from '../support/redis.mjs';
import { expect, run } from '../support/verdict.mjs';

async function tryOne(what, uri, wanted) {
  const judge = judgeOn(uri);
  const reason = await judge.judge(claims());
  expect(`${what}: admitted`, reason === 'admitted', false);
  expect(`${what}: reason`, ['internal', 'outcome_unknown'].includes(reason) ? reason : 'one that helps', 'one that helps');
  judge.child.stdin.end();
  await judge.child.ended;
  expect(`${what}: what it says`, judge.child.text, wanted);
  expect(`${what}: not in our table`, judge.child.text.includes('not in our table'), false);
}

// SET is first used by a script, of which the server does not say what it lacked.
async function renamed(word) {
  const server = await startRedis('--rename-command', word, '');
  await tryOne(`${word} switched off`, uriOf(server), new RegExp(`${word}|a command of our script`, 'i'));
}

run(async () => {
  const server = await startRedis();
  await vouch(uriOf(server));
  await tryOne('a database that is not there', `${uriOf(server)}/16`, /database/i);
  await tryOne('a password where none is set', `redis://:unwanted@127.0.0.1:${server.port}`, /password/i);
  for (const word of ['SET', 'EVAL', 'INFO']) await renamed(word);
  const nodes = await startCluster(1);
  await tryOne('redis:// at a node of a Cluster', uriOf(nodes[0]), /redis\+cluster/);
  await tryOne('redis+cluster:// at a single server', clusterUri([server]), /cluster/i);
});

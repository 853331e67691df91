// SPDX-License-Identifier: Apache-2.0
// A primary of a Cluster is frozen, its replica takes over and is used, and dies; the first one goes on and is
// made the primary again. A process that starts then knows of nothing: the servers must have been told.
import process from 'node:process';
import { claims, clusterUri, firstThatPasses, freePort, judgeOn, pause, startCluster, startRedis, tell, vouch } from '../support/redis.mjs';
import { eventually, expect, run } from '../support/verdict.mjs';

const USED = 12;
const role = async (node) => (await tell(node, 'ROLE')).split('\n')[0];
const lasting = ['--cluster-replica-validity-factor', '0'];

run(async () => {
  const nodes = await startCluster(3, { args: lasting });
  const replica = await startRedis('--port', String(await freePort()), '--cluster-enabled', 'yes',
    '--cluster-node-timeout', '2000', '--cluster-config-file', 'nodes-replica.conf', ...lasting);
  const first = await tell(nodes[0], 'CLUSTER', 'MYID');
  await tell(replica, 'CLUSTER', 'MEET', nodes[0].host, nodes[0].port);
  const follows = async () => (await tell(replica, 'CLUSTER', 'REPLICATE', first.trim())).trim() === 'OK';
  expect('the replica follows', await eventually(follows, true, 20000), true);
  const linked = async () => (await tell(replica, 'INFO', 'replication')).includes('master_link_status:up');
  expect('and is linked', await eventually(linked, true, 20000), true);

  const uri = clusterUri([...nodes, replica], '?timeout=3s');
  await vouch(uri);
  process.kill(nodes[0].child.pid, 'SIGSTOP');
  expect('it takes over', await eventually(async () => role(replica), 'master', 30000), 'master');
  const before = judgeOn(uri);
  for (let slot = 0; slot < USED; slot += 1) await before.judge(claims()); // marks what is new
  await pause(2500); // the margin of a second, and clocks that count in seconds
  await firstThatPasses(before);
  const used = Array.from({ length: USED }, () => claims());
  for (const token of used) expect('a first use', await before.judge(token), 'admitted');

  process.kill(replica.child.pid, 'SIGKILL');
  process.kill(nodes[0].child.pid, 'SIGCONT');
  await eventually(async () => role(nodes[0]), 'slave', 30000);
  const again = async () => {
    await tell(nodes[0], 'CLUSTER', 'FAILOVER', 'TAKEOVER');
    return role(nodes[0]);
  };
  expect('it is the primary again', await eventually(again, 'master', 30000), 'master');
  const late = judgeOn(uri);
  let twice = 0;
  for (const token of used) twice += await late.judge(token) === 'admitted' ? 1 : 0;
  expect('used tokens that pass once more', twice, 0);
});

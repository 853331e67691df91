// SPDX-License-Identifier: Apache-2.0
// A map of 16,384 ranges with long names: as large as a Cluster can make it.
import { claims, clusterUri, judgePatientlyOn, startCluster, tell, vouch } from '../support/redis.mjs';
import { expect, run } from '../support/verdict.mjs';

const name = `${'redis-cluster-0.redis-cluster-headless.'.repeat(6)}svc`;

run(async () => {
  const nodes = await startCluster(3, { owner: (slot) => slot % 3, args: ['--cluster-announce-hostname', name] });
  const map = await tell(nodes[0], 'CLUSTER', 'SLOTS');
  expect('the map has more than 4 MiB', map.length > 4 * 1024 * 1024, true);
  const uri = clusterUri(nodes, '?timeout=30s');
  await vouch(uri);
  const judge = judgePatientlyOn(uri);
  const token = claims();
  expect('first', await judge.judge(token), 'admitted');
  expect('again', await judge.judge(token), 'replayed');
});

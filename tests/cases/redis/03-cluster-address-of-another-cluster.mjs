// SPDX-License-Identifier: Apache-2.0
// The first address of the list belongs to a node of another Cluster now: nothing of its map is believed on
// its word alone.
import { claims, clusterUri, judgeOn, startCluster, vouch } from '../support/redis.mjs';
import { expect, run } from '../support/verdict.mjs';

const USED = 20;

run(async () => {
  const ours = await startCluster(2);
  const [stranger] = await startCluster(1);
  await vouch(clusterUri(ours));
  await vouch(clusterUri([stranger]));
  const before = judgeOn(clusterUri(ours));
  const used = Array.from({ length: USED }, () => claims());
  for (const token of used) expect('a first use', await before.judge(token), 'admitted');

  const after = judgeOn(clusterUri([stranger, ...ours]));
  let again = 0;
  for (const token of used) again += await after.judge(token) === 'admitted' ? 1 : 0;
  expect('used tokens that pass once more', again, 0);
  expect('a new token', await after.judge(claims()), /^(admitted|store_unavailable)$/);
});

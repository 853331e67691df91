// SPDX-License-Identifier: Apache-2.0
// The first address of the list belongs to a node of another Cluster now: nothing of its map is believed on
// its word alone.
import { claims, clusterUri, judgePatientlyOn, startCluster, vouch } from '../support/redis.mjs';
import { expect, run } from '../support/verdict.mjs';

const USED = 20;
const PATIENCE = '?timeout=20s';

run(async () => {
  const ours = await startCluster(2);
  const [stranger] = await startCluster(1);
  await vouch(clusterUri(ours, PATIENCE));
  await vouch(clusterUri([stranger], PATIENCE));
  const before = judgePatientlyOn(clusterUri(ours, PATIENCE));
  const used = Array.from({ length: USED }, () => claims());
  for (const token of used) expect('a first use', await before.judge(token), 'admitted');

  const after = judgePatientlyOn(clusterUri([stranger, ...ours], PATIENCE));
  let again = 0;
  for (const token of used) again += await after.judge(token) === 'admitted' ? 1 : 0;
  expect('used tokens that pass once more', again, 0);
  expect('a new token', await after.judge(claims()), /^(admitted|store_unavailable)$/);
});

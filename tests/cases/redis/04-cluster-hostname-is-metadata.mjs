// SPDX-License-Identifier: Apache-2.0
// A node announces a name that nobody can resolve, and prefers its address: the address is used.
import { claims, clusterUri, judgePatientlyOn, startCluster, vouch } from '../support/redis.mjs';
import { expect, run } from '../support/verdict.mjs';

run(async () => {
  for (const preferred of ['ip', 'unknown-endpoint']) {
    const nodes = await startCluster(1, {
      args: ['--cluster-announce-hostname', 'pod-0.internal.invalid', '--cluster-preferred-endpoint-type', preferred],
    });
    const uri = clusterUri(nodes, '?timeout=20s');
    await vouch(uri);
    const judge = judgePatientlyOn(uri);
    const token = claims();
    expect(preferred, await judge.judge(token), 'admitted');
    expect(`${preferred}, again`, await judge.judge(token), 'replayed');
  }
});

// SPDX-License-Identifier: Apache-2.0
// A balancer over two primaries, each of which has been vouched for: at most one of them is relied on at a
// time, and the doctor says that there are two.
import { claims, judgeOn, openForwarder, startRedis, uriOf, vouch } from '../support/redis.mjs';
import { runTool } from '../support/service.mjs';
import { expect, run } from '../support/verdict.mjs';

run(async () => {
  const servers = [await startRedis(), await startRedis()];
  for (const server of servers) await vouch(uriOf(server));
  const balancer = await openForwarder(servers[0], { others: [servers[1]] });

  const doctor = await runTool('doctor', '--json', '--store', uriOf(balancer));
  const report = doctor.text.split('\n').find((line) => line.startsWith('{'));
  const finding = JSON.parse(report).findings.find(({ check }) => check === 'identity');
  expect('what the doctor finds', `${finding.level}: ${finding.value}`, 'failure: 2 servers in 8 looks');

  for (const connections of [1, 2, 4]) {
    const uri = uriOf(balancer, `?connections=${connections}&prefix=c${connections}:`);
    for (const server of servers) await vouch(uriOf(server, `?prefix=c${connections}:`));
    const judge = judgeOn(uri);
    let twice = 0;
    for (let i = 0; i < 40; i += 1) {
      const token = claims();
      const answers = await Promise.all(Array.from({ length: 4 }, () => judge.judge(token)));
      if (answers.filter((answer) => answer === 'admitted').length > 1) twice += 1;
      if (i % 4 === 0) balancer.cut();
    }
    expect(`admitted twice with ${connections} connections`, twice, 0);
  }
});

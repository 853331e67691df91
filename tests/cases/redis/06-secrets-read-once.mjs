// SPDX-License-Identifier: Apache-2.0
// A password that was changed, at the server and in its file, is taken at the next connect.
import fs from 'node:fs';
import { claims, judgeOn, startRedis, tell, vouch } from '../support/redis.mjs';
import { writeFile } from '../support/service.mjs';
import { eventually, expect, run } from '../support/verdict.mjs';

run(async () => {
  const server = await startRedis('--requirepass', 'an-old-password');
  const file = writeFile('an-old-password\n');
  const uri = `redis://127.0.0.1:${server.port}?password_file=${file}`;
  await vouch(uri);
  const judge = judgeOn(uri);
  expect('before', await judge.judge(claims()), 'admitted');
  const login = 'an-old-password';
  await tell({ ...server, login }, 'CONFIG', 'SET', 'requirepass', 'a-new-password'.repeat(100));
  fs.writeFileSync(file, `${'a-new-password'.repeat(100)}\n`);
  await tell({ ...server, login: 'a-new-password'.repeat(100) }, 'CLIENT', 'KILL', 'TYPE', 'normal');
  expect('after', await eventually(() => judge.judge(claims()), 'admitted', 8000), 'admitted');
});

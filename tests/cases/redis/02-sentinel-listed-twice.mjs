// SPDX-License-Identifier: Apache-2.0
// A Sentinel that stands twice in the list is one: by one name an error of the options, by two names
// counted once.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { claims, freePort, judgeOn, startRedis, tell, vouch } from '../support/redis.mjs';
import { runTool, start } from '../support/service.mjs';
import { atEnd, eventually, expect, run } from '../support/verdict.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'jtiguard-sentinel-'));
atEnd(() => fs.rmSync(folder, { recursive: true, force: true }));

async function startSentinel(primary) {
  const port = await freePort();
  const file = path.join(folder, `${port}.conf`);
  fs.writeFileSync(file, `port ${port}\nbind 127.0.0.1 -::1\nsentinel monitor mymaster ${primary.host} ${primary.port} 2\n`);
  start('redis-server', [file, '--sentinel']);
  await eventually(async () => (await tell({ port }, 'PING')).startsWith('PONG'), true);
  return port;
}

run(async () => {
  const primary = await startRedis();
  const [one, two] = [await startSentinel(primary), await startSentinel(primary)];
  const gone = await freePort();
  const list = (...places) => `redis+sentinel://${places.join(',')}/mymaster?timeout=1s`;

  const same = await runTool('check', '--store', list(`127.0.0.1:${one}`, `127.0.0.1:${one}`, `127.0.0.1:${two}`), '/dev/null');
  expect('one address twice: exit code', same.code, 2);
  expect('one address twice: what it says', same.text, /twice/);

  // Of three of the list two answer, and they are one.
  const byTwoNames = judgeOn(list(`127.0.0.1:${one}`, `localhost:${one}`, `127.0.0.1:${gone}`));
  expect('two names of one, and none beside', await byTwoNames.judge(claims()), 'store_unavailable');
  const good = list(`127.0.0.1:${one}`, `127.0.0.1:${two}`, `127.0.0.1:${gone}`);
  await vouch(good);
  const both = judgeOn(good);
  expect('two Sentinels of three', await both.judge(claims()), 'admitted');
});

// SPDX-License-Identifier: Apache-2.0
// An empty project installs what `npm pack` makes, and guards a token by the lines of the README.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { seconds } from './support/jose.mjs';
import { atEnd, expect, run } from './support/verdict.mjs';
import { startService } from './service.mjs';

const project = fs.mkdtempSync(path.join(os.tmpdir(), 'jtiguard-project-'));
atEnd(() => fs.rmSync(project, { recursive: true, force: true }));

function npm(...args) {
  const done = spawnSync('npm', [...args, '--offline', '--no-audit', '--no-fund'], { cwd: project, encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`npm ${args[0]}: ${done.stderr}`);
  return done.stdout;
}

function lines(socket) {
  const page = fs.readFileSync(path.join(process.env.CLIENT, 'README.md'), 'utf8');
  const program = /<!-- tested: readme -->\n```js\n(.*?)```/s.exec(page)[1];
  expect('lines of code', program.trim().split('\n').filter((line) => line.trim() !== '').length <= 12, true);
  return program.replaceAll('/run/jtiguard/api.sock', socket);
}

run(async () => {
  const service = await startService();
  fs.writeFileSync(path.join(project, 'package.json'), '{"name":"empty","version":"1.0.0","private":true}');
  npm('install', fs.realpathSync(fs.readdirSync('.').find((name) => /^jtiguard-.*\.tgz$/.test(name))));
  const listed = JSON.parse(npm('ls', '--all', '--json'));
  expect('what came with it', Object.keys(listed.dependencies.jtiguard.dependencies ?? {}).length, 0);
  fs.writeFileSync(path.join(project, 'program.mjs'), lines(service.socket));
  const { letIn } = await import(pathToFileURL(path.join(project, 'program.mjs')));
  const now = seconds();
  const payload = { iss: 'https://id.example', aud: ['api', 'x'], sub: 'user-1', jti: 'one', iat: now, exp: now + 60 };
  expect('a token', await letIn(payload), true);
  expect('the same token', await letIn(payload), false);
  expect('a token for others', await letIn({ ...payload, jti: 'two', aud: 'x' }), false);
  await service.stop();
  expect('nobody there', await letIn({ ...payload, jti: 'three' }), false);
  const names = fs.readdirSync(path.join(project, 'node_modules/jtiguard')).sort().join();
  expect('what is packed', names, 'LICENSE,README.md,package.json,src');
});

// SPDX-License-Identifier: Apache-2.0
// types.ts by TypeScript's compiler.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { expect, run } from './support/verdict.mjs';

run(async () => {
  const compiler = ['node_modules/typescript/bin/tsc', '--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022',
    '--allowSyntheticDefaultImports', '--noImplicitAny', 'false', 'types.ts'];
  const done = spawnSync(process.execPath, compiler, { encoding: 'utf8' });
  expect(`types: ${done.stdout}`, done.status, 0);
});

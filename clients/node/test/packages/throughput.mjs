// SPDX-License-Identifier: Apache-2.0
// throughput.mjs [RUNS] [COUNT]: the API by `jtiguard bench serve` and by this client over the unix socket, 64 at once,
// in turns on one machine; and the ratios that are asked for: at least 0.7 of the calls a second, p99 at most 1.5 times.
// Meant for a build that is optimized: BUILD=build/release.
import process from 'node:process';
import { runTool } from './support/service.mjs';
import { atEnd, run } from './support/verdict.mjs';
import { startService } from './service.mjs';

const [RUNS, COUNT] = [Number(process.argv[2] ?? 7), Number(process.argv[3] ?? 20_000)];
const AT_ONCE = 64;

const middle = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const range = (list, digits) => `${middle(list).toFixed(digits)} (${Math.min(...list).toFixed(digits)} to ${Math.max(...list).toFixed(digits)})`;

// Of both algorithms: the API is asked with claims, so they do not differ.
async function byTheBenchmark() {
  const { code, text } = await runTool('bench', 'serve', '--tokens', String(COUNT), '--runs', '1', '--connections', String(AT_ONCE), '--json');
  if (code !== 0) throw new Error(text);
  const lines = text.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  return { rate: middle(lines.map((line) => line.api_ops_per_s)), p99: middle(lines.map((line) => line.api_p99_us)) / 1000 };
}

async function byTheClient(guard, round) {
  const now = Math.floor(Date.now() / 1000);
  const waits = [];
  let [next, began] = [0, 0];
  const warm = COUNT / 10;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < COUNT + warm) {
      const i = next;
      next += 1;
      if (i === warm) began = performance.now();
      const asked = performance.now();
      await guard.reserve({ kind: 'id_token', iss: 'https://id.example', aud: 'api', jti: `${round} ${i}`, iat: now, exp: now + 300 });
      if (i >= warm) waits.push(performance.now() - asked);
    }
  }));
  const seconds = (performance.now() - began) / 1000;
  waits.sort((a, b) => a - b);
  return { rate: COUNT / seconds, p99: waits[Math.floor(waits.length * 0.99)] };
}

run(async () => {
  const service = await startService('--max-entries', String(2_000_000));
  atEnd(() => service.stop());
  const rows = [];
  for (let round = 0; round < RUNS; round += 1) {
    const benchmark = await byTheBenchmark();
    const client = await byTheClient(service.guard, round);
    rows.push({ benchmark, client });
    console.log(`run ${round + 1}: benchmark ${benchmark.rate.toFixed(0)}/s, p99 ${benchmark.p99.toFixed(1)} ms; client ${client.rate.toFixed(0)}/s, p99 ${client.p99.toFixed(1)} ms`);
  }
  const of = (pick) => rows.map(pick);
  console.log(`benchmark: ${range(of((row) => row.benchmark.rate / 1000), 1)} k/s, p99 ${range(of((row) => row.benchmark.p99), 1)} ms`);
  console.log(`client:    ${range(of((row) => row.client.rate / 1000), 1)} k/s, p99 ${range(of((row) => row.client.p99), 1)} ms`);
  console.log(`ratio:     ${range(of((row) => row.client.rate / row.benchmark.rate), 2)}, at least 0.7; p99 ${range(of((row) => row.client.p99 / row.benchmark.p99), 2)}, at most 1.5`);
});

// SPDX-License-Identifier: Apache-2.0
// What a case expects, and how it ends: 0 all was as it should be, 1 something was not, 77 it cannot
// be tried here.
import process from 'node:process';

const endings = [];
let wrong = 0;

// To be done when the case ends, the last one first.
export function atEnd(action) {
  endings.push(action);
}

export function expect(what, got, wanted) {
  const good = wanted instanceof RegExp ? wanted.test(String(got)) : got === wanted;
  if (good) return;
  wrong += 1;
  console.log(`${what}: ${got}, not ${wanted}`);
}

// Until `look` gives what is wanted; what it gave last.
export async function eventually(look, wanted, withinMs = 15000) {
  const end = Date.now() + withinMs;
  let got = await look();
  while (got !== wanted && Date.now() < end) {
    await pause(50);
    got = await look();
  }
  return got;
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function end(code) {
  for (const action of endings.reverse()) await action();
  process.exit(code);
}

export async function skip(why) {
  console.log(why);
  await end(77);
}

// A case is a function; whatever it throws is a failure of it.
export async function run(body) {
  try {
    await body();
  } catch (error) {
    console.log(error.stack ?? error);
    wrong += 1;
  }
  await end(wrong > 0 ? 1 : 0);
}

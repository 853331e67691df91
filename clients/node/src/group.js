// SPDX-License-Identifier: Apache-2.0
// Questions about one token each. While a connection is free each goes out by itself; those that come when all are
// busy wait, and go out together on the first that is free. A group is a first try and no more: whoever gets no clear
// answer in it asks again by himself.

const GROUP_TOKENS = 16;
const GROUP_BYTES = 32 * 1024; // half of max_body_bytes

export class Group {
  #pool;
  #request;
  #waiting = [];

  // request(path, body): its bytes.
  constructor(pool, request) {
    this.#pool = pool;
    this.#request = request;
    pool.onRoom = () => this.#flush();
  }

  // { status, text } as if it had been asked alone.
  ask(body, withinMs) {
    if (this.#waiting.length === 0 && this.#pool.hasRoom()) return this.#single(body, withinMs);
    return new Promise((resolve, reject) => {
      const one = { body, resolve, reject, until: performance.now() + withinMs, timer: undefined };
      one.timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(one), 1);
        reject(new Error(`no connection was free within ${withinMs} ms`));
      }, withinMs);
      this.#waiting.push(one);
    });
  }

  #single(body, withinMs) {
    return this.#pool.ask(this.#request('/v1/reserve', body), withinMs);
  }

  #flush() {
    while (this.#waiting.length > 0 && this.#pool.hasRoom()) {
      const group = this.#takeSome();
      const withinMs = Math.max(group[0].until - performance.now(), 1);
      if (group.length === 1) this.#single(group[0].body, withinMs).then(group[0].resolve, group[0].reject);
      else this.#askTogether(group, withinMs);
    }
  }

  #takeSome() {
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length && count < GROUP_TOKENS; count += 1) {
      bytes += Buffer.byteLength(this.#waiting[count].body);
      if (count > 0 && bytes > GROUP_BYTES) break;
    }
    const group = this.#waiting.splice(0, count);
    for (const { timer } of group) clearTimeout(timer);
    return group;
  }

  async #askTogether(group, withinMs) {
    try {
      const body = `{"tokens":[${group.map((one) => one.body).join()}]}`;
      const { status, text } = await this.#pool.ask(this.#request('/v1/check', body), withinMs);
      const { results } = JSON.parse(text);
      if (![200, 409, 422, 503].includes(status) || results.length !== group.length) throw new Error('an answer that is none');
      group.forEach((one, i) => handOut(one, results[i], status));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}

// Of a refusal among troubles only the token's own status says whether it is one.
function handOut({ resolve, reject }, value, status) {
  if (value?.result === 'admitted') resolve({ status: 200, value });
  else if (value?.result === 'replayed') resolve({ status: 409, value });
  else if (value?.result === 'refused' && status === 422) resolve({ status: 422, value });
  else reject(new Error('an answer that is not clear in a group'));
}

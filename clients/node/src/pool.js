// SPDX-License-Identifier: Apache-2.0
// Connections that stay open, up to a number, and who waits for one of them: first come, first served.
import { Connection } from './connection.js';

export class Pool {
  #place;
  #most;
  #idle = [];
  #open = new Set();
  #waiting = new Set();
  onRoom = () => {}; // a connection is free, and nobody here waits for it

  constructor(place, most) {
    this.#place = place;
    this.#most = most;
  }

  // fresh: over a connection of its own, for what must not be asked twice: one that stood idle may be gone.
  async ask(bytes, withinMs, { fresh = false } = {}) {
    let connection = fresh ? this.#connect() : this.#take();
    let leftMs = withinMs;
    if (connection === undefined) {
      const began = performance.now();
      connection = await this.#wait(withinMs);
      leftMs = Math.max(withinMs - (performance.now() - began), 1);
    }
    const answer = await connection.ask(bytes, leftMs);
    if (fresh) connection.close();
    else this.#give(connection);
    return answer;
  }

  hasRoom() {
    return this.#waiting.size === 0 && (this.#idle.length > 0 || this.#open.size < this.#most);
  }

  close() {
    for (const connection of [...this.#open]) connection.close();
  }

  #connect() {
    const connection = new Connection(this.#place, (ended) => this.#forget(ended));
    this.#open.add(connection);
    return connection;
  }

  #take() {
    return this.#idle.pop() ?? (this.#open.size < this.#most ? this.#connect() : undefined);
  }

  #wait(withinMs) {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, timer: undefined };
      waiter.timer = setTimeout(() => {
        this.#waiting.delete(waiter);
        reject(new Error(`no connection was free within ${withinMs} ms`));
      }, withinMs);
      this.#waiting.add(waiter);
    });
  }

  #serve() {
    const [waiter] = this.#waiting;
    if (waiter === undefined) {
      this.onRoom();
      return;
    }
    const connection = this.#take();
    if (connection === undefined) return;
    this.#waiting.delete(waiter);
    clearTimeout(waiter.timer);
    waiter.resolve(connection);
  }

  #give(connection) {
    if (this.#open.has(connection)) this.#idle.push(connection);
    this.#serve();
  }

  #forget(connection) {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#serve();
  }
}

// SPDX-License-Identifier: Apache-2.0
// The guard, as a program of Node asks it. Nothing is admitted but by an answer of the service that says so, that
// can be read whole, and that is about this very question.
import crypto from 'node:crypto';
import { Group } from './group.js';
import { Pool } from './pool.js';
import { Refused } from './refused.js';

const DEADLINE_MS = 2000;
const CONNECTIONS = 8; // as many as the service has workers by default; what comes beyond them goes in groups
const TRIES = 4;
const PAUSE_MS = 10; // before the third try; then twice that

// What asking again with the same owner settles.
const UNSETTLED = new Set(['outcome_unknown', 'too_few_replicas']);

function placeOf({ socket, url, tls }) {
  if ((socket === undefined) === (url === undefined)) throw new TypeError('jtiguard: one of socket and url');
  if (socket !== undefined) return { socket, host: 'localhost', header: 'localhost', path: '' };
  const to = new URL(url);
  if (!['http:', 'https:'].includes(to.protocol)) throw new TypeError('jtiguard: url is http: or https:');
  const secure = to.protocol === 'https:';
  return {
    host: to.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(to.port || (secure ? 443 : 80)), header: to.host, secure, tls,
    path: to.pathname.replace(/\/$/, ''),
  };
}

function checkSecret(secret) {
  if (secret !== undefined && !/^[\x21-\x7e]+$/.test(secret)) throw new TypeError('jtiguard: a secret is visible ASCII');
}

// As the service makes it of the bytes that it is given: its answer names whose it is.
const sha256 = crypto.hash === undefined
  ? (text) => crypto.createHash('sha256').update(text).digest('hex')
  : (text) => crypto.hash('sha256', text);

function ownerInHex(owner) {
  return sha256(`jtiguard owner 1\0${owner}`).slice(0, 32);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function parse({ text, value: parsed }) {
  if (parsed !== undefined) return parsed;
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === 'object' ? value : undefined;
  } catch {
    return undefined;
  }
}

// What one decision says: { admitted, result, reason, … }; undefined: it is none.
function readDecision(value, owner) {
  const { result, reason, text, ttl_ms: ttlMs, reservation } = value ?? {};
  if (typeof reason !== 'string') return undefined;
  if (result === 'admitted') {
    const ours = reason === 'admitted' && typeof reservation?.key === 'string' && reservation.owner === ownerInHex(owner);
    return ours ? { admitted: true, result, reason, ttlMs, reservation, owner } : undefined;
  }
  if (result !== 'replayed' && result !== 'refused') return undefined;
  return { admitted: false, result, reason, text, reservation, owner };
}

const statusOf = { admitted: [200], replayed: [409], refused: [422, 503] };

export class Guard {
  #pool;
  #group;
  #heads = new Map();
  #place;
  #secret;
  #deadlineMs;

  // socket, or url with or without secret. deadlineMs: how long a question may take, all tries together.
  constructor({ socket, url, secret, tls, deadlineMs = DEADLINE_MS, connections = CONNECTIONS }) {
    if (!(deadlineMs > 0 && deadlineMs <= 60_000)) throw new TypeError('jtiguard: deadlineMs is 1 to 60000');
    if (!(Number.isInteger(connections) && connections > 0)) throw new TypeError('jtiguard: connections is a number');
    checkSecret(secret);
    this.#place = placeOf({ socket, url, tls });
    this.#secret = secret;
    this.#deadlineMs = deadlineMs;
    this.#pool = new Pool(this.#place, connections);
    this.#group = new Group(this.#pool, (path, body) => this.#request(path, body));
  }

  get deadlineMs() {
    return this.#deadlineMs;
  }

  // The first use of what has these claims: its reservation. Everything else throws, Refused with the reason.
  async reserve(claims) {
    const owner = claims.owner ?? crypto.randomUUID();
    const body = JSON.stringify({ ...claims, owner });
    const { decision, status, error } = await this.#settle('/v1/reserve', body, (value) => readDecision(value, owner));
    if (decision === undefined || !statusOf[decision.result].includes(status)) throw this.#unanswered(status, owner, error);
    if (!decision.admitted) throw new Refused({ ...decision, trouble: status === 503 });
    return { ttlMs: decision.ttlMs, reservation: decision.reservation, owner };
  }

  // Whether this is its first use; false for whatever else, and when nobody could say.
  async isFirstUse(claims) {
    try {
      await this.reserve(claims);
      return true;
    } catch (error) {
      if (error?.name === 'Refused') return false;
      throw error;
    }
  }

  // Each for itself, in their order: { admitted, result, reason, … }. Never throws for a token, or for all of them.
  async admitMany(list) {
    const tokens = list.map((claims) => ({ ...claims, owner: claims.owner ?? crypto.randomUUID() }));
    if (tokens.length === 0) return [];
    const { decision, status, error } = await this.#settle('/v1/check', JSON.stringify({ tokens }), (value) => readAll(value, tokens));
    if (decision !== undefined && [200, 409, 422, 503].includes(status)) return decision.all;
    return tokens.map(({ owner }) => {
      const { result, reason, message } = this.#unanswered(status, owner, error);
      return { admitted: false, result, reason, text: message, owner };
    });
  }

  // Give a reservation back: only after a failure that is certain and your own. Whether it was; throws when nobody
  // can say. It is asked once: a copy that arrives late could end a later use of the same owner.
  async release(reservation) {
    const body = JSON.stringify({ reservation: { key: reservation.key, owner: reservation.owner } });
    let answer;
    try {
      answer = await this.#pool.ask(this.#request('/v1/release', body), this.#deadlineMs, { fresh: true });
    } catch (cause) {
      throw this.#unanswered(undefined, undefined, cause);
    }
    const value = parse(answer);
    if (answer.status === 200 && value?.released === true) return true;
    if (answer.status === 409 && value?.released === false) return false;
    throw this.#unanswered(answer.status, undefined, undefined, value?.reason);
  }

  close() {
    this.#pool.close();
  }

  // ---- a question, until it is settled or the time is up ----

  async #settle(path, body, read) {
    const until = performance.now() + this.#deadlineMs;
    let last = {};
    for (let tries = 0, leftMs = this.#deadlineMs; tries < TRIES && leftMs > 0 && !last.settled; tries += 1) {
      if (tries > 1) await pause(Math.min(PAUSE_MS << (tries - 2), leftMs));
      last = await this.#askOnce(path, body, { tries, leftMs, read, last });
      if (!last.settled) leftMs = until - performance.now();
    }
    return last;
  }

  // A try leaves half of the time to those behind it, which take connections of their own: the others may all be
  // as dead as the first. One that brings nothing leaves what an earlier one has said.
  async #askOnce(path, body, { tries, leftMs, read, last }) {
    const withinMs = tries < TRIES - 1 ? leftMs / 2 : leftMs;
    try {
      const answer = tries === 0 && path === '/v1/reserve'
        ? await this.#group.ask(body, withinMs)
        : await this.#pool.ask(this.#request(path, body), withinMs, { fresh: tries > 0 });
      const decision = read(parse(answer));
      return { decision, status: answer.status, settled: decision === undefined ? Math.trunc(answer.status / 100) === 4 : !isUnsettled(decision) };
    } catch (error) {
      return { ...last, error, settled: false };
    }
  }

  #request(path, body) {
    return `${this.#headOf(path)}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  }

  #headOf(path) {
    let head = this.#heads.get(path);
    if (head === undefined) {
      const secret = this.#secret === undefined ? '' : `Authorization: Bearer ${this.#secret}\r\n`;
      head = `POST ${this.#place.path}${path} HTTP/1.1\r\nHost: ${this.#place.header}\r\nContent-Type: application/json\r\n${secret}`;
      this.#heads.set(path, head);
    }
    return head;
  }

  #unanswered(status, owner, cause, said) {
    const reason = said ?? (status === undefined ? 'unreachable' : status === 401 ? 'unauthorized' : 'unreadable');
    const texts = { unreachable: cause?.message ?? 'no answer', unreadable: `an answer ${status} that is none`, unauthorized: 'the secret is not the service\'s' };
    return new Refused({ result: 'refused', reason, text: texts[reason] ?? reason, owner, trouble: true, cause });
  }
}

function isUnsettled({ all, admitted, reason }) {
  return all === undefined ? !admitted && UNSETTLED.has(reason) : all.some(isUnsettled);
}

function readAll(value, tokens) {
  if (value?.result === 'refused' && typeof value.reason === 'string')
    return { all: tokens.map(({ owner }) => readDecision(value, owner)) };
  if (!Array.isArray(value?.results) || value.results.length !== tokens.length) return undefined;
  const all = value.results.map((one, i) => readDecision(one, tokens[i].owner));
  return all.includes(undefined) ? undefined : { all };
}
